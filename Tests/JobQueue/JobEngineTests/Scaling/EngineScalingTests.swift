import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// How many jobs run at a time over all nodes, and how operators change that.
@Suite(.timeLimit(.minutes(1)))
struct EngineScalingTests {
  /// Echo jobs that wait at a gate.
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

  /// Waits until every live node has reported this local concurrency of the echo jobs' pool, in order of the nodes'
  /// ids.
  private func eventuallyAllocated(_ sizes: [Int], _ platform: EnginePlatform) async throws {
    try await eventually("the local concurrency is \(sizes)") {
      try await platform.directory.overview().nodes.map { $0.pools[echoJobs.rawValue]?.localConcurrency ?? -1 }
        == sizes
    }
  }

  @Test func `a pool runs as many jobs as its configuration says, and no more`() async throws {
    let platform = platform(start: 3)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { _ async throws in
      try await enqueueMany(20, platform)
      try await eventually("three run") { gates.running.count == 3 }
      // One after the other: a fourth job that ran at any time would have been counted at the gates.
      for ended in 0..<5 {
        gates.release(gates.running[0])
        try await eventually("another one has started") { gates.began.count == 4 + ended && gates.running.count == 3 }
      }
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(gates.most == 3)
      #expect(platform.store.effects.count == 20)
    }
  }

  @Test func `a larger size takes effect while jobs run, up to the maximum`() async throws {
    let platform = platform(start: 2, max: 6)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { _ async throws in
      try await enqueueMany(20, platform)
      try await eventually("two run") { gates.running.count == 2 }
      _ = try await platform.directory.change(echoJobs, by: "test") { $0.size = 5 }
      try await eventually("five run") { gates.running.count == 5 }
      _ = try await platform.directory.change(echoJobs, by: "test") { $0.size = 1_000 }
      try await eventuallyAllocated([6], platform)
      try await eventually("six run") { gates.running.count == 6 }
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(gates.most == 6)
    }
  }

  @Test func `shrinking drains: running jobs finish, and none starts before enough have ended`() async throws {
    let platform = platform(start: 5)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { _ async throws in
      try await enqueueMany(20, platform)
      try await eventually("five run") { gates.running.count == 5 }
      _ = try await platform.directory.change(echoJobs, by: "test") { $0.size = 1 }
      try await eventuallyAllocated([1], platform)
      let running = gates.running
      #expect(running.count == 5)
      for name in running.dropLast() { gates.release(name) }
      try await eventually("four are completed") { platform.store.effects.count == 4 }
      #expect(gates.running == [running[4]])
      #expect(gates.began.count == 5)
      gates.release(running[4])
      try await eventually("the next one has started") { gates.began.count == 6 }
      #expect(gates.running.count == 1)
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.store.effects.count == 20)
    }
  }

  @Test func `a paused pool starts no jobs until it is resumed`() async throws {
    let platform = platform(start: 2)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { _ async throws in
      try await platform.enqueue("running")
      try await eventually("one runs") { gates.running == ["running"] }
      _ = try await platform.directory.change(echoJobs, by: "test") { $0.isPaused = true }
      try await eventuallyAllocated([0], platform)
      gates.releaseAll()
      try await eventually("the running job has ended") { platform.store.effects == ["running"] }
      try await platform.enqueue("waiting")
      // It is not fetched: it stays queued at the broker.
      try await eventually("the node has reported again") {
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

  @Test func `a setting made before a node starts applies from its start`() async throws {
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

  @Test func `while the directory is unavailable the sizes stay as they are`() async throws {
    let platform = platform(start: 2)
    let gates = JobGates()
    try await platform.withNode(echoJobs: gatedWorker(gates)) { _ async throws in
      try await enqueueMany(6, platform)
      try await eventually("two run") { gates.running.count == 2 }
      platform.directory.isAvailable = false
      for completed in 1...4 {
        gates.release(gates.running[0])
        try await eventually("\(completed) are completed and two run") {
          platform.store.effects.count == completed && gates.running.count == 2
        }
      }
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(gates.most == 2)
    }
  }

  @Test func `nodes share a pool's size, and the others take over when one leaves`() async throws {
    let platform = platform(start: 5)
    let (first, second) = (JobGates(), JobGates())
    try await platform.withNode("a", echoJobs: gatedWorker(first)) { _ async throws in
      try await eventuallyAllocated([5], platform)
      try await platform.withNode("b", echoJobs: gatedWorker(second)) { leaving async throws in
        // Five among two: the first node by id takes the remainder.
        try await eventuallyAllocated([3, 2], platform)
        try await enqueueMany(30, platform)
        try await eventually("five run") { first.running.count == 3 && second.running.count == 2 }
        await leaving.beginShutdown()
        // Immediately, not when the last job of the leaving node has ended.
        try await eventually("the other node takes over") { first.running.count == 5 }
        #expect(second.running.count == 2)
        second.releaseAll()
        try await leaving.drained()
        try await eventuallyAllocated([5], platform)
      }
      first.releaseAll()
      try await platform.eventuallyIdle()
      #expect(first.most == 5)
      #expect(second.most == 2)
      #expect(platform.store.effects.count == 30)
    }
  }

  @Test func `a node runs the pools it is configured for, and takes no jobs of others`() async throws {
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
