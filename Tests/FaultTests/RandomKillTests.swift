import Foundation
import Glibc
import Postgres
import Synchronization
import TestPlatform
import TestServers
import Testing

/// Twenty kills at times and on processes drawn from a seed, while customers book; nothing may be lost, doubled, or appear from nowhere.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct RandomKillTests {
  @Test(arguments: [UInt64(2_026)])
  func `twenty random kills under load`(seed: UInt64) async throws {
    try await Platform.with { platform in
      var random = SeededRandom(seed: seed)
      let ingest = Mutex(try await platform.startIngest())
      var workers = [try await platform.startWorker(), try await platform.startWorker()]
      let load = Load(platform) { ingest.withLock { $0.address } }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for customer in 0..<4 { group.addTask { try await load.customer(customer) } }
        for _ in 0..<20 {
          // Let a drawn number of bookings pass: the schedule follows the work, not the clock.
          try await load.waitForAnswers(more: Int.random(in: 3...15, using: &random))
          let victim = Int.random(in: 0..<5, using: &random)
          if victim == 4 {
            ingest.withLock { $0.process }.send(SIGKILL)
            let fresh = try await platform.startIngest()
            ingest.withLock { $0 = fresh }
          } else {
            workers[victim % 2].send(SIGKILL)
            workers[victim % 2] = try await platform.startWorker()
          }
        }
        load.stop()
        try await group.waitForAll()
      }
      try await platform.waitUntilQuiet(within: .seconds(60))
      let (accepted, unanswered) = load.result
      let accounting = try await Accounting.count(platform, accepted: accepted, unanswered: unanswered)
      print("seed \(seed): 20 kills, \(accepted.count) accepted, \(unanswered) unanswered: \(accounting)")
      #expect(accounting.isClean, "\(accounting)")
      #expect(accepted.count > 50)
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
    }
  }
}

/// Customers who book one slot after the other; every third slot is wanted by two of them.
private final class Load: Sendable {
  private struct State {
    var accepted = Set<UUID>()
    var unanswered = 0
    var answers = 0
    var isStopped = false
  }

  private let platform: Platform
  private let address: @Sendable () -> String
  private let state = Mutex(State())

  init(_ platform: Platform, _ address: @escaping @Sendable () -> String) {
    self.platform = platform
    self.address = address
  }

  var result: (accepted: Set<UUID>, unanswered: Int) { state.withLock { ($0.accepted, $0.unanswered) } }

  func stop() { state.withLock { $0.isStopped = true } }

  func waitForAnswers(more: Int) async throws {
    let goal = state.withLock { $0.answers } + more
    try await eventually(within: .seconds(60), "\(more) more customers are answered") {
      self.state.withLock { $0.answers } >= goal
    }
  }

  func customer(_ number: Int) async throws {
    var index = 0
    while !state.withLock({ $0.isStopped }) {
      let slot = index.isMultiple(of: 3) ? index : index * 4 + number
      let address = address()
      let answer = try await platform.book(slot % 14_000, at: address)
      if answer?.status == 0 {  // ingest is down: go on when there is a new one
        try await eventually(within: .seconds(60), "ingest is back") {
          self.address() != address || self.state.withLock { $0.isStopped }
        }
        continue
      }
      state.withLock { state in
        switch answer {
        case (202, let booking?)?:
          state.accepted.insert(booking)
          state.answers += 1
        case (503, _)?: break
        default: state.unanswered += 1
        }
      }
      index += 1
    }
  }
}
