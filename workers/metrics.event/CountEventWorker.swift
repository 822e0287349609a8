internal import Bookings
internal import Foundation
package import Jobs
package import Postgres
internal import Reports

/// Adds up counts over minutes, hours and days. Late counts go to the bucket of their minute, and those for businesses
/// that do not exist to no business.
package struct CountEventWorker: BatchWorker {
  private let rollups = RollupStore()
  private let catalog = CatalogStore()

  /// More than any transaction counts.
  private static let countRange = 0...1_000_000_000

  package init() {}

  package func work(
    _ batch: [BatchItem<CountEvent>], in transaction: PostgresTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let counts = batch.flatMap(\.job.counts)
    // Sums of them must not overflow, neither here nor in the tables, whatever a message says.
    guard counts.allSatisfy({ Self.countRange.contains($0.count) }) else { throw CountOutOfRange() }
    let businesses = try await catalog.businesses(Set(counts.compactMap(\.business)), in: transaction)
    // What is counted for a business that does not exist was counted for an invented id, of which there is no end.
    let increments = counts.map { count in
      RollupStore.Increment(
        business: count.business.flatMap { businesses[$0] == nil ? nil : $0 } ?? RollupStore.noBusiness,
        metric: count.metric, detail: count.detail, minute: count.minute, count: count.count)
    }
    try await rollups.add(
      increments, calendars: businesses.mapValues { RollupCalendar(zone: $0.timeZone) }, in: transaction)
    return batch.map { _ in .completed }
  }
}

/// A count that no transaction can have made: the message is forged or broken.
struct CountOutOfRange: JobError, CustomStringConvertible {
  var isPermanent: Bool { true }
  var description: String { "a count is negative, or larger than a transaction can count" }
}
