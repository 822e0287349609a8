import Foundation
import Postgres

/// The end of the demo: waits until all four parties have heard everything, and prints what each of them has.
struct DemoReport {
  let results: DemoResults
  let books: DemoReconciliation
  let phones: DemoWhatsAppClient?

  /// How long messages in doubt, late reports and counts may take to arrive.
  private static let settleTimeout = Duration.seconds(150)

  /// Prints the table; true where all agree and no promise was broken.
  func print() async throws -> Bool {
    Swift.print("The day is over. Waiting for the last messages, reports and counts.")
    let lines = try await settledLines()
    var table = TextTable(
      header: phones == nil
        ? ["WHAT", "CUSTOMERS", "DATABASE", "REPORTS"] : ["WHAT", "CUSTOMERS", "DATABASE", "WHATSAPP", "REPORTS"])
    for line in lines {
      let cells =
        phones == nil
        ? [line.customers, line.database, line.reports] : [line.customers, line.database, line.whatsApp, line.reports]
      table.add([line.what] + cells.map { $0.map(String.init) ?? "" })
    }
    Swift.print("\n" + table.lines().joined(separator: "\n") + "\n")
    let claims: Int = try await books.pool.query(
      "SELECT count(*) FROM bookings.claim WHERE business_id = \(books.business)")[0].decode(0)
    let refusals = results.refused.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }.joined(separator: ", ")
    Swift.print(
      """
      \(results.requests) requests: \(results.acceptedCount) bookings accepted, \(results.repeats) repeats found theirs, refused: \(refusals)
      told to come again: \(results.unanswered); claims held: \(claims) for \(results.ends["confirmed"] ?? 0) confirmed bookings
      """)
    var violations = results.violations
    if claims != results.ends["confirmed"] ?? 0 { violations.append("claims and confirmed bookings differ") }
    if phones != nil, try await !books.isSettled() { violations.append("some messages have no known end") }
    violations += lines.filter { !$0.agrees }.map { "they disagree about: \($0.what)" }
    for violation in violations { Swift.print("WRONG: \(violation)") }
    Swift.print(
      violations.isEmpty
        ? "All agree: every accepted request and every message is accounted for."
        : "\(violations.count) promises were broken.")
    return violations.isEmpty
  }

  /// The lines, once they agree and have stayed the same for a while; or as they are when settleTimeout is over.
  private func settledLines() async throws -> [DemoReconciliation.Line] {
    let end = ContinuousClock.now + Self.settleTimeout
    var last: [DemoReconciliation.Line] = []
    while true {
      let lines = try await books.lines(results, try await phones?.messages())
      var isSettled = phones == nil
      if !isSettled { isSettled = try await books.isSettled() }
      if isSettled && lines.allSatisfy(\.agrees) && lines == last || .now > end { return lines }
      last = lines
      if !isSettled { try await phones?.write("Obrigado!") }
      try await Task.sleep(for: .seconds(1))
    }
  }
}
