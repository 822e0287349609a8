import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// How a node drains: running jobs finish, jobs that have not started are requeued.
@Suite(.timeLimit(.minutes(1)))
struct EngineDrainingTests {
  private func gatedWorker(_ gates: JobGates) -> EchoWorker.Body {
    { job, context in
      try await gates.enter(job.name)
      return try await EchoWorker.simple(job, context)
    }
  }

  private let one = WorkerCounts(min: 1, start: 1, max: 1)

  @Test func `a draining node finishes running jobs and requeues those that have not started`() async throws {
    let platform = EnginePlatform(workers: one)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { node async throws in
      let jobs = try await platform.enqueue("a", "b", "c")
      try await eventually("one runs and another is prefetched") {
        gates.running == ["a"] && platform.broker.unsettledCount(in: echoJobs) == 2
      }
      await node.beginShutdown()
      try await eventually("the prefetched job is requeued") {
        platform.broker.queued(in: echoJobs) == [jobs[1], jobs[2]]
      }
      // No new job is fetched.
      try await platform.enqueue("d")
      #expect(platform.broker.unsettledCount(in: echoJobs) == 1)
      gates.releaseAll()
      try await node.drained()
      #expect(platform.store.effects == ["a"])
      #expect(platform.broker.acknowledged == [jobs[0].jobRun])
      #expect(platform.broker.queued(in: echoJobs).count == 3)
      #expect(platform.broker.retries.isEmpty)
      #expect(platform.store.starts(of: jobs[1].jobRun).isEmpty)
      #expect(gates.began == ["a"])
    }
  }

  @Test func `a job that still runs when the grace time is over is interrupted and requeued untouched`() async throws {
    let platform = EnginePlatform(workers: one, maxAttempts: 1)
    let never = Gate()
    let running = Gate()
    try await platform.withNode(
      grace: .milliseconds(200),
      echoJobs: { job, context in
        try await context.complete { transaction, _ in
          transaction.record(job.name)
          running.open()
          try await never.wait()
          return .completed
        }
      }
    ) { node async throws in
      let job = try await platform.enqueue("a")[0]
      try await running.wait()
      await node.beginShutdown()
      try await node.drained()
      #expect(platform.broker.queued(in: echoJobs) == [job])
      #expect(platform.broker.unsettledCount(in: echoJobs) == 0)
      #expect(platform.store.effects.isEmpty)
      #expect(platform.store.receipt(of: job.jobRun) == nil)
      #expect(platform.broker.retries.isEmpty)
      #expect(try await platform.deadLetterIndex.letters(DeadLetterFilter()).isEmpty)
    }
  }

  @Test func `a requeued job is completed by the next node`() async throws {
    let platform = EnginePlatform(workers: one)
    let gates = JobGates()
    try await platform.withNode("old", grace: .milliseconds(100), echoJobs: gatedWorker(gates)) { node async throws in
      try await platform.enqueue("a", "b")
      try await eventually("one runs") { gates.running == ["a"] }
      await node.beginShutdown()
      try await node.drained()
    }
    try await platform.withNode("new", echoJobs: EchoWorker.simple) { _ async throws in
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["a", "b"])
    }
  }

  @Test func `a failing job's retry is enqueued while the node drains`() async throws {
    let platform = EnginePlatform(workers: one)
    let gates = JobGates()
    try await platform.withNode(
      echoJobs: { job, _ in
        try await gates.enter(job.name)
        throw TransientError()
      }
    ) { node async throws in
      try await platform.enqueue("a")
      try await eventually("it runs") { gates.running == ["a"] }
      await node.beginShutdown()
      gates.releaseAll()
      try await node.drained()
      #expect(platform.broker.retries.map(\.envelope.attempt) == [2])
      #expect(platform.broker.isEmpty(echoJobs))
    }
  }

  @Test func `follow-up jobs of the last jobs are enqueued and their outbox rows deleted before the node stops`()
    async throws
  {
    let platform = EnginePlatform(workers: one)
    let gates = JobGates()
    try await platform.withNode(
      pools: [echoJobs],
      registering: {
        $0.register(
          EchoWorker { job, context in
            try await gates.enter(job.name)
            return try await context.complete { _, followUps in
              try followUps.enqueue(FollowUpJob(name: "b"), from: context.info)
              return .completed
            }
          })
      }
    ) { node async throws in
      try await platform.enqueue("a")
      try await eventually("it runs") { gates.running == ["a"] }
      await node.beginShutdown()
      gates.releaseAll()
      try await node.drained()
      #expect(platform.broker.queued(in: followUpJobs).count == 1)
      #expect(platform.store.outbox.isEmpty)
    }
  }

  @Test func `a node reports that it is ready, then that it is draining, and releases its lease`() async throws {
    let platform = EnginePlatform(workers: one)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { node async throws in
      try await platform.enqueue("a")
      try await eventually("it runs") { gates.running == ["a"] }
      #expect(node.processor.notReadyReason == nil)
      platform.broker.isReady = false
      #expect(node.processor.notReadyReason?.contains("broker") == true)
      platform.broker.isReady = true
      #expect(try await platform.directory.overview().nodes.map(\.id) == ["node"])
      await node.beginShutdown()
      try await eventually("it reports that it is draining") { node.processor.notReadyReason == "draining" }
      try await eventually("the lease is released") { try await platform.directory.overview().nodes.isEmpty }
      gates.releaseAll()
      try await node.drained()
      #expect(try await platform.directory.overview().nodes.isEmpty)
    }
  }

  @Test func `an idle node stops at once`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { node async throws in
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      let took = try await duration {
        await node.beginShutdown()
        try await node.drained()
      }
      #expect(took < .seconds(5))
    }
  }
}
