internal import Bookings
internal import Foundation
package import Jobs
package import Postgres
internal import Reports

/// Adds up counts over minutes, hours and days. Late counts go to the bucket of their minute.
package struct CountEventWorker: BatchWorker {
  private let rollups = RollupStore()
  private let catalog = CatalogStore()

  package init() {}

  package func work(
    _ batch: [BatchItem<CountEvent>], in transaction: PostgresTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let increments = batch.flatMap(\.job.counts).map { count in
      RollupStore.Increment(
        business: count.business ?? RollupStore.noBusiness, metric: count.metric, detail: count.detail,
        minute: count.minute, count: count.count)
    }
    let businesses = try await catalog.businesses(Set(increments.map(\.business)), in: transaction)
    try await rollups.add(
      increments, calendars: businesses.mapValues { RollupCalendar(zone: $0.timeZone) }, in: transaction)
    return batch.map { _ in .completed }
  }
}
