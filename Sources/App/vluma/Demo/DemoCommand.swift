import ArgumentParser
import Bookings
import Foundation
import Glibc
import Postgres

struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play a clinic's day against a running platform, and account for all of it.",
    discussion:
      "Makes a business of its own in the database. Exit status 0 only if every 202 ended as promised and the database agrees."
  )

  @Option(help: "Where ingest listens.")
  var url = "http://127.0.0.1:8080"
  @Option(help: "The order of requests follows from it.")
  var seed: UInt64 = 1
  @Option(help: "Where the stand-in for WhatsApp is (vluma sandbox); without it nobody looks at messages.")
  var sandbox: String?
  @Option(help: "Kill this worker process when half of the requests are sent.")
  var killPid: Int32?
  @Option(help: "Make this file when three quarters are sent: a sign for whoever wants to disturb the day then.")
  var milestone: String?
  @Option(help: "Customers at a time.")
  var concurrency = 16
  @Option(help: "Pause of each customer between requests, in milliseconds: makes the demo long enough to watch.")
  var pause = 250

  func run() async throws {
    let builder = try AppBuilder()
    let pool = try builder.pool()
    let business = try DemoBusiness()
    try await business.load(pool)
    let scenario = DemoScenario(business, now: Date(), seed: seed)
    let client = DemoClient(base: url, business: business.id)
    print(
      "A clinic in São Paulo with \(business.professionals.count) professionals opens its books; \(scenario.bookingRequests.count) customers come."
    )
    var results = try await ask(scenario, client)
    print(
      "Everybody was answered: \(results.requests) requests, \(results.acceptedCount) bookings accepted. Waiting for their ends."
    )
    try await waitForFinalStatus(&results, client)
    print("Some customers change their minds: they cancel, or move to another time.")
    try await change(&results, client)
    try await waitForFinalStatus(&results, client)
    let phones = sandbox.map { DemoWhatsAppClient(base: $0, number: business.phoneNumberID) }
    if let phones {
      print("Others answer the message they got: they will come, or they cancel.")
      try await answer(&results, phones)
      try await waitForFinalStatus(&results, client)
    }
    results.verify()
    let agrees = try await DemoReport(
      results: results, books: DemoReconciliation(business: business.id, pool: pool), phones: phones
    )
    .print()
    await pool.close()
    if !agrees { throw ExitCode.failure }
  }

  private func ask(_ scenario: DemoScenario, _ client: DemoClient) async throws -> DemoResults {
    var results = DemoResults()
    var waiting = scenario.bookingRequests[...]
    var answered = 0
    var lastLine = ContinuousClock.now
    try await withThrowingTaskGroup(of: (DemoScenario.BookingRequest, [(status: Int, id: UUID?, unanswered: Int)]).self)
    { group in
      func startNext() {
        guard let ask = waiting.popFirst() else { return }
        group.addTask {
          var answers: [(status: Int, id: UUID?, unanswered: Int)] = []
          for _ in 0...ask.repeats { answers.append(try await client.post(ask.body, key: ask.idempotencyKey)) }
          try await Task.sleep(for: .milliseconds(pause))
          return (ask, answers)
        }
      }
      for _ in 0..<concurrency { startNext() }
      while let (ask, answers) = try await group.next() {
        results.record(ask, answers)
        answered += 1
        if answered == scenario.bookingRequests.count / 2, let killPid {
          print("  a worker process is killed (SIGKILL to \(killPid))")
          kill(killPid, SIGKILL)
        }
        if answered == scenario.bookingRequests.count * 3 / 4, let milestone {
          _ = FileManager.default.createFile(atPath: milestone, contents: nil)
        }
        if lastLine + .seconds(1) < .now {
          print(
            "  \(answered) of \(scenario.bookingRequests.count) customers answered, \(results.acceptedCount) accepted, \(results.unanswered) told to come again"
          )
          fflush(nil)
          lastLine = .now
        }
        startNext()
      }
    }
    return results
  }

  /// Looks at every accepted booking until it has an end, or retryTimeout is over.
  private func waitForFinalStatus(_ results: inout DemoResults, _ client: DemoClient) async throws {
    let end = ContinuousClock.now + DemoClient.retryTimeout
    var open = Array(results.accepted.keys)
    while !open.isEmpty, .now < end {
      let views = await look(open, client)
      for (id, view) in views { results.recordFinal(id, view) }
      open = open.filter { id in
        guard let booking = results.accepted[id], let view = booking.final else { return true }
        if booking.isCancelled { return view.status != "cancelled" }
        if booking.isMoved { return view.last_change == nil }
        if booking.pressedButton == .confirm { return view.customer_confirmed_at == nil }
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

  private func change(_ results: inout DemoResults, _ client: DemoClient) async throws {
    let confirmed = results.accepted.values.filter { $0.final?.status == "confirmed" }
    for booking in confirmed {
      if booking.ask.willCancel {
        results.recordCancellation(booking.id, status: try await client.cancel(booking.id))
      } else if let startsAt = booking.ask.rescheduledTo {
        results.recordReschedule(booking.id, status: try await client.move(booking.id, to: startsAt))
      }
    }
  }

  /// Customers press the buttons of the messages that confirm their bookings, once those have arrived. A message may
  /// never arrive (WhatsApp refuses some for good): then nothing is pressed.
  private func answer(_ results: inout DemoResults, _ phones: DemoWhatsAppClient) async throws {
    let wanted = results.accepted.values.filter { $0.ask.press != nil && $0.final?.status == "confirmed" }
    var waiting = Dictionary(uniqueKeysWithValues: wanted.map { ($0.id, $0.ask.press ?? .confirm) })
    let end = ContinuousClock.now + .seconds(20)
    while !waiting.isEmpty, .now < end {
      for message in try await phones.messages() where message.accepted && message.statuses.contains("delivered") {
        for payload in message.payloads {
          let parts = payload.split(separator: ":")
          guard parts.count == 2, let booking = UUID(uuidString: String(parts[1])),
            waiting[booking] == (parts[0] == "confirm" ? .confirm : .cancel),
            let press = waiting.removeValue(forKey: booking)
          else { continue }
          try await phones.press(payload, of: message)
          results.recordButtonPress(booking, press)
        }
      }
      if !waiting.isEmpty { try await Task.sleep(for: .milliseconds(500)) }
    }
    if !waiting.isEmpty { print("  \(waiting.count) customers got no message to answer") }
  }
}
