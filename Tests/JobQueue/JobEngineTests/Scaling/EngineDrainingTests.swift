import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// How a node stops: what runs is finished, what has not begun is requeued.
@Suite(.timeLimit(.minutes(1)))
struct EngineDrainingTests {
  private func gatedWorker(_ gates: JobGates) -> EchoWorker.Body {
    { job, context in
      try await gates.enter(job.name)
      return try await EchoWorker.simple(job, context)
    }
  }

  private let one = WorkerCounts(min: 1, start: 1, max: 1)

  @Test func `a draining node finishes what runs and gives back what has not begun`() async throws {
    let platform = EnginePlatform(workers: one)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { node async throws in
      let jobs = try await platform.enqueue("a", "b", "c")
      try await eventually("one runs and another is in hand") {
        gates.running == ["a"] && platform.broker.unsettledCount(in: echoJobs) == 2
      }
      await node.beginShutdown()
      try await eventually("what has not begun is requeued") {
        platform.broker.queued(in: echoJobs) == [jobs[1], jobs[2]]
      }
      // Nothing new is taken.
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

  @Test func `what still runs when the grace time is over is interrupted and given back untouched`() async throws {
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

  @Test func `a job that was requeued is done by the next node`() async throws {
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

  @Test func `a failing job's retry is still kept while the node drains`() async throws {
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

  @Test func `follow-ups of the last jobs are enqueued and their outbox rows deleted before the end`() async throws {
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

  @Test func `a node says that it is queued, then that it is draining, and gives its lease up`() async throws {
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
      try await eventually("it says so") { node.processor.notReadyReason == "draining" }
      try await eventually("the lease is given up") { try await platform.directory.overview().nodes.isEmpty }
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
