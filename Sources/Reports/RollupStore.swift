package import Foundation
package import Postgres

/// Counts per business, added up over minutes, hours and days.
package struct RollupStore: Sendable {
  /// How often something happened in a minute.
  package struct Increment: Sendable, Hashable {
    /// ``RollupStore/noBusiness``: no business is known.
    package let business: UUID
    package let metric: String
    package let detail: String
    /// The minute's first instant.
    package let minute: Date
    package let count: Int

    package init(business: UUID, metric: String, detail: String, minute: Date, count: Int) {
      self.business = business
      self.metric = metric
      self.detail = detail
      self.minute = minute
      self.count = count
    }
  }

  /// Stands for counts without a business: the nil UUID.
  package static let noBusiness = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

  package init() {}

  /// Adds to the three tables in one round trip. Buckets are written in a fixed order, so that two batches do not
  /// deadlock.
  ///
  /// - Parameter calendars: of the businesses; a business without one is counted in UTC.
  package func add(
    _ increments: [Increment], calendars: [UUID: RollupCalendar], in transaction: PostgresTransaction
  ) async throws {
    guard !increments.isEmpty else { return }
    let utc = RollupCalendar(zone: .gmt)
    try await transaction.run(
      Granularity.allCases.map { granularity in
        Self.upsert(granularity, increments) { (calendars[$0.business] ?? utc).start(of: granularity, at: $0.minute) }
      })
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

  private static func upsert(
    _ granularity: Granularity, _ increments: [Increment], _ start: (Increment) -> Date
  ) -> PostgresQuery {
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

  /// The counts of a business in the buckets that begin inside a range, oldest first.
  ///
  /// - Parameter limit: the most that are read; nil: all.
  package func entries(
    _ granularity: Granularity, of business: UUID, in range: Range<Date>, limit: Int? = nil,
    from pool: PostgresConnectionPool, deadline: ContinuousClock.Instant? = nil
  ) async throws -> [RollupEntry] {
    try await pool.query(
      """
      SELECT start, metric, detail, count FROM reports.\(unsafe: Self.table(granularity))
      WHERE business_id = \(business) AND start >= \(range.lowerBound) AND start < \(range.upperBound)
      ORDER BY start, metric, detail LIMIT \(limit)
      """, deadline: deadline
    ).map { row in
      RollupEntry(
        start: try row.decode("start"), metric: try row.decode("metric"), detail: try row.decode("detail"),
        count: try row.decode("count"))
    }
  }

  /// The businesses with counts in days that begin inside a range.
  package func businesses(in range: Range<Date>, from pool: PostgresConnectionPool) async throws -> Set<UUID> {
    Set(
      try await pool.query(
        """
        SELECT DISTINCT business_id FROM reports.rollup_day
        WHERE start >= \(range.lowerBound) AND start < \(range.upperBound)
        """
      ).map { try $0.decode(0, as: UUID.self) })
  }
}
