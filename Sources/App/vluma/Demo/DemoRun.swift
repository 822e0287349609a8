import Foundation
import Glibc

/// Sends the scenario's requests, and what customers do about their bookings afterwards.
struct DemoRun {
  /// What goes wrong during the demo.
  struct Disturbance: Sendable {
    /// Killed when half of the requests are answered; nil: no process.
    let killPid: Int32?
    /// The path of a file that is created when three quarters are answered; nil: none.
    let milestone: String?
  }

  private typealias Answer = (status: Int, id: UUID?, unanswered: Int)

  let client: DemoClient
  /// Nil: messages are not looked at.
  let phones: DemoWhatsAppClient?
  let concurrency: Int
  let delay: Duration
  let disturbance: Disturbance
  private(set) var results = DemoResults()

  init(
    client: DemoClient, phones: DemoWhatsAppClient?, concurrency: Int, delay: Duration, disturbance: Disturbance
  ) {
    self.client = client
    self.phones = phones
    self.concurrency = concurrency
    self.delay = delay
    self.disturbance = disturbance
  }

  mutating func play(_ scenario: DemoScenario) async throws {
    try await sendRequests(scenario)
    print(
      "All requests are answered: \(results.requests) requests, \(results.acceptedCount) bookings accepted. Waiting for their final states."
    )
    try await waitForFinalStatus()
    print("Some customers cancel or reschedule.")
    try await cancelAndReschedule()
    try await waitForFinalStatus()
    if let phones {
      print("Others press a button of the message they got: they confirm, or they cancel.")
      try await pressButtons(phones)
      try await waitForFinalStatus()
    }
    results.verify()
  }

  private mutating func sendRequests(_ scenario: DemoScenario) async throws {
    let total = scenario.bookingRequests.count
    var remaining = scenario.bookingRequests[...]
    var answered = 0
    var lastLine = ContinuousClock.now
    let (client, delay) = (client, delay)
    try await withThrowingTaskGroup(of: (DemoScenario.BookingRequest, [Answer]).self) { group in
      func startNext() {
        guard let request = remaining.popFirst() else { return }
        group.addTask {
          var answers: [Answer] = []
          for _ in 0...request.repeats {
            answers.append(try await client.post(request.body, key: request.idempotencyKey))
          }
          try await Task.sleep(for: delay)
          return (request, answers)
        }
      }
      for _ in 0..<concurrency { startNext() }
      while let (request, answers) = try await group.next() {
        results.record(request, answers)
        answered += 1
        disturb(answered: answered, of: total)
        if lastLine + .seconds(1) < .now {
          print(
            "  \(answered) of \(total) customers answered, \(results.acceptedCount) accepted, \(results.unanswered) requests sent again"
          )
          fflush(nil)
          lastLine = .now
        }
        startNext()
      }
    }
  }

  private func disturb(answered: Int, of total: Int) {
    if answered == total / 2, let pid = disturbance.killPid {
      print("  a worker process is killed (SIGKILL to \(pid))")
      kill(pid, SIGKILL)
    }
    if answered == total * 3 / 4, let milestone = disturbance.milestone {
      _ = FileManager.default.createFile(atPath: milestone, contents: nil)
    }
  }

  /// Polls all accepted bookings until each has its final status, or ``DemoClient/retryTimeout`` has passed.
  private mutating func waitForFinalStatus() async throws {
    let end = ContinuousClock.now + DemoClient.retryTimeout
    var open = Array(results.accepted.keys)
    while !open.isEmpty, .now < end {
      for (id, view) in await fetchViews(open) { results.recordFinal(id, view) }
      open = open.filter { id in
        guard let booking = results.accepted[id], let view = booking.final else { return true }
        if booking.isCancelled { return view.status != "cancelled" }
        if booking.isMoved { return view.lastChange == nil }
        if booking.pressedButton == .confirm { return view.customerConfirmedAt == nil }
        return !["confirmed", "rejected", "cancelled"].contains(view.status)
      }
      if !open.isEmpty { try await Task.sleep(for: .milliseconds(300)) }
    }
  }

  private func fetchViews(_ ids: [UUID]) async -> [UUID: DemoClient.View?] {
    let client = client
    var views: [UUID: DemoClient.View?] = [:]
    for chunk in stride(from: 0, to: ids.count, by: 16).map({ ids[$0..<min($0 + 16, ids.count)] }) {
      await withTaskGroup(of: (UUID, DemoClient.View?).self) { group in
        for id in chunk { group.addTask { (id, await client.view(id)) } }
        for await (id, view) in group { views[id] = .some(view) }
      }
    }
    return views
  }

  private mutating func cancelAndReschedule() async throws {
    for booking in results.accepted.values where booking.final?.status == "confirmed" {
      if booking.request.willCancel {
        results.recordCancellation(booking.id, status: try await client.cancel(booking.id))
      } else if let startsAt = booking.request.rescheduledTo {
        results.recordReschedule(booking.id, status: try await client.move(booking.id, to: startsAt))
      }
    }
  }

  /// Presses the buttons of confirming messages once these are delivered. A message may never arrive (WhatsApp refuses
  /// some for good): then nothing is pressed.
  private mutating func pressButtons(_ phones: DemoWhatsAppClient) async throws {
    let wanted = results.accepted.values.filter { $0.request.press != nil && $0.final?.status == "confirmed" }
    var remaining = Dictionary(uniqueKeysWithValues: wanted.map { ($0.id, $0.request.press ?? .confirm) })
    let end = ContinuousClock.now + .seconds(20)
    while !remaining.isEmpty, .now < end {
      for message in try await phones.messages() where message.accepted && message.statuses.contains("delivered") {
        for payload in message.payloads {
          let parts = payload.split(separator: ":")
          guard parts.count == 2, let booking = UUID(uuidString: String(parts[1])),
            remaining[booking] == (parts[0] == "confirm" ? .confirm : .cancel),
            let press = remaining.removeValue(forKey: booking)
          else { continue }
          try await phones.press(payload, of: message)
          results.recordButtonPress(booking, press)
        }
      }
      if !remaining.isEmpty { try await Task.sleep(for: .milliseconds(500)) }
    }
    if !remaining.isEmpty { print("  \(remaining.count) customers got no message with a button") }
  }
}
