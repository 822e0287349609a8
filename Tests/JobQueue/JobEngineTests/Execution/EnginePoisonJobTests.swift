import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Redelivered jobs, which may have crashed the process that ran them.
@Suite(.timeLimit(.minutes(1)))
struct EnginePoisonJobTests {
  private func echoJob(_ name: String) throws -> JobEnvelope {
    try JobCodec.envelope(for: EchoJob(name: name), tenant: nil)
  }

  /// Puts the job into its pool, marked as redelivered.
  private func redeliver(_ job: JobEnvelope, _ platform: EnginePlatform) {
    platform.broker.put(.job(job), body: job.body, into: echoJobs, redelivered: true)
  }

  @Test func `the start of a redelivered job is marked, that of a fresh one is not`() async throws {
    let platform = EnginePlatform()
    let gates = JobGates()
    let (fresh, redelivered) = (try echoJob("fresh"), try echoJob("redelivered"))
    try await platform.withNode(
      "node seven",
      echoJobs: { job, context in
        try await gates.enter(job.name)
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      try await platform.enqueue([fresh])
      redeliver(redelivered, platform)
      try await eventually("both have started") { gates.running.count == 2 }
      #expect(platform.store.starts(of: redelivered.jobRun) == ["node seven"])
      #expect(platform.store.starts(of: fresh.jobRun).isEmpty)
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.store.effects.sorted() == ["fresh", "redelivered"])
    }
  }

  @Test func `a job that has crashed fewer processes than allowed is completed`() async throws {
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

  @Test func `a job that has crashed more processes than allowed is dead without being started`() async throws {
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
      // An operator's retry starts without markers.
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `crashes are counted for the job that caused them, not for jobs beside it`() async throws {
    let platform = EnginePlatform(maxCrashes: 2)
    let (poison, bystander) = (try echoJob("poison"), try echoJob("bystander"))
    for _ in 1...2 { _ = try await platform.store.markStart(poison.jobRun, node: "dead node") }
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      redeliver(bystander, platform)
      redeliver(poison, platform)
      let letter = try await platform.onlyLetter()
      #expect(letter.jobRun == poison.jobRun)
      #expect(platform.store.effects == ["bystander"])
    }
  }

  @Test func `jobs that were redelivered more than once run one at a time, others beside them`() async throws {
    let platform = EnginePlatform(maxCrashes: 3)
    let gates = JobGates()
    let (poisonJobs, bystander) = (try (1...3).map { try echoJob("poison \($0)") }, try echoJob("bystander"))
    for job in poisonJobs { _ = try await platform.store.markStart(job.jobRun, node: "dead node") }
    platform.store.advance(by: .seconds(1))
    try await platform.withNode(
      echoJobs: { job, context in
        try await gates.enter(job.name)
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      for job in poisonJobs { redeliver(job, platform) }
      redeliver(bystander, platform)
      for place in 1...3 {
        try await eventually("poison job number \(place) and the bystander run") {
          gates.running.count == 2 && gates.began.count == place + 1
        }
        // Those that still wait for the lock have no second marker.
        let marked = poisonJobs.filter { platform.store.starts(of: $0.jobRun).count == 2 }
        #expect(marked.count == 1)
        gates.release(gates.running.first { $0 != "bystander" } ?? "")
      }
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.store.effects.count == 4)
    }
  }

  @Test func `a job that was redelivered twice in quick succession waits before it is started again`() async throws {
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
      try await eventually("it is delivered") { platform.broker.queued(in: echoJobs).isEmpty }
      await node.beginShutdown()
      try await node.drained()
      // Requeued while it waited: not started, and with its earlier marker.
      #expect(gates.began.isEmpty)
      #expect(platform.broker.queued(in: echoJobs) == [job])
      #expect(platform.store.starts(of: job.jobRun) == ["dead node"])
    }
  }

  @Test func `start markers are cleared after a retry`() async throws {
    let platform = EnginePlatform()
    let job = try echoJob("a")
    try await platform.withNode(echoJobs: { _, _ in throw TransientError() }) { _ async throws in
      redeliver(job, platform)
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      try await platform.eventuallyIdle()
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `start markers are cleared after a snooze`() async throws {
    let platform = EnginePlatform()
    let job = try echoJob("a")
    try await platform.withNode(echoJobs: { _, _ in .snoozed(for: .seconds(60), reason: "not yet") }) {
      _ async throws in
      redeliver(job, platform)
      try await eventually("the job is scheduled") { platform.store.scheduledJobs.count == 1 }
      try await platform.eventuallyIdle()
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `start markers are cleared after completion`() async throws {
    let platform = EnginePlatform()
    let job = try echoJob("a")
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      redeliver(job, platform)
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["a"])
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `a shutdown that interrupts a job does not count as its crash`() async throws {
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
      try await eventually("the job has started") { gates.running == ["a"] }
      await node.beginShutdown()
      try await node.drained()
      #expect(platform.broker.queued(in: echoJobs) == [job])
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `losing the connection repeatedly neither dead-letters a running job nor starts it twice`()
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
      try await eventually("the job has started") { gates.running == ["a"] }
      for round in 1...4 {
        platform.broker.dropConnection()
        // What was redelivered with the new connection is delivered before this job.
        try await platform.enqueue("later \(round)")
        try await eventually("the next job has started") { gates.running.contains("later \(round)") }
        gates.release("later \(round)")
        try await eventually("the next job has ended") { gates.running == ["a"] }
      }
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
      gates.releaseAll()
      try await platform.eventuallyIdle()
      // The first copy's acknowledgement was lost with its connection; the last copy found the receipt.
      #expect(platform.broker.acknowledged.count { $0 == job.jobRun } == 1)
      #expect(platform.store.effects == ["later 1", "later 2", "later 3", "later 4", "a"])
      #expect(gates.began.count { $0 == "a" } == 1)
      #expect(platform.broker.dead(of: echoJobs).isEmpty)
    }
  }

  @Test func `while the store is unavailable a redelivered job waits, and is not started without its marker`()
    async throws
  {
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
      try await eventually("the job has started") { gates.running == ["a"] }
      #expect(platform.store.starts(of: job.jobRun) == ["node"])
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["a"])
    }
  }

  @Test func `poison jobs that wait for their turn leave their workers to other jobs`() async throws {
    let platform = EnginePlatform(workers: WorkerCounts(min: 1, start: 2, max: 2), maxCrashes: 3)
    let gates = JobGates()
    let poisonJobs = try (1...2).map { try echoJob("poison \($0)") }
    for job in poisonJobs { _ = try await platform.store.markStart(job.jobRun, node: "dead node") }
    platform.store.advance(by: .seconds(1))
    try await platform.withNode(
      echoJobs: { job, context in
        if job.name.hasPrefix("poison") { try await gates.enter(job.name) }
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      for job in poisonJobs { redeliver(job, platform) }
      try await eventually("one of them runs") { gates.running.count == 1 }
      // With both workers held the pool would stand still until the gate opens.
      try await platform.enqueue("a", "b", "c")
      try await eventually("the others are completed") { platform.store.effects.sorted() == ["a", "b", "c"] }
      #expect(gates.began.count == 1)
      gates.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.store.effects.count == 5)
      #expect(gates.most == 1)
    }
  }
}
