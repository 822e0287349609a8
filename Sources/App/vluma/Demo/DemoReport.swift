import Foundation
import Postgres

/// Waits until customers, database, WhatsApp and reports agree, and prints the counts of each.
struct DemoReport {
  let results: DemoResults
  let reconciliation: DemoReconciliation
  let phones: DemoWhatsAppClient?

  /// How long messages in doubt, late status reports and counts may take.
  private static let settleTimeout = Duration.seconds(150)

  /// Prints the table. Returns true where all agree and nothing unexpected happened.
  func print() async throws -> Bool {
    Swift.print("All requests are sent. Waiting for the last messages, status reports and counts.")
    let lines = try await settledLines()
    var table = TextTable(
      header: phones == nil
        ? ["COUNT OF", "CUSTOMERS", "DATABASE", "REPORTS"]
        : ["COUNT OF", "CUSTOMERS", "DATABASE", "WHATSAPP", "REPORTS"])
    for line in lines {
      let cells =
        phones == nil
        ? [line.customers, line.database, line.reports] : [line.customers, line.database, line.whatsApp, line.reports]
      table.add([line.name] + cells.map { $0.map(String.init) ?? "" })
    }
    Swift.print("\n" + table.lines().joined(separator: "\n") + "\n")
    let claims: Int = try await reconciliation.pool.query(
      "SELECT count(*) FROM bookings.claim WHERE business_id = \(reconciliation.business)")[0].decode(0)
    let confirmed = results.finalStatuses["confirmed"] ?? 0
    let refusals = results.refused.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }.joined(separator: ", ")
    Swift.print(
      """
      \(results.requests) requests: \(results.acceptedCount) bookings accepted, \(results.repeats) repeats answered with the same booking, refused: \(refusals)
      answered 503 and sent again: \(results.unanswered); claims: \(claims) for \(confirmed) confirmed bookings
      """)
    var violations = results.violations
    if claims != confirmed { violations.append("claims and confirmed bookings differ") }
    if phones != nil, try await !reconciliation.isSettled() { violations.append("some messages have no final state") }
    violations += lines.filter { !$0.agrees }.map { "counts differ: \($0.name)" }
    for violation in violations { Swift.print("WRONG: \(violation)") }
    Swift.print(
      violations.isEmpty
        ? "All agree: every accepted request and every message is accounted for."
        : "\(violations.count) checks failed.")
    return violations.isEmpty
  }

  /// The lines once they agree and no longer change, or as they are after ``settleTimeout``.
  private func settledLines() async throws -> [DemoReconciliation.Line] {
    let end = ContinuousClock.now + Self.settleTimeout
    var last: [DemoReconciliation.Line] = []
    while true {
      let lines = try await reconciliation.lines(results, try await phones?.messages())
      var isSettled = phones == nil
      if !isSettled { isSettled = try await reconciliation.isSettled() }
      if isSettled && lines.allSatisfy(\.agrees) && lines == last || .now > end { return lines }
      last = lines
      if !isSettled { try await phones?.sendText("Obrigado!") }
      try await Task.sleep(for: .seconds(1))
    }
  }
}
