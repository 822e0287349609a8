internal import BookingCalendar
package import Foundation
package import Postgres

/// Bookings, and the claims that prevent double bookings.
package struct BookingStore: Sendable {
  package init() {}

  private static let columns = """
    id, business_id, service_id, professional_id, customer_name, customer_phone, starts_at, ends_at, status,
    reasons::text AS reasons, alternatives::text AS alternatives, fingerprint, last_change::text AS last_change,
    last_command, attendance_confirmed_at
    """

  /// Stores new bookings in one statement; bookings whose id exists already do not change.
  ///
  /// - Returns: for each id that existed before, the stored fingerprint.
  package func insert(_ bookings: [Booking], in transaction: PostgresTransaction) async throws -> [UUID: String] {
    // In a fixed order, so that two batches with the same bookings do not deadlock.
    let bookings = bookings.sorted { $0.id < $1.id }
    let results = try await transaction.run([
      """
      INSERT INTO bookings.booking (id, business_id, service_id, professional_id, customer_name, customer_phone,
        starts_at, ends_at, status, reasons, alternatives, fingerprint, last_command)
      SELECT * FROM unnest(\(bookings.map(\.id))::uuid[], \(bookings.map(\.business))::uuid[],
        \(bookings.map(\.service))::uuid[], \(bookings.map(\.professional))::uuid[],
        \(bookings.map(\.customer.name))::text[], \(bookings.map(\.customer.phone))::text[],
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

  package func find(
    _ id: UUID, of business: UUID, in pool: PostgresConnectionPool, deadline: ContinuousClock.Instant
  ) async throws -> Booking? {
    let rows = try await pool.query(
      "SELECT \(unsafe: Self.columns) FROM bookings.booking WHERE id = \(id) AND business_id = \(business)",
      deadline: deadline)
    return try rows.first.map { try Self.booking($0) }
  }

  /// Writes all columns that may change, for all bookings in one statement.
  package func update(_ bookings: [Booking], in transaction: PostgresTransaction) async throws {
    guard !bookings.isEmpty else { return }
    let bookings = bookings.sorted { $0.id < $1.id }
    try await transaction.query(
      """
      UPDATE bookings.booking SET professional_id = new.professional, starts_at = new.starts, ends_at = new.ends,
        status = new.status, reasons = new.reasons, alternatives = new.alternatives, last_change = new.change,
        last_command = new.command, attendance_confirmed_at = new.attendance, version = version + 1, updated_at = now()
      FROM unnest(\(bookings.map(\.id))::uuid[], \(bookings.map(\.professional))::uuid[],
        \(bookings.map(\.startsAt))::timestamptz[], \(bookings.map(\.endsAt))::timestamptz[],
        \(bookings.map(\.status.rawValue))::text[], \(try bookings.map { try StoredJSON.text($0.reasons) })::jsonb[],
        \(try bookings.map { try StoredJSON.text($0.alternatives) })::jsonb[],
        \(try bookings.map { try $0.lastChange.map { try StoredJSON.text($0) } })::jsonb[],
        \(bookings.map(\.lastCommand))::uuid[], \(bookings.map(\.attendanceConfirmedAt))::timestamptz[])
        AS new (id, professional, starts, ends, status, reasons, alternatives, change, command, attendance)
      WHERE booking.id = new.id
      """)
  }

  private static func booking(_ row: PostgresRow) throws -> Booking {
    Booking(
      id: try row.decode("id"), business: try row.decode("business_id"), service: try row.decode("service_id"),
      professional: try row.decode("professional_id"),
      customer: Customer(name: try row.decode("customer_name"), phone: try row.decode("customer_phone")),
      startsAt: try row.decode("starts_at"), endsAt: try row.decodeIfPresent("ends_at"),
      status: try row.decode("status"),
      reasons: try StoredJSON.value(try row.decode("reasons", as: String.self)),
      alternatives: try StoredJSON.value(try row.decode("alternatives", as: String.self)),
      fingerprint: try row.decode("fingerprint"),
      lastChange: try row.decodeIfPresent("last_change", as: String.self).map { try StoredJSON.value($0) },
      lastCommand: try row.decode("last_command"),
      attendanceConfirmedAt: try row.decodeIfPresent("attendance_confirmed_at"))
  }
}
