import JobConfiguration
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// How many jobs run at a time, over all nodes, and how operators change that.
@Suite(.timeLimit(.minutes(1)))
struct EngineScalingTests {
  /// Errands that stop on a stage.
  private func staged(_ stage: Stage) -> ErrandWorker.Body {
    { job, context in
      try await stage.enter(job.name)
      return try await ErrandWorker.simple(job, context)
    }
  }

  private func platform(start: Int, max: Int = 10) -> EnginePlatform {
    EnginePlatform(workers: WorkerCounts(min: 1, start: start, max: max))
  }

  private func enqueueMany(_ count: Int, _ platform: EnginePlatform) async throws {
    let jobs = try (0..<count).map { try JobCodec.envelope(for: Errand(name: "\($0)"), tenant: nil) }
    try await platform.enqueue(jobs)
  }

  /// Waits until every live node has reported these shares of the errands' pool, in order of the nodes' ids.
  private func eventuallyShared(_ shares: [Int], _ platform: EnginePlatform) async throws {
    try await eventually("the shares are \(shares)") {
      try await platform.directory.overview().nodes.map { $0.pools[errands.rawValue]?.share ?? -1 } == shares
    }
  }

  @Test func `a pool runs as many jobs as its configuration says, and no more`() async throws {
    let platform = platform(start: 3)
    let stage = Stage()
    try await platform.withNode(errands: staged(stage)) { _ async throws in
      try await enqueueMany(20, platform)
      try await eventually("three run") { stage.running.count == 3 }
      // One after the other: had a fourth begun at any time, the stage would have counted it.
      for turn in 0..<5 {
        stage.release(stage.running[0])
        try await eventually("another one has begun") { stage.began.count == 4 + turn && stage.running.count == 3 }
      }
      stage.releaseAll()
      try await platform.eventuallyIdle()
      #expect(stage.most == 3)
      #expect(platform.ledger.effects.count == 20)
    }
  }

  @Test func `growing takes effect while jobs run, up to the maximum`() async throws {
    let platform = platform(start: 2, max: 6)
    let stage = Stage()
    try await platform.withNode(errands: staged(stage)) { _ async throws in
      try await enqueueMany(20, platform)
      try await eventually("two run") { stage.running.count == 2 }
      _ = try await platform.directory.change(errands, by: "test") { $0.size = 5 }
      try await eventually("five run") { stage.running.count == 5 }
      _ = try await platform.directory.change(errands, by: "test") { $0.size = 1_000 }
      try await eventuallyShared([6], platform)
      try await eventually("six run") { stage.running.count == 6 }
      stage.releaseAll()
      try await platform.eventuallyIdle()
      #expect(stage.most == 6)
    }
  }

  @Test func `shrinking drains: what runs goes on, and nothing new begins before enough has ended`() async throws {
    let platform = platform(start: 5)
    let stage = Stage()
    try await platform.withNode(errands: staged(stage)) { _ async throws in
      try await enqueueMany(20, platform)
      try await eventually("five run") { stage.running.count == 5 }
      _ = try await platform.directory.change(errands, by: "test") { $0.size = 1 }
      try await eventuallyShared([1], platform)
      let running = stage.running
      #expect(running.count == 5)
      for name in running.dropLast() { stage.release(name) }
      try await eventually("four are done") { platform.ledger.effects.count == 4 }
      #expect(stage.running == [running[4]])
      #expect(stage.began.count == 5)
      stage.release(running[4])
      try await eventually("the next one has begun") { stage.began.count == 6 }
      #expect(stage.running.count == 1)
      stage.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.ledger.effects.count == 20)
    }
  }

  @Test func `a paused pool begins nothing, and goes on when it is resumed`() async throws {
    let platform = platform(start: 2)
    let stage = Stage()
    try await platform.withNode(errands: staged(stage)) { _ async throws in
      try await platform.enqueue("running")
      try await eventually("one runs") { stage.running == ["running"] }
      _ = try await platform.directory.change(errands, by: "test") { $0.isPaused = true }
      try await eventuallyShared([0], platform)
      stage.releaseAll()
      try await eventually("what ran has ended") { platform.ledger.effects == ["running"] }
      try await platform.enqueue("waiting")
      // It is not even taken: the broker keeps it.
      try await eventually("the node has looked again") {
        try await platform.directory.overview().nodes.first?.pools[errands.rawValue]?.inHand == 0
      }
      #expect(platform.broker.ready(in: errands).count == 1)
      #expect(platform.broker.unsettledCount(in: errands) == 0)
      #expect(stage.began == ["running"])
      _ = try await platform.directory.change(errands, by: "test") { $0.isPaused = false }
      try await platform.eventuallyIdle()
      #expect(platform.ledger.effects == ["running", "waiting"])
    }
  }

  @Test func `a setting that was made before the start holds from the start`() async throws {
    let platform = platform(start: 5)
    let stage = Stage()
    _ = try await platform.directory.change(errands, by: "test") { $0.size = 2 }
    try await platform.withNode(errands: staged(stage)) { _ async throws in
      try await enqueueMany(8, platform)
      try await eventually("two run") { stage.running.count == 2 }
      stage.releaseAll()
      try await platform.eventuallyIdle()
      #expect(stage.most == 2)
    }
  }

  @Test func `while the directory is away the sizes stay as they are`() async throws {
    let platform = platform(start: 2)
    let stage = Stage()
    try await platform.withNode(errands: staged(stage)) { _ async throws in
      try await enqueueMany(6, platform)
      try await eventually("two run") { stage.running.count == 2 }
      platform.directory.isAvailable = false
      for done in 1...4 {
        stage.release(stage.running[0])
        try await eventually("\(done) are done and two run") {
          platform.ledger.effects.count == done && stage.running.count == 2
        }
      }
      stage.releaseAll()
      try await platform.eventuallyIdle()
      #expect(stage.most == 2)
    }
  }

  @Test func `nodes share a pool's size, and the rest takes over when one leaves`() async throws {
    let platform = platform(start: 5)
    let (first, second) = (Stage(), Stage())
    try await platform.withNode("a", errands: staged(first)) { _ async throws in
      try await eventuallyShared([5], platform)
      try await platform.withNode("b", errands: staged(second)) { leaving async throws in
        // Five among two: the first in order takes what is left over.
        try await eventuallyShared([3, 2], platform)
        try await enqueueMany(30, platform)
        try await eventually("five run") { first.running.count == 3 && second.running.count == 2 }
        await leaving.beginShutdown()
        // At once, not when the last job of the leaving node has ended.
        try await eventually("the other one takes over") { first.running.count == 5 }
        #expect(second.running.count == 2)
        second.releaseAll()
        try await leaving.drained()
        try await eventuallyShared([5], platform)
      }
      first.releaseAll()
      try await platform.eventuallyIdle()
      #expect(first.most == 5)
      #expect(second.most == 2)
      #expect(platform.ledger.effects.count == 30)
    }
  }

  @Test func `a node runs the pools it was told to, and takes no jobs of others`() async throws {
    let platform = platform(start: 2)
    try await platform.withNode(
      pools: [errands],
      registering: {
        $0.register(ErrandWorker(ErrandWorker.simple))
        $0.register(SequelWorker())
      }
    ) { _ async throws in
      try await platform.enqueue([try JobCodec.envelope(for: Sequel(name: "b"), tenant: nil)], to: .pool(sequels))
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      let pools = try await platform.directory.overview().nodes.flatMap(\.pools.keys)
      #expect(pools == [errands.rawValue])
      #expect(platform.broker.ready(in: sequels).count == 1)
      #expect(platform.ledger.effects == ["a"])
    }
  }
}
