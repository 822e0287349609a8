import Foundation
import Postgres

/// The day's figures, four ways: what the customers know, what the database holds, what WhatsApp saw, and what the
/// reports counted. Where two of them know of the same thing, they must agree.
struct DemoReconciliation: Sendable {
  /// One line: nil where a party knows nothing of it.
  struct Line: Sendable, Equatable {
    let what: String
    var customers: Int?
    var database: Int?
    var whatsApp: Int?
    var reports: Int?

    var agrees: Bool { Set([customers, database, whatsApp, reports].compactMap { $0 }).count <= 1 }
  }

  let business: UUID
  let pool: PostgresConnectionPool

  /// Every line of the day.
  func lines(_ results: DemoResults, _ phones: [DemoWhatsAppClient.Message]?) async throws -> [Line] {
    let counted = try await reports()
    let bookings = try await bookingLines(results, counted)
    guard let phones else { return bookings }
    return bookings + (try await messageLines(phones, counted))
  }

  /// True where nothing of this business is on its way any more.
  func isSettled() async throws -> Bool {
    let open: Int = try await pool.query(
      """
      SELECT (SELECT count(*) FROM messaging.message WHERE business_id = \(business)
                AND state IN ('prepared', 'sending', 'in_doubt'))
        + (SELECT count(*) FROM jobs.outbox WHERE (envelope ->> 'tenant')::uuid = \(business))
      """)[0].decode(0)
    return open == 0
  }

  private func bookingLines(_ results: DemoResults, _ counted: [String: Int]) async throws -> [Line] {
    var customers = results.ends.filter { $0.key.hasPrefix("rejected") }
    customers["confirmed"] = results.confirmedCount
    customers["cancelled"] = results.ends["cancelled"] ?? 0
    customers["rescheduled"] = results.movedCount
    customers["attendance_confirmed"] = results.attendanceCount
    let stored = try await counts(
      """
      SELECT type || CASE WHEN type = 'rejected' THEN ': ' || detail ELSE '' END, count(*)
      FROM bookings.booking_event JOIN bookings.booking ON booking.id = booking_event.booking_id
      WHERE business_id = \(business) AND type <> 'validating' GROUP BY 1
      """)
    var reported: [String: Int] = [:]
    for (name, count) in counted where name.hasPrefix("booking.") {
      reported[String(name.dropFirst(8)).replacing("|", with: ": ")] = count
    }
    return Set(customers.filter { $0.value > 0 }.keys).union(stored.keys).union(reported.keys).sorted().map { what in
      Line(
        what: "booking \(what.replacing("_", with: " "))", customers: customers[what] ?? 0, database: stored[what] ?? 0,
        reports: reported[what] ?? 0)
    }
  }

  private func messageLines(_ phones: [DemoWhatsAppClient.Message], _ counted: [String: Int]) async throws -> [Line] {
    let states = try await counts(
      "SELECT state, count(*) FROM messaging.message WHERE business_id = \(business) GROUP BY 1")
    let intents = try await counts(
      """
      SELECT notification, count(*) FROM messaging.message AS message WHERE business_id = \(business)
        AND NOT EXISTS (SELECT FROM messaging.message AS first WHERE first.id = message.cause_id) GROUP BY 1
      """)
    let confirmed: Int = try await pool.query(
      """
      SELECT count(DISTINCT booking_id) FROM bookings.booking_event JOIN bookings.booking
        ON booking.id = booking_event.booking_id WHERE business_id = \(business) AND type = 'confirmed'
      """)[0].decode(0)
    let reports = try await counts(
      """
      SELECT report.status, count(*) FROM messaging.status_report AS report
      JOIN messaging.message ON message.id::text = report.callback WHERE business_id = \(business) GROUP BY 1
      """)
    let byCallback = Dictionary(grouping: phones, by: { $0.callback ?? "" })
    let accepted = byCallback.values.filter { $0.contains(where: \.accepted) }
    // One that was refused for the moment, and then had nothing to say any more, was not refused for good.
    let overtaken = try await pool.query(
      "SELECT id::text FROM messaging.message WHERE business_id = \(business) AND state IN ('superseded', 'expired')"
    ).map { try $0.decode(0, as: String.self) }
    let refused = byCallback.filter { callback, tries in
      !tries.contains(where: \.accepted) && tries.last?.code != nil && !overtaken.contains(callback)
    }
    let statuses = Dictionary(
      phones.flatMap { message in Set(message.statuses).map { ($0, 1) } }, uniquingKeysWith: +)
    var lines = [
      Line(
        what: "confirmation intents", customers: confirmed, database: intents["confirmed"] ?? 0,
        reports: counted["message.prepared|confirmed"] ?? 0),
      Line(
        what: "message accepted", database: states["accepted"] ?? 0, whatsApp: accepted.count,
        reports: counted.total("message.accepted")),
      Line(
        what: "message accepted twice", database: 0, whatsApp: accepted.filter { $0.filter(\.accepted).count > 1 }.count
      ),
      Line(
        what: "message refused for good", database: states["refused"] ?? 0, whatsApp: refused.count,
        reports: counted["message.not_sent|refused"] ?? 0),
    ]
    for state in ["superseded", "expired", "unknown"]
    where states[state] != nil || counted["message.not_sent|\(state)"] != nil {
      lines.append(
        Line(
          what: "message \(state), not sent", database: states[state] ?? 0,
          reports: counted["message.not_sent|\(state)"] ?? 0))
    }
    for status in ["sent", "delivered", "read", "failed"] {
      lines.append(
        Line(
          what: "report: \(status)", database: reports[status] ?? 0, whatsApp: statuses[status] ?? 0,
          reports: counted["message.status|\(status)"] ?? 0))
    }
    return lines
  }

  /// The business' own counts, `metric` or `metric|detail`, over all days.
  private func reports() async throws -> [String: Int] {
    try await counts(
      """
      SELECT metric || CASE WHEN detail = '' THEN '' ELSE '|' || detail END, sum(count)::bigint
      FROM reports.rollup_day WHERE business_id = \(business) GROUP BY 1
      """)
  }

  private func counts(_ query: PostgresQuery) async throws -> [String: Int] {
    var counts: [String: Int] = [:]
    for row in try await pool.query(query) { counts[try row.decode(0)] = try row.decode(1, as: Int.self) }
    return counts
  }
}

extension [String: Int] {
  /// All counts of a metric, whatever their details.
  fileprivate func total(_ metric: String) -> Int {
    filter { $0.key == metric || $0.key.hasPrefix(metric + "|") }.values.reduce(0, +)
  }
}
