package import Foundation
package import Postgres

/// Counts per business, added up over minutes, hours and days.
package struct RollupStore: Sendable {
  /// Something that happened in a minute, so often.
  package struct Increment: Sendable, Hashable {
    /// The business; ``RollupStore/noBusiness`` where none is known.
    package let business: UUID
    /// What happened.
    package let metric: String
    /// What distinguishes it further; empty where nothing does.
    package let detail: String
    /// The minute.
    package let minute: Date
    /// How often.
    package let count: Int

    /// Names what is to be added.
    package init(business: UUID, metric: String, detail: String, minute: Date, count: Int) {
      self.business = business
      self.metric = metric
      self.detail = detail
      self.minute = minute
      self.count = count
    }
  }

  /// The business of what belongs to none: the nil UUID.
  package static let noBusiness = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

  /// Uses whatever connection its methods are given.
  package init() {}

  /// Adds to the three tables, in one round trip after the look at the businesses' zones. Buckets are written in one
  /// order everywhere, so that two batches wait for each other instead of deadlocking.
  package func add(_ increments: [Increment], in transaction: PostgresTransaction) async throws {
    guard !increments.isEmpty else { return }
    let calendars = try await calendars(of: Set(increments.map(\.business)), in: transaction)
    let utc = RollupCalendar(zone: .gmt)
    try await transaction.run(
      Granularity.allCases.map { granularity in
        Self.upsert(granularity, increments) { (calendars[$0.business] ?? utc).start(of: granularity, at: $0.minute) }
      })
  }

  private func calendars(of businesses: Set<UUID>, in transaction: PostgresTransaction) async throws -> [UUID:
    RollupCalendar]
  {
    var calendars: [UUID: RollupCalendar] = [:]
    for row in try await transaction.query(
      "SELECT id, time_zone FROM bookings.business WHERE id = ANY(\(Array(businesses))::uuid[])")
    {
      guard let zone = TimeZone(identifier: try row.decode(1)) else { continue }
      calendars[try row.decode(0)] = RollupCalendar(zone: zone)
    }
    return calendars
  }

  private struct Bucket: Hashable, Comparable {
    let business: UUID
    let start: Date
    let metric: String
    let detail: String

    static func < (left: Bucket, right: Bucket) -> Bool {
      (left.business.uuidString, left.start, left.metric, left.detail)
        < (right.business.uuidString, right.start, right.metric, right.detail)
    }
  }

  private static func upsert(_ granularity: Granularity, _ increments: [Increment], _ start: (Increment) -> Date)
    -> PostgresQuery
  {
    var sums: [Bucket: Int] = [:]
    for increment in increments {
      let bucket = Bucket(
        business: increment.business, start: start(increment), metric: increment.metric, detail: increment.detail)
      sums[bucket, default: 0] += increment.count
    }
    let buckets = sums.keys.sorted()
    return """
      INSERT INTO reports.\(unsafe: table(granularity)) AS rollup (business_id, start, metric, detail, count)
      SELECT * FROM unnest(\(buckets.map(\.business))::uuid[], \(buckets.map(\.start))::timestamptz[],
        \(buckets.map(\.metric))::text[], \(buckets.map(\.detail))::text[], \(buckets.map { sums[$0] ?? 0 })::bigint[])
      ON CONFLICT (business_id, start, metric, detail) DO UPDATE SET count = rollup.count + excluded.count
      """
  }

  private static func table(_ granularity: Granularity) -> String { "rollup_\(granularity.rawValue)" }

  /// What was counted for a business in the buckets that begin inside a range, oldest first.
  package func entries(
    _ granularity: Granularity, of business: UUID, in range: Range<Date>, from pool: PostgresConnectionPool
  ) async throws -> [RollupEntry] {
    try await pool.query(
      """
      SELECT start, metric, detail, count FROM reports.\(unsafe: Self.table(granularity))
      WHERE business_id = \(business) AND start >= \(range.lowerBound) AND start < \(range.upperBound)
      ORDER BY start, metric, detail
      """
    ).map {
      RollupEntry(start: try $0.decode(0), metric: try $0.decode(1), detail: try $0.decode(2), count: try $0.decode(3))
    }
  }

  /// The businesses that anything was counted for in days that begin inside a range, with their names and zones.
  ///
  /// - Parameter only: look at this one alone.
  package func businesses(
    in range: Range<Date>, only: UUID? = nil, from pool: PostgresConnectionPool
  ) async throws -> [(id: UUID, name: String, zone: TimeZone)] {
    try await pool.query(
      """
      SELECT DISTINCT rollup.business_id, coalesce(business.name, ''), coalesce(business.time_zone, 'GMT')
      FROM reports.rollup_day AS rollup LEFT JOIN bookings.business ON business.id = rollup.business_id
      WHERE rollup.start >= \(range.lowerBound) AND rollup.start < \(range.upperBound)
        AND rollup.business_id = coalesce(\(only)::uuid, rollup.business_id) ORDER BY 2, 1
      """
    ).map { (try $0.decode(0), try $0.decode(1), TimeZone(identifier: try $0.decode(2)) ?? .gmt) }
  }

  /// A business' time zone; nil where there is no such business.
  package func zone(of business: UUID, from pool: PostgresConnectionPool) async throws -> TimeZone? {
    try await pool.query("SELECT time_zone FROM bookings.business WHERE id = \(business)").first
      .flatMap { TimeZone(identifier: try $0.decode(0)) }
  }
}
