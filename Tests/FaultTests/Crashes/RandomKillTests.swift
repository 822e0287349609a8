import Foundation
import Glibc
import Postgres
import Synchronization
import TestPlatform
import TestServers
import Testing
import WhatsAppSandbox

/// Twenty kills of random processes at random times, by a seed, while customers book: nothing may be lost, duplicated
/// or unexpected.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct RandomKillTests {
  @Test(arguments: [UInt64(2_026)])
  func `twenty random kills under load`(seed: UInt64) async throws {
    var setup = Platform.Setup()
    setup.inDoubtSeconds = 3
    setup.rate = "1000/s"
    setup.sandbox = .quick
    setup.sandbox?.seed = seed
    setup.sandbox?.faults = [
      "4%:refuse:131000", "2%:cut-before", "3%:cut-after", "2%:refuse:131047", "2%:fail-later:131026",
    ]
    .compactMap { SandboxFault($0) }
    try await Platform.with(setup) { platform in
      var random = SeededRandom(seed: seed)
      let ingest = Mutex(try await platform.startIngest())
      var workers = [try await platform.startWorker(), try await platform.startWorker()]
      let load = BookingLoad(platform) { ingest.withLock { $0.address } }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for customer in 0..<4 { group.addTask { try await load.customer(customer) } }
        for _ in 0..<20 {
          // The schedule follows the number of bookings, not the clock.
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
      try await platform.waitUntilMessagesSettle(within: .seconds(180))
      try await platform.waitUntilIdle(within: .seconds(180))
      let (accepted, inDoubt) = load.result
      let reconciliation = try await BookingReconciliation.count(platform, accepted: accepted, inDoubt: inDoubt)
      let messages = try await MessageReconciliation.count(platform)
      print(
        "seed \(seed): 20 kills, \(accepted.count) accepted, \(inDoubt.count) unanswered: \(reconciliation); messages: \(messages)"
      )
      #expect(messages.isClean, "\(messages)")
      #expect(reconciliation.isClean, "\(reconciliation)")
      #expect(accepted.count > 50)
      let dead = try await platform.deadLetters()
      #expect(dead.isEmpty)
    }
  }
}
