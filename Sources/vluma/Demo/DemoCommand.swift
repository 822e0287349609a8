import ArgumentParser
import Foundation
import Glibc
import Postgres
import Stores

struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play a clinic's customers against a running platform, and account for every request that was accepted.",
    discussion:
      "Makes a business of its own in the database. Exit status 0 only if every 202 ended as promised and the database agrees."
  )

  @Option(help: "Where ingest listens.")
  var url = "http://127.0.0.1:8080"
  @Option(help: "The order of requests follows from it.")
  var seed: UInt64 = 1
  @Option(help: "Kill this worker process when half of the requests are sent.")
  var killPid: Int32?
  @Option(help: "Customers at a time.")
  var concurrency = 16
  @Option(help: "Pause of each customer between requests, in milliseconds: makes the demo long enough to watch.")
  var pause = 250

  func run() async throws {
    let composition = try Composition()
    let pool = try composition.pool()
    let business = try DemoBusiness()
    try await business.load(pool)
    let scenario = DemoScenario(business, now: Date(), seed: seed)
    let client = DemoClient(base: url, business: business.id)
    print(
      "A clinic in São Paulo with \(business.professionals.count) professionals opens its books; \(scenario.asks.count) customers come."
    )
    var tally = try await ask(scenario, client)
    print(
      "Everybody was answered: \(tally.requests) requests, \(tally.acceptedCount) bookings accepted. Waiting for their ends."
    )
    try await settle(&tally, client)
    print("Some customers change their minds: they cancel, or move to another time.")
    try await change(&tally, client)
    try await settle(&tally, client)
    tally.judge()
    let agrees = try await report(tally, business, pool)
    await pool.close()
    if !agrees { throw ExitCode.failure }
  }

  private func ask(_ scenario: DemoScenario, _ client: DemoClient) async throws -> DemoTally {
    var tally = DemoTally()
    var waiting = scenario.asks[...]
    var answered = 0
    var lastLine = ContinuousClock.now
    try await withThrowingTaskGroup(of: (DemoScenario.Ask, [(status: Int, id: UUID?, unclear: Int)]).self) { group in
      func startNext() {
        guard let ask = waiting.popFirst() else { return }
        group.addTask {
          var answers: [(status: Int, id: UUID?, unclear: Int)] = []
          for _ in 0...ask.repeats { answers.append(try await client.post(ask.body, key: ask.idempotencyKey)) }
          try await Task.sleep(for: .milliseconds(pause))
          return (ask, answers)
        }
      }
      for _ in 0..<concurrency { startNext() }
      while let (ask, answers) = try await group.next() {
        tally.note(ask, answers)
        answered += 1
        if answered == scenario.asks.count / 2, let killPid {
          print("  a worker process is killed (SIGKILL to \(killPid))")
          kill(killPid, SIGKILL)
        }
        if lastLine + .seconds(1) < .now {
          print(
            "  \(answered) of \(scenario.asks.count) customers answered, \(tally.acceptedCount) accepted, \(tally.unclear) told to come again"
          )
          fflush(nil)
          lastLine = .now
        }
        startNext()
      }
    }
    return tally
  }

  /// Looks at every accepted booking until it has an end, or patience is over.
  private func settle(_ tally: inout DemoTally, _ client: DemoClient) async throws {
    let end = ContinuousClock.now + DemoClient.patience
    var open = Array(tally.accepted.keys)
    while !open.isEmpty, .now < end {
      let views = await look(open, client)
      for (id, view) in views { tally.noteFinal(id, view) }
      open = open.filter { id in
        guard let booking = tally.accepted[id], let view = booking.final else { return true }
        if booking.isCancelled { return view.status != "cancelled" }
        if booking.isMoved { return view.last_change == nil }
        return !["confirmed", "rejected", "cancelled"].contains(view.status)
      }
      if !open.isEmpty { try await Task.sleep(for: .milliseconds(300)) }
    }
  }

  private func look(_ ids: [UUID], _ client: DemoClient) async -> [UUID: DemoClient.View?] {
    var views: [UUID: DemoClient.View?] = [:]
    for chunk in stride(from: 0, to: ids.count, by: 16).map({ ids[$0..<min($0 + 16, ids.count)] }) {
      await withTaskGroup(of: (UUID, DemoClient.View?).self) { group in
        for id in chunk { group.addTask { (id, await client.view(id)) } }
        for await (id, view) in group { views[id] = .some(view) }
      }
    }
    return views
  }

  private func change(_ tally: inout DemoTally, _ client: DemoClient) async throws {
    for booking in tally.accepted.values where booking.final?.status == "confirmed" {
      if booking.ask.isCancelledLater {
        tally.noteCancelled(booking.id, status: try await client.cancel(booking.id))
      } else if let startsAt = booking.ask.movesTo {
        tally.noteMoved(booking.id, status: try await client.move(booking.id, to: startsAt))
      }
    }
  }

  /// Prints the table: what the customers see beside what the database holds. True where they agree and no promise was
  /// broken.
  private func report(_ tally: DemoTally, _ business: DemoBusiness, _ pool: PostgresPool) async throws -> Bool {
    var stored: [String: Int] = [:]
    for row in try await pool.query(
      """
      SELECT status, (SELECT string_agg(reason, '+' ORDER BY reason) FROM jsonb_array_elements_text(reasons) AS reason), count(*)
      FROM scheduling.booking WHERE business_id = \(business.id) GROUP BY 1, 2
      """)
    {
      let (status, reasons) = (try row.decode(0, as: String.self), try row.decodeIfPresent(1, as: String.self))
      stored[status == "rejected" ? "rejected: \(reasons ?? "")" : status] = try row.decode(2)
    }
    let claims: Int = try await pool.query("SELECT count(*) FROM scheduling.claim WHERE business_id = \(business.id)")[
      0
    ].decode(0)
    let answered = tally.ends
    var table = TextTable(header: ["END OF AN ACCEPTED REQUEST", "CUSTOMERS SEE", "DATABASE HAS"])
    for end in Set(answered.keys).union(stored.keys).sorted() {
      table.add([end, "\(answered[end] ?? 0)", "\(stored[end] ?? 0)"])
    }
    table.add(["all", "\(tally.acceptedCount)", "\(stored.values.reduce(0, +))"])
    print("")
    print(table.lines().joined(separator: "\n"))
    let refusals = tally.refused.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }.joined(separator: ", ")
    print("")
    print(
      "\(tally.requests) requests: \(tally.acceptedCount) bookings accepted, \(tally.repeats) repeats found theirs, refused: \(refusals)"
    )
    print(
      "told to come again: \(tally.unclear); claims held: \(claims) for \(answered["confirmed"] ?? 0) confirmed bookings"
    )
    var complaints = tally.complaints
    if claims != answered["confirmed"] ?? 0 { complaints.append("claims and confirmed bookings differ") }
    // A request whose answer never came may have become a booking nobody was told of: only then may the database have
    // more.
    let extra = stored.values.reduce(0, +) - tally.acceptedCount
    let missing = answered.filter { stored[$0.key] ?? 0 < $0.value }
    if !missing.isEmpty || extra < 0 || (extra > 0 && tally.unclear == 0) {
      complaints.append("customers and database disagree")
    }
    for complaint in complaints { print("WRONG: \(complaint)") }
    print(complaints.isEmpty ? "Every accepted request is accounted for." : "\(complaints.count) promises were broken.")
    return complaints.isEmpty
  }
}
