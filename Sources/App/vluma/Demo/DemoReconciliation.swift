import Foundation
import Postgres

/// The counts of a demo from four sources: customers, database, WhatsApp and reports. Where several sources have a
/// count, they must agree.
struct DemoReconciliation: Sendable {
  /// One count; nil for sources that do not have it.
  struct Line: Sendable, Equatable {
    let name: String
    var customers: Int?
    var database: Int?
    var whatsApp: Int?
    var reports: Int?

    var agrees: Bool { Set([customers, database, whatsApp, reports].compactMap { $0 }).count <= 1 }
  }

  let business: UUID
  let pool: PostgresConnectionPool

  func lines(_ results: DemoResults, _ phones: [DemoWhatsAppClient.Message]?) async throws -> [Line] {
    let counted = try await reports()
    let bookings = try await bookingLines(results, counted)
    guard let phones else { return bookings }
    return bookings + (try await messageLines(phones, counted))
  }

  /// True where the business has no open messages and no jobs in the outbox.
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
    var customers = results.finalStatuses.filter { $0.key.hasPrefix("rejected") }
    customers["confirmed"] = results.confirmedCount
    customers["cancelled"] = results.finalStatuses["cancelled"] ?? 0
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
    return Set(customers.filter { $0.value > 0 }.keys).union(stored.keys).union(reported.keys).sorted().map { type in
      Line(
        name: "booking \(type.replacing("_", with: " "))", customers: customers[type] ?? 0, database: stored[type] ?? 0,
        reports: reported[type] ?? 0)
    }
  }

  private func messageLines(_ phones: [DemoWhatsAppClient.Message], _ counted: [String: Int]) async throws -> [Line] {
    let states = try await counts(
      "SELECT state, count(*) FROM messaging.message WHERE business_id = \(business) GROUP BY 1")
    var lines = [try await intentLine(counted)]
    lines += try await sendLines(states, phones, counted)
    for state in ["superseded", "expired", "unknown"]
    where states[state] != nil || counted["message.not_sent|\(state)"] != nil {
      lines.append(
        Line(
          name: "message \(state), not sent", database: states[state] ?? 0,
          reports: counted["message.not_sent|\(state)"] ?? 0))
    }
    return lines + (try await statusLines(phones, counted))
  }

  /// Each confirmed booking has one confirmation intent. A resend to the alternate number is not counted as an intent.
  private func intentLine(_ counted: [String: Int]) async throws -> Line {
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
    return Line(
      name: "confirmation intents", customers: confirmed, database: intents["confirmed"] ?? 0,
      reports: counted["message.prepared|confirmed"] ?? 0)
  }

  private func sendLines(
    _ states: [String: Int], _ phones: [DemoWhatsAppClient.Message], _ counted: [String: Int]
  ) async throws -> [Line] {
    let byCallback = Dictionary(grouping: phones, by: { $0.callback ?? "" })
    let accepted = byCallback.values.filter { $0.contains(where: \.accepted) }
    // A message that was refused temporarily and superseded or expired before its retry was not refused for good.
    let abandoned = try await pool.query(
      "SELECT id::text FROM messaging.message WHERE business_id = \(business) AND state IN ('superseded', 'expired')"
    ).map { try $0.decode(0, as: String.self) }
    let refused = byCallback.filter { callback, tries in
      !tries.contains(where: \.accepted) && tries.last?.code != nil && !abandoned.contains(callback)
    }
    return [
      Line(
        name: "message accepted", database: states["accepted"] ?? 0, whatsApp: accepted.count,
        reports: counted.total("message.accepted")),
      Line(
        name: "message accepted twice", database: 0, whatsApp: accepted.filter { $0.filter(\.accepted).count > 1 }.count
      ),
      Line(
        name: "message refused for good", database: states["refused"] ?? 0, whatsApp: refused.count,
        reports: counted["message.not_sent|refused"] ?? 0),
    ]
  }

  private func statusLines(_ phones: [DemoWhatsAppClient.Message], _ counted: [String: Int]) async throws -> [Line] {
    let stored = try await counts(
      """
      SELECT report.status, count(*) FROM messaging.status_report AS report
      JOIN messaging.message ON message.id::text = report.callback WHERE business_id = \(business) GROUP BY 1
      """)
    let sent = Dictionary(phones.flatMap { message in Set(message.statuses).map { ($0, 1) } }, uniquingKeysWith: +)
    return ["sent", "delivered", "read", "failed"].map { status in
      Line(
        name: "status \(status)", database: stored[status] ?? 0, whatsApp: sent[status] ?? 0,
        reports: counted["message.status|\(status)"] ?? 0)
    }
  }

  /// The business' counts over all days, by `metric` or `metric|detail`.
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
  /// The sum of a metric over all its details.
  fileprivate func total(_ metric: String) -> Int {
    filter { $0.key == metric || $0.key.hasPrefix(metric + "|") }.values.reduce(0, +)
  }
}
