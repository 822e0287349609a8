import JobConfiguration
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// How a node stops: what runs is finished, what has not begun is given back.
@Suite(.timeLimit(.minutes(1)))
struct EngineDrainingTests {
  private func staged(_ stage: Stage) -> ErrandWorker.Body {
    { job, context in
      try await stage.enter(job.name)
      return try await ErrandWorker.simple(job, context)
    }
  }

  private let one = WorkerCounts(min: 1, start: 1, max: 1)

  @Test func `a draining node finishes what runs and gives back what has not begun`() async throws {
    let platform = EnginePlatform(workers: one)
    let stage = Stage()
    try await platform.withNode(errands: staged(stage)) { node async throws in
      let jobs = try await platform.enqueue("a", "b", "c")
      try await eventually("one runs and another is in hand") {
        stage.running == ["a"] && platform.broker.unsettledCount(in: errands) == 2
      }
      await node.beginShutdown()
      try await eventually("what has not begun is given back") {
        platform.broker.ready(in: errands) == [jobs[1], jobs[2]]
      }
      // Nothing new is taken.
      try await platform.enqueue("d")
      #expect(platform.broker.unsettledCount(in: errands) == 1)
      stage.releaseAll()
      try await node.drained()
      #expect(platform.ledger.effects == ["a"])
      #expect(platform.broker.acknowledged == [jobs[0].jobRun])
      #expect(platform.broker.ready(in: errands).count == 3)
      #expect(platform.broker.retries.isEmpty)
      #expect(platform.ledger.starts(of: jobs[1].jobRun).isEmpty)
      #expect(stage.began == ["a"])
    }
  }

  @Test func `what still runs when the grace time is over is interrupted and given back untouched`() async throws {
    let platform = EnginePlatform(workers: one, maxAttempts: 1)
    let never = Gate()
    let running = Gate()
    try await platform.withNode(
      grace: .milliseconds(200),
      errands: { job, context in
        try await context.close { transaction, _ in
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
      #expect(platform.broker.ready(in: errands) == [job])
      #expect(platform.broker.unsettledCount(in: errands) == 0)
      #expect(platform.ledger.effects.isEmpty)
      #expect(platform.ledger.receipt(of: job.jobRun) == nil)
      #expect(platform.broker.retries.isEmpty)
      #expect(try await platform.letters.letters(DeadLetterFilter()).isEmpty)
    }
  }

  @Test func `a job that was given back is done by the next node`() async throws {
    let platform = EnginePlatform(workers: one)
    let stage = Stage()
    try await platform.withNode("old", grace: .milliseconds(100), errands: staged(stage)) { node async throws in
      try await platform.enqueue("a", "b")
      try await eventually("one runs") { stage.running == ["a"] }
      await node.beginShutdown()
      try await node.drained()
    }
    try await platform.withNode("new", errands: ErrandWorker.simple) { _ async throws in
      try await platform.eventuallyIdle()
      #expect(platform.ledger.effects == ["a", "b"])
    }
  }

  @Test func `a failing job's retry is still kept while the node drains`() async throws {
    let platform = EnginePlatform(workers: one)
    let stage = Stage()
    try await platform.withNode(
      errands: { job, _ in
        try await stage.enter(job.name)
        throw Mishap()
      }
    ) { node async throws in
      try await platform.enqueue("a")
      try await eventually("it runs") { stage.running == ["a"] }
      await node.beginShutdown()
      stage.releaseAll()
      try await node.drained()
      #expect(platform.broker.retries.map(\.envelope.attempt) == [2])
      #expect(platform.broker.isEmpty(errands))
    }
  }

  @Test func `follow-ups of the last jobs are enqueued and their outbox rows deleted before the end`() async throws {
    let platform = EnginePlatform(workers: one)
    let stage = Stage()
    try await platform.withNode(
      pools: [errands],
      registering: {
        $0.register(
          ErrandWorker { job, context in
            try await stage.enter(job.name)
            return try await context.close { _, followUps in
              try followUps.enqueue(Sequel(name: "b"), from: context.info)
              return .completed
            }
          })
      }
    ) { node async throws in
      try await platform.enqueue("a")
      try await eventually("it runs") { stage.running == ["a"] }
      await node.beginShutdown()
      stage.releaseAll()
      try await node.drained()
      #expect(platform.broker.ready(in: sequels).count == 1)
      #expect(platform.ledger.outbox.isEmpty)
    }
  }

  @Test func `a node says that it is ready, then that it is draining, and gives its lease up`() async throws {
    let platform = EnginePlatform(workers: one)
    let stage = Stage()
    try await platform.withNode(errands: staged(stage)) { node async throws in
      try await platform.enqueue("a")
      try await eventually("it runs") { stage.running == ["a"] }
      #expect(node.processor.unreadiness == nil)
      platform.broker.isReady = false
      #expect(node.processor.unreadiness?.contains("broker") == true)
      platform.broker.isReady = true
      #expect(try await platform.directory.overview().nodes.map(\.id) == ["node"])
      await node.beginShutdown()
      try await eventually("it says so") { node.processor.unreadiness == "draining" }
      try await eventually("the lease is given up") { try await platform.directory.overview().nodes.isEmpty }
      stage.releaseAll()
      try await node.drained()
      #expect(try await platform.directory.overview().nodes.isEmpty)
    }
  }

  @Test func `an idle node stops at once`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(errands: ErrandWorker.simple) { node async throws in
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
