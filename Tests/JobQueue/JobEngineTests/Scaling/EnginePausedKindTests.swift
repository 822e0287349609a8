import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Kinds of job that an operator has paused.
@Suite(.timeLimit(.minutes(1)))
struct EnginePausedKindTests {
  private func pause(_ kinds: Set<JobKind>, _ platform: EnginePlatform) async throws {
    _ = try await platform.directory.change(echoJobs, by: "test") { $0.pausedKinds = kinds }
  }

  @Test func `jobs of a paused kind are put aside, and done when it is resumed`() async throws {
    let platform = EnginePlatform()
    try await pause([EchoJob.kind], platform)
    try await platform.withNode(echoJobs: EchoWorker.simple) { node async throws in
      try await eventually("the node is queued") { node.processor.notReadyReason == nil }
      let jobs = try await platform.enqueue("a", "b")
      try await eventually("both are parked") { platform.store.scheduledJobs.filter(\.isParked).count == 2 }
      #expect(platform.broker.isEmpty(echoJobs))
      #expect(platform.store.effects.isEmpty)
      #expect(platform.store.receipt(of: jobs[0].jobRun) == nil)
      try await pause([], platform)
      try await eventually("both are done") { platform.store.effects.sorted() == ["a", "b"] }
      #expect(platform.store.scheduledJobs.isEmpty)
    }
  }

  @Test func `a paused kind of another pool, and one that is unknown, change nothing here`() async throws {
    let platform = EnginePlatform()
    _ = try await platform.directory.change(followUpJobs, by: "test") {
      $0.pausedKinds = [EchoJob.kind, "test.unheard"]
    }
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("it is done") { platform.store.effects == ["a"] }
    }
  }

  @Test func `what was parked while all nodes were down is done by the first that starts`() async throws {
    let platform = EnginePlatform()
    let job = try JobCodec.envelope(for: EchoJob(name: "a"), tenant: nil)
    try await platform.store.park(job, pool: echoJobs)
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      try await eventually("it is done") { platform.store.effects == ["a"] }
    }
  }

  @Test func `while the store is away a resumed kind's jobs wait, and come when it is back`() async throws {
    let platform = EnginePlatform()
    try await pause([EchoJob.kind], platform)
    try await platform.withNode(echoJobs: EchoWorker.simple) { node async throws in
      try await eventually("the node is queued") { node.processor.notReadyReason == nil }
      try await platform.enqueue("a")
      try await eventually("it is parked") { platform.store.scheduledJobs.count == 1 }
      platform.store.fail(next: .unpark, with: .unavailable("gone"), times: 2)
      try await pause([], platform)
      try await eventually("it is done") { platform.store.effects == ["a"] }
    }
  }
}
