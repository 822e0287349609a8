public import Foundation
public import Postgres
public import Reporting

/// Counts per business, added up over minutes, hours and days.
public struct RollupStore: Sendable {
  /// Something that happened in a minute, so often.
  public struct Increment: Sendable, Hashable {
    /// The business; ``RollupStore/nobody`` where none is known.
    public let business: UUID
    /// What happened.
    public let measure: String
    /// What distinguishes it further; empty where nothing does.
    public let detail: String
    /// The minute.
    public let minute: Date
    /// How often.
    public let count: Int

    /// Names what is to be added.
    public init(business: UUID, measure: String, detail: String, minute: Date, count: Int) {
      self.business = business
      self.measure = measure
      self.detail = detail
      self.minute = minute
      self.count = count
    }
  }

  /// The business of what belongs to none: the nil UUID.
  public static let nobody = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

  /// Uses whatever connection its methods are given.
  public init() {}

  /// Adds to the three tables, in one round trip after the look at the businesses' zones. Buckets are written in one
  /// order everywhere, so that two batches wait for each other instead of deadlocking.
  public func add(_ increments: [Increment], in transaction: PostgresTransaction) async throws {
    guard !increments.isEmpty else { return }
    let calendars = try await calendars(of: Set(increments.map(\.business)), in: transaction)
    let utc = RollupCalendar(zone: .gmt)
    try await transaction.run(
      Grain.allCases.map { grain in
        Self.upsert(grain, increments) { (calendars[$0.business] ?? utc).start(of: grain, at: $0.minute) }
      })
  }

  private func calendars(of businesses: Set<UUID>, in transaction: PostgresTransaction) async throws -> [UUID:
    RollupCalendar]
  {
    var calendars: [UUID: RollupCalendar] = [:]
    for row in try await transaction.query(
      "SELECT id, time_zone FROM scheduling.business WHERE id = ANY(\(Array(businesses))::uuid[])")
    {
      guard let zone = TimeZone(identifier: try row.decode(1)) else { continue }
      calendars[try row.decode(0)] = RollupCalendar(zone: zone)
    }
    return calendars
  }

  private struct Bucket: Hashable, Comparable {
    let business: UUID
    let start: Date
    let measure: String
    let detail: String

    static func < (left: Bucket, right: Bucket) -> Bool {
      (left.business.uuidString, left.start, left.measure, left.detail)
        < (right.business.uuidString, right.start, right.measure, right.detail)
    }
  }

  private static func upsert(_ grain: Grain, _ increments: [Increment], _ start: (Increment) -> Date) -> PostgresQuery {
    var sums: [Bucket: Int] = [:]
    for increment in increments {
      let bucket = Bucket(
        business: increment.business, start: start(increment), measure: increment.measure, detail: increment.detail)
      sums[bucket, default: 0] += increment.count
    }
    let buckets = sums.keys.sorted()
    return """
      INSERT INTO reporting.\(unsafe: table(grain)) AS rollup (business_id, start, measure, detail, count)
      SELECT * FROM unnest(\(buckets.map(\.business))::uuid[], \(buckets.map(\.start))::timestamptz[],
        \(buckets.map(\.measure))::text[], \(buckets.map(\.detail))::text[], \(buckets.map { sums[$0] ?? 0 })::bigint[])
      ON CONFLICT (business_id, start, measure, detail) DO UPDATE SET count = rollup.count + excluded.count
      """
  }

  private static func table(_ grain: Grain) -> String { "rollup_\(grain.rawValue)" }

  /// What was counted for a business in the buckets that begin inside a range, oldest first.
  public func entries(
    _ grain: Grain, of business: UUID, in range: Range<Date>, from pool: PostgresPool
  ) async throws -> [RollupEntry] {
    try await pool.query(
      """
      SELECT start, measure, detail, count FROM reporting.\(unsafe: Self.table(grain))
      WHERE business_id = \(business) AND start >= \(range.lowerBound) AND start < \(range.upperBound)
      ORDER BY start, measure, detail
      """
    ).map {
      RollupEntry(start: try $0.decode(0), measure: try $0.decode(1), detail: try $0.decode(2), count: try $0.decode(3))
    }
  }

  /// The businesses that anything was counted for in days that begin inside a range, with their names and zones.
  ///
  /// - Parameter only: look at this one alone.
  public func businesses(
    in range: Range<Date>, only: UUID? = nil, from pool: PostgresPool
  ) async throws -> [(id: UUID, name: String, zone: TimeZone)] {
    try await pool.query(
      """
      SELECT DISTINCT rollup.business_id, coalesce(business.name, ''), coalesce(business.time_zone, 'GMT')
      FROM reporting.rollup_day AS rollup LEFT JOIN scheduling.business ON business.id = rollup.business_id
      WHERE rollup.start >= \(range.lowerBound) AND rollup.start < \(range.upperBound)
        AND rollup.business_id = coalesce(\(only)::uuid, rollup.business_id) ORDER BY 2, 1
      """
    ).map { (try $0.decode(0), try $0.decode(1), TimeZone(identifier: try $0.decode(2)) ?? .gmt) }
  }

  /// A business' time zone; nil where there is no such business.
  public func zone(of business: UUID, from pool: PostgresPool) async throws -> TimeZone? {
    try await pool.query("SELECT time_zone FROM scheduling.business WHERE id = \(business)").first
      .flatMap { TimeZone(identifier: try $0.decode(0)) }
  }
}
