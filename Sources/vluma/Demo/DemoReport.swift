import Foundation
import Postgres

/// The end of the demo: waits until all four parties have heard everything, and prints what each of them has.
struct DemoReport {
  let tally: DemoTally
  let books: DemoBooks
  let phones: DemoPhones?

  /// How long messages in doubt, late reports and counts may take to arrive.
  private static let patience = Duration.seconds(150)

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
      "SELECT count(*) FROM scheduling.claim WHERE business_id = \(books.business)")[0].decode(0)
    let refusals = tally.refused.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }.joined(separator: ", ")
    Swift.print(
      """
      \(tally.requests) requests: \(tally.acceptedCount) bookings accepted, \(tally.repeats) repeats found theirs, refused: \(refusals)
      told to come again: \(tally.unclear); claims held: \(claims) for \(tally.ends["confirmed"] ?? 0) confirmed bookings
      """)
    var complaints = tally.complaints
    if claims != tally.ends["confirmed"] ?? 0 { complaints.append("claims and confirmed bookings differ") }
    if phones != nil, try await !books.isClosed() { complaints.append("some messages have no known end") }
    complaints += lines.filter { !$0.agrees }.map { "they disagree about: \($0.what)" }
    for complaint in complaints { Swift.print("WRONG: \(complaint)") }
    Swift.print(
      complaints.isEmpty
        ? "All agree: every accepted request and every message is accounted for."
        : "\(complaints.count) promises were broken.")
    return complaints.isEmpty
  }

  /// The lines, once they agree and have stayed the same for a while; or as they are when patience is over.
  private func settledLines() async throws -> [DemoBooks.Line] {
    let end = ContinuousClock.now + Self.patience
    var last: [DemoBooks.Line] = []
    while true {
      let lines = try await books.lines(tally, try await phones?.messages())
      var isClosed = phones == nil
      if !isClosed { isClosed = try await books.isClosed() }
      if isClosed && lines.allSatisfy(\.agrees) && lines == last || .now > end { return lines }
      last = lines
      if !isClosed { try await phones?.write("Obrigado!") }
      try await Task.sleep(for: .seconds(1))
    }
  }
}
