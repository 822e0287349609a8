import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Jobs whose kind an operator has paused.
@Suite(.timeLimit(.minutes(1)))
struct EnginePausedKindTests {
  private func pause(_ kinds: Set<JobKind>, _ platform: EnginePlatform) async throws {
    _ = try await platform.directory.change(echoJobs, by: "test") { $0.pausedKinds = kinds }
  }

  @Test func `jobs of a paused kind are parked, and completed when it is resumed`() async throws {
    let platform = EnginePlatform()
    try await pause([EchoJob.kind], platform)
    try await platform.withNode(echoJobs: EchoWorker.simple) { node async throws in
      try await eventually("the node is ready") { node.processor.notReadyReason == nil }
      let jobs = try await platform.enqueue("a", "b")
      try await eventually("both are parked") { platform.store.scheduledJobs.filter(\.isParked).count == 2 }
      #expect(platform.broker.isEmpty(echoJobs))
      #expect(platform.store.effects.isEmpty)
      #expect(platform.store.receipt(of: jobs[0].jobRun) == nil)
      try await pause([], platform)
      try await eventually("both are completed") { platform.store.effects.sorted() == ["a", "b"] }
      #expect(platform.store.scheduledJobs.isEmpty)
    }
  }

  @Test func `pausing a kind in another pool, or an unknown kind, has no effect on this pool`() async throws {
    let platform = EnginePlatform()
    _ = try await platform.directory.change(followUpJobs, by: "test") {
      $0.pausedKinds = [EchoJob.kind, "test.unheard"]
    }
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("it is completed") { platform.store.effects == ["a"] }
    }
  }

  @Test func `a job parked before any node runs is completed by the first that starts`() async throws {
    let platform = EnginePlatform()
    let job = try JobCodec.envelope(for: EchoJob(name: "a"), tenant: nil)
    try await platform.store.park(job, pool: echoJobs)
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      try await eventually("it is completed") { platform.store.effects == ["a"] }
    }
  }

  @Test func `while the store is unavailable a resumed kind's jobs stay parked, and are completed afterwards`()
    async throws
  {
    let platform = EnginePlatform()
    try await pause([EchoJob.kind], platform)
    try await platform.withNode(echoJobs: EchoWorker.simple) { node async throws in
      try await eventually("the node is ready") { node.processor.notReadyReason == nil }
      try await platform.enqueue("a")
      try await eventually("it is parked") { platform.store.scheduledJobs.count == 1 }
      platform.store.fail(next: .unpark, with: .unavailable("gone"), times: 2)
      try await pause([], platform)
      try await eventually("it is completed") { platform.store.effects == ["a"] }
    }
  }
}
