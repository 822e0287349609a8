internal import Foundation
package import Jobs
package import Postgres
internal import Reports

/// Adds counts up over minutes, hours and days. Each event's counts are added once, with its receipt; those that come
/// late go to the bucket they belong to.
package struct CountEventWorker: BatchWorker {
  private let rollups = RollupStore()

  /// Needs nothing: the transaction it is given is all it works with.
  package init() {}

  /// Adds the counts of all events in one go.
  package func work(
    _ batch: [BatchItem<CountEvent>], in transaction: PostgresTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let increments = batch.flatMap(\.job.counts).map { count in
      RollupStore.Increment(
        business: count.business ?? RollupStore.noBusiness, metric: count.metric, detail: count.detail,
        minute: count.minute, count: count.count)
    }
    try await rollups.add(increments, in: transaction)
    return batch.map { _ in .completed }
  }
}
