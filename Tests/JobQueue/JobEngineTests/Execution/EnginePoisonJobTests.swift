import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Jobs that came back, perhaps because a process died of them.
@Suite(.timeLimit(.minutes(1)))
struct EnginePoisonJobTests {
  private func echoJob(_ name: String) throws -> JobEnvelope {
    try JobCodec.envelope(for: EchoJob(name: name), tenant: nil)
  }

  /// Puts the job into its pool as one that some process was given before.
  private func redeliver(_ job: JobEnvelope, _ platform: EnginePlatform) {
    platform.broker.put(.job(job), body: job.body, into: echoJobs, redelivered: true)
  }

  @Test func `a job that came back is marked as started, a fresh one is not`() async throws {
    let platform = EnginePlatform()
    let gates = JobGates()
    let (fresh, returned) = (try echoJob("fresh"), try echoJob("returned"))
    try await platform.withNode(
      "node seven",
      echoJobs: { job, context in
        try await gates.enter(job.name)
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      try await platform.enqueue([fresh])
      redeliver(returned, platform)
      try await eventually("both have begun") { gates.running.count == 2 }
      #expect(platform.store.starts(of: returned.jobRun) == ["node seven"])
      #expect(platform.store.starts(of: fresh.jobRun).isEmpty)
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.store.effects.sorted() == ["fresh", "returned"])
    }
  }

  @Test func `a job that has crashed fewer processes than allowed is done`() async throws {
    let platform = EnginePlatform(maxCrashes: 3)
    let job = try echoJob("a")
    _ = try await platform.store.markStart(job.jobRun, node: "dead node")
    platform.store.advance(by: .seconds(1))
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      redeliver(job, platform)
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["a"])
    }
  }

  @Test func `a job that has crashed more processes than allowed is dead without being begun`() async throws {
    let platform = EnginePlatform(maxCrashes: 3)
    let gates = JobGates()
    let job = try echoJob("a")
    for node in 1...3 { _ = try await platform.store.markStart(job.jobRun, node: "dead node \(node)") }
    try await platform.withNode(
      echoJobs: { job, _ in
        try await gates.enter(job.name)
        return .completed
      }
    ) { _ async throws in
      redeliver(job, platform)
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.reason == .crashed)
      #expect(letter.jobRun == job.jobRun)
      #expect(gates.began.isEmpty)
      // Its next run, by an operator's wish, begins with a clean sheet.
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `crashes are counted for the job that caused them, not for its neighbours`() async throws {
    let platform = EnginePlatform(maxCrashes: 2)
    let (guilty, neighbour) = (try echoJob("guilty"), try echoJob("neighbour"))
    for _ in 1...2 { _ = try await platform.store.markStart(guilty.jobRun, node: "dead node") }
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      redeliver(neighbour, platform)
      redeliver(guilty, platform)
      let letter = try await platform.onlyLetter()
      #expect(letter.jobRun == guilty.jobRun)
      #expect(platform.store.effects == ["neighbour"])
    }
  }

  @Test func `jobs that came back more than once run one at a time, others beside them`() async throws {
    let platform = EnginePlatform(maxCrashes: 3)
    let gates = JobGates()
    let (suspects, innocent) = (try (1...3).map { try echoJob("suspect \($0)") }, try echoJob("innocent"))
    for suspect in suspects { _ = try await platform.store.markStart(suspect.jobRun, node: "dead node") }
    platform.store.advance(by: .seconds(1))
    try await platform.withNode(
      echoJobs: { job, context in
        try await gates.enter(job.name)
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      for suspect in suspects { redeliver(suspect, platform) }
      redeliver(innocent, platform)
      for place in 1...3 {
        try await eventually("suspect number \(place) and the innocent run") {
          gates.running.count == 2 && gates.began.count == place + 1
        }
        // Those that wait have not been marked again.
        let marked = suspects.filter { platform.store.starts(of: $0.jobRun).count == 2 }
        #expect(marked.count == 1)
        gates.release(gates.running.first { $0 != "innocent" } ?? "")
      }
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.store.effects.count == 4)
    }
  }

  @Test func `a job that came back twice in quick succession waits before it is begun again`() async throws {
    let platform = EnginePlatform(maxCrashes: 3)
    let gates = JobGates()
    let job = try echoJob("a")
    _ = try await platform.store.markStart(job.jobRun, node: "dead node")
    try await platform.withNode(
      grace: .zero,
      echoJobs: { job, _ in
        try await gates.enter(job.name)
        return .completed
      }
    ) { node async throws in
      redeliver(job, platform)
      try await eventually("it is in hand") { platform.broker.queued(in: echoJobs).isEmpty }
      await node.beginShutdown()
      try await node.drained()
      // Given back while it waited: not begun, and as suspect as before.
      #expect(gates.began.isEmpty)
      #expect(platform.broker.queued(in: echoJobs) == [job])
      #expect(platform.store.starts(of: job.jobRun) == ["dead node"])
    }
  }

  @Test func `marks are cleared after a proper retry`() async throws {
    let platform = EnginePlatform()
    let job = try echoJob("a")
    try await platform.withNode(echoJobs: { _, _ in throw TransientError() }) { _ async throws in
      redeliver(job, platform)
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      try await platform.eventuallyIdle()
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `marks are cleared after a snooze`() async throws {
    let platform = EnginePlatform()
    let job = try echoJob("a")
    try await platform.withNode(echoJobs: { _, _ in .snoozed(for: .seconds(60), reason: "not yet") }) {
      _ async throws in
      redeliver(job, platform)
      try await eventually("the job is put off") { platform.store.scheduledJobs.count == 1 }
      try await platform.eventuallyIdle()
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `marks are cleared after the job is done`() async throws {
    let platform = EnginePlatform()
    let job = try echoJob("a")
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      redeliver(job, platform)
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["a"])
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `a shutdown that interrupts a job is no crash of it`() async throws {
    let platform = EnginePlatform()
    let gates = JobGates()
    let job = try echoJob("a")
    try await platform.withNode(
      grace: .milliseconds(100),
      echoJobs: { job, _ in
        try await gates.enter(job.name)
        return .completed
      }
    ) { node async throws in
      redeliver(job, platform)
      try await eventually("the job has begun") { gates.running == ["a"] }
      await node.beginShutdown()
      try await node.drained()
      #expect(platform.broker.queued(in: echoJobs) == [job])
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `losing the connection again and again buries no job that goes on, nor begins it beside itself`()
    async throws
  {
    let platform = EnginePlatform()
    let gates = JobGates()
    try await platform.withNode(
      echoJobs: { job, context in
        try await context.complete { transaction, _ in
          try await gates.enter(job.name)
          transaction.record(job.name)
          return .completed
        }
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the job has begun") { gates.running == ["a"] }
      for round in 1...4 {
        platform.broker.dropConnection()
        // Whatever came back with the connection came before this one.
        try await platform.enqueue("later \(round)")
        try await eventually("the next job has begun") { gates.running.contains("later \(round)") }
        gates.release("later \(round)")
        try await eventually("the next job has ended") { gates.running == ["a"] }
      }
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
      gates.releaseAll()
      try await platform.eventuallyIdle()
      // The first copy's acknowledgement went nowhere; the last one found the receipt.
      #expect(platform.broker.acknowledged.count { $0 == job.jobRun } == 1)
      #expect(platform.store.effects == ["later 1", "later 2", "later 3", "later 4", "a"])
      #expect(gates.began.count { $0 == "a" } == 1)
      #expect(platform.broker.dead(of: echoJobs).isEmpty)
    }
  }

  @Test func `while the store is away a job that came back waits, and is not begun unmarked`() async throws {
    let platform = EnginePlatform()
    let gates = JobGates()
    let job = try echoJob("a")
    platform.store.fail(next: .markStart, with: .unavailable("gone"), times: 2)
    try await platform.withNode(
      echoJobs: { job, context in
        try await gates.enter(job.name)
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      redeliver(job, platform)
      try await eventually("the job has begun") { gates.running == ["a"] }
      #expect(platform.store.starts(of: job.jobRun) == ["node"])
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["a"])
    }
  }
}
