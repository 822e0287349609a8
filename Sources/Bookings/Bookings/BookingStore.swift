package import BookingCalendar
package import Foundation
package import Postgres

/// Bookings, and the claims that keep two of them from having the same time.
package struct BookingStore: Sendable {
  /// Uses whatever connection its methods are given.
  package init() {}

  private static let columns = """
    id, business_id, service_id, professional_id, customer_name, customer_phone, starts_at, ends_at, status, reasons::text,
    alternatives::text, fingerprint, last_change::text, last_command,
    attendance_confirmed_at
    """

  /// Stores new bookings, all in one statement; of those whose id exists already nothing changes.
  ///
  /// - Returns: for each id that existed before, the fingerprint it is stored with.
  package func insert(_ bookings: [Booking], in transaction: PostgresTransaction) async throws -> [UUID: String] {
    // A fixed order, so that two batches with the same bookings wait for each other instead of deadlocking.
    let bookings = bookings.sorted { $0.id < $1.id }
    let results = try await transaction.run([
      """
      INSERT INTO bookings.booking (id, business_id, service_id, professional_id, customer_name, customer_phone, starts_at, ends_at,
        status, reasons, alternatives, fingerprint, last_command)
      SELECT * FROM unnest(\(bookings.map(\.id))::uuid[], \(bookings.map(\.business))::uuid[], \(bookings.map(\.service))::uuid[],
        \(bookings.map(\.professional))::uuid[], \(bookings.map(\.customer.name))::text[], \(bookings.map(\.customer.phone))::text[],
        \(bookings.map(\.startsAt))::timestamptz[], \(bookings.map(\.endsAt))::timestamptz[],
        \(bookings.map(\.status.rawValue))::text[], \(try bookings.map { try StoredJSON.text($0.reasons) })::jsonb[],
        \(try bookings.map { try StoredJSON.text($0.alternatives) })::jsonb[], \(bookings.map(\.fingerprint))::text[],
        \(bookings.map(\.lastCommand))::uuid[])
      ON CONFLICT (id) DO NOTHING RETURNING id
      """,
      "SELECT id, fingerprint FROM bookings.booking WHERE id = ANY(\(bookings.map(\.id))::uuid[])",
    ])
    let inserted = Set(try results[0].map { try $0.decode(0, as: UUID.self) })
    var existing: [UUID: String] = [:]
    for row in results[1] {
      let id: UUID = try row.decode(0)
      if !inserted.contains(id) { existing[id] = try row.decode(1) }
    }
    return existing
  }

  /// Reads bookings and locks them until the transaction ends, in a fixed order.
  package func lock(_ ids: [UUID], in transaction: PostgresTransaction) async throws -> [UUID: Booking] {
    let rows = try await transaction.query(
      """
      SELECT \(unsafe: Self.columns) FROM bookings.booking WHERE id = ANY(\(ids)::uuid[]) ORDER BY id FOR UPDATE
      """)
    return Dictionary(try rows.map { try Self.booking($0) }.map { ($0.id, $0) }) { first, _ in first }
  }

  /// Reads one booking of a business; nil where there is none.
  package func find(_ id: UUID, of business: UUID, in pool: PostgresConnectionPool, deadline: ContinuousClock.Instant)
    async throws
    -> Booking?
  {
    let rows = try await pool.query(
      "SELECT \(unsafe: Self.columns) FROM bookings.booking WHERE id = \(id) AND business_id = \(business)",
      deadline: deadline)
    return try rows.first.map { try Self.booking($0) }
  }

  /// Claims time for bookings, all in one statement; returns the bookings that got theirs.
  ///
  /// The exclusion constraint decides, also between rows of this statement and against transactions that run beside it.
  /// Claims are made in the order given to the same professional, and otherwise sorted, so that batches rarely
  /// deadlock.
  package func claim(_ claims: [(booking: Booking, blocked: TimeRange)], in transaction: PostgresTransaction)
    async throws -> Set<UUID>
  {
    let rows = try await transaction.query(
      """
      INSERT INTO bookings.claim (booking_id, business_id, professional_id, blocked)
      SELECT booking, business, professional, tstzrange(starts, ends, '[)')
      FROM unnest(\(claims.map(\.booking.id))::uuid[], \(claims.map(\.booking.business))::uuid[],
                  \(claims.map(\.booking.professional))::uuid[], \(claims.map(\.blocked.start))::timestamptz[],
                  \(claims.map(\.blocked.end))::timestamptz[]) WITH ORDINALITY AS wanted (booking, business, professional, starts, ends, place)
      ORDER BY business, professional, starts, place
      ON CONFLICT DO NOTHING RETURNING booking_id
      """)
    return Set(try rows.map { try $0.decode(0, as: UUID.self) })
  }

  /// Moves a booking's claim; false where somebody else has that time, and then nothing has changed.
  package func moveClaim(
    of booking: Booking, to professional: UUID, _ blocked: TimeRange, in transaction: PostgresTransaction
  ) async throws -> Bool {
    do {
      return try await transaction.withSavepoint {
        try await transaction.query(
          """
          UPDATE bookings.claim SET professional_id = \(professional),
            blocked = tstzrange(\(blocked.start)::timestamptz, \(blocked.end)::timestamptz, '[)')
          WHERE booking_id = \(booking.id)
          """
        ).affectedRows == 1
      }
    } catch let error as PostgresError where error.sqlState == "23P01" {
      return false  // the exclusion constraint's word: a decision, not a failure
    }
  }

  /// Gives a booking's time free.
  package func releaseClaim(of booking: UUID, in transaction: PostgresTransaction) async throws {
    try await transaction.query("DELETE FROM bookings.claim WHERE booking_id = \(booking)")
  }

  /// What a professional is taken up by inside a range, buffers included.
  package func busy(
    professional: UUID, of business: UUID, in range: TimeRange, except booking: UUID? = nil,
    in transaction: PostgresTransaction
  ) async throws -> [TimeRange] {
    try Self.ranges(try await transaction.query(Self.busyQuery(professional, business, range, booking)))
  }

  /// The same outside of a transaction.
  package func busy(professional: UUID, of business: UUID, in range: TimeRange, in pool: PostgresConnectionPool)
    async throws
    -> [TimeRange]
  {
    try Self.ranges(try await pool.query(Self.busyQuery(professional, business, range, nil)))
  }

  private static func busyQuery(_ professional: UUID, _ business: UUID, _ range: TimeRange, _ except: UUID?)
    -> PostgresQuery
  {
    """
    SELECT lower(blocked), upper(blocked) FROM bookings.claim
    WHERE business_id = \(business) AND professional_id = \(professional)
      AND blocked && tstzrange(\(range.start)::timestamptz, \(range.end)::timestamptz, '[)')
      AND booking_id IS DISTINCT FROM \(except)::uuid
    """
  }

  private static func ranges(_ rows: PostgresResult) throws -> [TimeRange] {
    try rows.map { TimeRange(start: try $0.decode(0), end: try $0.decode(1)) }
  }

  /// Writes what may change of bookings, all in one statement.
  package func update(_ bookings: [Booking], in transaction: PostgresTransaction) async throws {
    guard !bookings.isEmpty else { return }
    let bookings = bookings.sorted { $0.id < $1.id }
    try await transaction.query(
      """
      UPDATE bookings.booking SET professional_id = new.professional, starts_at = new.starts, ends_at = new.ends,
        status = new.status, reasons = new.reasons, alternatives = new.alternatives, last_change = new.change,
        last_command = new.command, attendance_confirmed_at = new.attendance, version = version + 1, updated_at = now()
      FROM unnest(\(bookings.map(\.id))::uuid[], \(bookings.map(\.professional))::uuid[], \(bookings.map(\.startsAt))::timestamptz[],
        \(bookings.map(\.endsAt))::timestamptz[], \(bookings.map(\.status.rawValue))::text[],
        \(try bookings.map { try StoredJSON.text($0.reasons) })::jsonb[], \(try bookings.map { try StoredJSON.text($0.alternatives) })::jsonb[],
        \(try bookings.map { try $0.lastChange.map { try StoredJSON.text($0) } })::jsonb[], \(bookings.map(\.lastCommand))::uuid[],
        \(bookings.map(\.attendanceConfirmedAt))::timestamptz[])
        AS new (id, professional, starts, ends, status, reasons, alternatives, change, command, attendance)
      WHERE booking.id = new.id
      """)
  }

  private static func booking(_ row: PostgresRow) throws -> Booking {
    guard let status = Booking.Status(rawValue: try row.decode(8)) else {
      throw InvalidCatalog(reason: "a booking's status is unknown to this program")
    }
    return Booking(
      id: try row.decode(0), business: try row.decode(1), service: try row.decode(2), professional: try row.decode(3),
      customer: Customer(name: try row.decode(4), phone: try row.decode(5)), startsAt: try row.decode(6),
      endsAt: try row.decodeIfPresent(7), status: status,
      reasons: try StoredJSON.value(try row.decode(9, as: String.self)),
      alternatives: try StoredJSON.value(try row.decode(10, as: String.self)), fingerprint: try row.decode(11),
      lastChange: try row.decodeIfPresent(12, as: String.self).map { try StoredJSON.value($0) },
      lastCommand: try row.decode(13),
      attendanceConfirmedAt: try row.decodeIfPresent(14))
  }
}
