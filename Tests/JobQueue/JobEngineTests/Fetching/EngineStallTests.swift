import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Consumers that are alive and get no deliveries.
@Suite(.timeLimit(.minutes(1)))
struct EngineStallTests {
  @Test func `a consumer that gets nothing while jobs are ready is restarted, and the node is not ready meanwhile`()
    async throws
  {
    let platform = EnginePlatform()
    try await platform.withNode(stallTimeout: .milliseconds(300), echoJobs: EchoWorker.simple) { node async throws in
      try await platform.enqueue("before")
      try await platform.eventuallyIdle()
      try await eventually("the node is ready") { node.processor.notReadyReason == nil }
      platform.broker.stall(echoJobs)
      try await platform.enqueue("a", "b")
      try await eventually("the node is not ready") { node.processor.notReadyReason != nil }
      #expect(node.processor.notReadyReason == "pool echoJobs is not consuming")
      try await platform.eventuallyIdle()
      #expect(platform.broker.restarts(of: echoJobs) >= 1)
      #expect(platform.store.effects.sorted() == ["a", "b", "before"])
      try await eventually("the node is ready again") { node.processor.notReadyReason == nil }
    }
  }

  @Test func `a consumer without jobs, or with a full buffer, is not restarted`() async throws {
    let platform = EnginePlatform(workers: WorkerCounts(min: 1, start: 1, max: 1))
    let gates = JobGates()
    try await platform.withNode(
      stallTimeout: .milliseconds(50),
      echoJobs: { job, context in
        try await gates.enter(job.name)
        return try await EchoWorker.simple(job, context)
      }
    ) { node async throws in
      try await platform.enqueue("a", "b", "c", "d")
      try await eventually("two are delivered") { platform.broker.unsettledCount(in: echoJobs) == 2 }
      // Ten times the stall timeout.
      let busyUntil = ContinuousClock.now + .milliseconds(500)
      try await eventually("some time has passed") { .now > busyUntil }
      #expect(platform.broker.restarts(of: echoJobs) == 0)
      gates.releaseAll()
      try await platform.eventuallyIdle()
      let idleUntil = ContinuousClock.now + .milliseconds(500)
      try await eventually("some more time has passed") { .now > idleUntil }
      #expect(platform.broker.restarts(of: echoJobs) == 0)
      #expect(node.processor.notReadyReason == nil)
    }
  }
}
