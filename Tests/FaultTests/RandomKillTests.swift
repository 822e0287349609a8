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
