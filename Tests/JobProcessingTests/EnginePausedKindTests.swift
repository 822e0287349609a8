import Foundation
import JobConfiguration
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// Kinds of job that an operator has paused.
@Suite(.timeLimit(.minutes(1)))
struct EnginePausedKindTests {
  private func pause(_ kinds: Set<JobKind>, _ platform: EnginePlatform) async throws {
    _ = try await platform.directory.change(errands, by: "test") { $0.pausedKinds = kinds }
  }

  @Test func `jobs of a paused kind are put aside, and done when it is resumed`() async throws {
    let platform = EnginePlatform()
    try await pause([Errand.kind], platform)
    try await platform.withNode(errands: ErrandWorker.simple) { node async throws in
      try await eventually("the node is ready") { node.processor.unreadiness == nil }
      let jobs = try await platform.enqueue("a", "b")
      try await eventually("both are parked") { platform.ledger.delayedJobs.filter(\.isParked).count == 2 }
      #expect(platform.broker.isEmpty(errands))
      #expect(platform.ledger.effects.isEmpty)
      #expect(platform.ledger.receipt(of: jobs[0].jobRun) == nil)
      try await pause([], platform)
      try await eventually("both are done") { platform.ledger.effects.sorted() == ["a", "b"] }
      #expect(platform.ledger.delayedJobs.isEmpty)
    }
  }

  @Test func `a paused kind of another pool, and one that is unknown, change nothing here`() async throws {
    let platform = EnginePlatform()
    _ = try await platform.directory.change(sequels, by: "test") { $0.pausedKinds = [Errand.kind, "test.unheard"] }
    try await platform.withNode(errands: ErrandWorker.simple) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("it is done") { platform.ledger.effects == ["a"] }
    }
  }

  @Test func `what was parked while all nodes were down is done by the first that starts`() async throws {
    let platform = EnginePlatform()
    let job = try JobCodec.envelope(for: Errand(name: "a"), tenant: nil)
    try await platform.ledger.park(job, pool: errands)
    try await platform.withNode(errands: ErrandWorker.simple) { _ async throws in
      try await eventually("it is done") { platform.ledger.effects == ["a"] }
    }
  }

  @Test func `while the ledger is away a resumed kind's jobs wait, and come when it is back`() async throws {
    let platform = EnginePlatform()
    try await pause([Errand.kind], platform)
    try await platform.withNode(errands: ErrandWorker.simple) { node async throws in
      try await eventually("the node is ready") { node.processor.unreadiness == nil }
      try await platform.enqueue("a")
      try await eventually("it is parked") { platform.ledger.delayedJobs.count == 1 }
      platform.ledger.fail(next: .unpark, with: .unavailable("gone"), times: 2)
      try await pause([], platform)
      try await eventually("it is done") { platform.ledger.effects == ["a"] }
    }
  }
}
