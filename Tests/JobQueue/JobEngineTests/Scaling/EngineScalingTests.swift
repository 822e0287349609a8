import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// How many jobs run at a time, over all nodes, and how operators change that.
@Suite(.timeLimit(.minutes(1)))
struct EngineScalingTests {
  /// Errands that stop at a gate.
  private func gatedWorker(_ gates: JobGates) -> EchoWorker.Body {
    { job, context in
      try await gates.enter(job.name)
      return try await EchoWorker.simple(job, context)
    }
  }

  private func platform(start: Int, max: Int = 10) -> EnginePlatform {
    EnginePlatform(workers: WorkerCounts(min: 1, start: start, max: max))
  }

  private func enqueueMany(_ count: Int, _ platform: EnginePlatform) async throws {
    let jobs = try (0..<count).map { try JobCodec.envelope(for: EchoJob(name: "\($0)"), tenant: nil) }
    try await platform.enqueue(jobs)
  }

  /// Waits until every live node has reported these shares of the echoJobs' pool, in order of the nodes' ids.
  private func eventuallyShared(_ shares: [Int], _ platform: EnginePlatform) async throws {
    try await eventually("the shares are \(shares)") {
      try await platform.directory.overview().nodes.map { $0.pools[echoJobs.rawValue]?.localConcurrency ?? -1 }
        == shares
    }
  }

  @Test func `a pool runs as many jobs as its configuration says, and no more`() async throws {
    let platform = platform(start: 3)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { _ async throws in
      try await enqueueMany(20, platform)
      try await eventually("three run") { gates.running.count == 3 }
      // One after the other: had a fourth begun at any time, the gates would have counted it.
      for turn in 0..<5 {
        gates.release(gates.running[0])
        try await eventually("another one has begun") { gates.began.count == 4 + turn && gates.running.count == 3 }
      }
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(gates.most == 3)
      #expect(platform.store.effects.count == 20)
    }
  }

  @Test func `growing takes effect while jobs run, up to the maximum`() async throws {
    let platform = platform(start: 2, max: 6)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { _ async throws in
      try await enqueueMany(20, platform)
      try await eventually("two run") { gates.running.count == 2 }
      _ = try await platform.directory.change(echoJobs, by: "test") { $0.size = 5 }
      try await eventually("five run") { gates.running.count == 5 }
      _ = try await platform.directory.change(echoJobs, by: "test") { $0.size = 1_000 }
      try await eventuallyShared([6], platform)
      try await eventually("six run") { gates.running.count == 6 }
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(gates.most == 6)
    }
  }

  @Test func `shrinking drains: what runs goes on, and nothing new begins before enough has ended`() async throws {
    let platform = platform(start: 5)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { _ async throws in
      try await enqueueMany(20, platform)
      try await eventually("five run") { gates.running.count == 5 }
      _ = try await platform.directory.change(echoJobs, by: "test") { $0.size = 1 }
      try await eventuallyShared([1], platform)
      let running = gates.running
      #expect(running.count == 5)
      for name in running.dropLast() { gates.release(name) }
      try await eventually("four are done") { platform.store.effects.count == 4 }
      #expect(gates.running == [running[4]])
      #expect(gates.began.count == 5)
      gates.release(running[4])
      try await eventually("the next one has begun") { gates.began.count == 6 }
      #expect(gates.running.count == 1)
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.store.effects.count == 20)
    }
  }

  @Test func `a paused pool begins nothing, and goes on when it is resumed`() async throws {
    let platform = platform(start: 2)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { _ async throws in
      try await platform.enqueue("running")
      try await eventually("one runs") { gates.running == ["running"] }
      _ = try await platform.directory.change(echoJobs, by: "test") { $0.isPaused = true }
      try await eventuallyShared([0], platform)
      gates.releaseAll()
      try await eventually("what ran has ended") { platform.store.effects == ["running"] }
      try await platform.enqueue("waiting")
      // It is not even taken: the broker keeps it.
      try await eventually("the node has looked again") {
        try await platform.directory.overview().nodes.first?.pools[echoJobs.rawValue]?.running == 0
      }
      #expect(platform.broker.queued(in: echoJobs).count == 1)
      #expect(platform.broker.unsettledCount(in: echoJobs) == 0)
      #expect(gates.began == ["running"])
      _ = try await platform.directory.change(echoJobs, by: "test") { $0.isPaused = false }
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["running", "waiting"])
    }
  }

  @Test func `a setting that was made before the start holds from the start`() async throws {
    let platform = platform(start: 5)
    let gates = JobGates()
    _ = try await platform.directory.change(echoJobs, by: "test") { $0.size = 2 }
    try await platform.withNode(echoJobs: gatedWorker(gates)) { _ async throws in
      try await enqueueMany(8, platform)
      try await eventually("two run") { gates.running.count == 2 }
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(gates.most == 2)
    }
  }

  @Test func `while the directory is away the sizes stay as they are`() async throws {
    let platform = platform(start: 2)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { _ async throws in
      try await enqueueMany(6, platform)
      try await eventually("two run") { gates.running.count == 2 }
      platform.directory.isAvailable = false
      for done in 1...4 {
        gates.release(gates.running[0])
        try await eventually("\(done) are done and two run") {
          platform.store.effects.count == done && gates.running.count == 2
        }
      }
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(gates.most == 2)
    }
  }

  @Test func `nodes split a pool's size, and the rest takes over when one leaves`() async throws {
    let platform = platform(start: 5)
    let (first, second) = (JobGates(), JobGates())
    try await platform.withNode("a", echoJobs: gatedWorker(first)) { _ async throws in
      try await eventuallyShared([5], platform)
      try await platform.withNode("b", echoJobs: gatedWorker(second)) { leaving async throws in
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
      #expect(platform.store.effects.count == 30)
    }
  }

  @Test func `a node runs the pools it was told to, and takes no jobs of others`() async throws {
    let platform = platform(start: 2)
    try await platform.withNode(
      pools: [echoJobs],
      registering: {
        $0.register(EchoWorker(EchoWorker.simple))
        $0.register(FollowUpWorker())
      }
    ) { _ async throws in
      try await platform.enqueue(
        [try JobCodec.envelope(for: FollowUpJob(name: "b"), tenant: nil)], to: .pool(followUpJobs))
      try await platform.enqueue("a")
      try await platform.eventuallyIdle()
      let pools = try await platform.directory.overview().nodes.flatMap(\.pools.keys)
      #expect(pools == [echoJobs.rawValue])
      #expect(platform.broker.queued(in: followUpJobs).count == 1)
      #expect(platform.store.effects == ["a"])
    }
  }
}
