import JobConfiguration
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// Consumers that live and get nothing.
@Suite(.timeLimit(.minutes(1)))
struct EngineFlowTests {
  @Test func `a flow that brings nothing though jobs wait is rebuilt, and the node is not ready meanwhile`()
    async throws
  {
    let platform = EnginePlatform()
    try await platform.withNode(silence: .milliseconds(300), errands: ErrandWorker.simple) { node async throws in
      try await platform.enqueue("before")
      try await platform.eventuallyIdle()
      try await eventually("the node is ready") { node.processor.unreadiness == nil }
      platform.broker.stall(errands)
      try await platform.enqueue("a", "b")
      try await eventually("the node is not ready") { node.processor.unreadiness != nil }
      #expect(node.processor.unreadiness == "pool errands is not consuming")
      try await platform.eventuallyIdle()
      #expect(platform.broker.restarts(of: errands) >= 1)
      #expect(platform.ledger.effects.sorted() == ["a", "b", "before"])
      try await eventually("the node is ready again") { node.processor.unreadiness == nil }
    }
  }

  @Test func `a flow without jobs, or with full hands, is left alone`() async throws {
    let platform = EnginePlatform(workers: WorkerCounts(min: 1, start: 1, max: 1))
    let stage = Stage()
    try await platform.withNode(
      silence: .milliseconds(50),
      errands: { job, context in
        try await stage.enter(job.name)
        return try await ErrandWorker.simple(job, context)
      }
    ) { node async throws in
      try await platform.enqueue("a", "b", "c", "d")
      try await eventually("two are in hand") { platform.broker.unsettledCount(in: errands) == 2 }
      // Ten times the silence that would be too long for a flow with room.
      let looks = ContinuousClock.now + .milliseconds(500)
      try await eventually("some time has passed") { .now > looks }
      #expect(platform.broker.restarts(of: errands) == 0)
      stage.releaseAll()
      try await platform.eventuallyIdle()
      let end = ContinuousClock.now + .milliseconds(500)
      try await eventually("some more time has passed") { .now > end }
      #expect(platform.broker.restarts(of: errands) == 0)
      #expect(node.processor.unreadiness == nil)
    }
  }
}
