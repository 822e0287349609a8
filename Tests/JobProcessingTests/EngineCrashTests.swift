import Foundation
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// Jobs that came back, perhaps because a process died of them.
@Suite(.timeLimit(.minutes(1)))
struct EngineCrashTests {
  private func errand(_ name: String) throws -> JobEnvelope {
    try JobCodec.envelope(for: Errand(name: name), tenant: nil)
  }

  /// Puts the job into its pool as one that some process was given before.
  private func redeliver(_ job: JobEnvelope, _ platform: EnginePlatform) {
    platform.broker.put(.job(job), body: job.body, into: errands, redelivered: true)
  }

  @Test func `a job that came back is marked as started, a fresh one is not`() async throws {
    let platform = EnginePlatform()
    let stage = Stage()
    let (fresh, returned) = (try errand("fresh"), try errand("returned"))
    try await platform.withNode(
      "node seven",
      errands: { job, context in
        try await stage.enter(job.name)
        return try await ErrandWorker.simple(job, context)
      }
    ) { _ async throws in
      try await platform.enqueue([fresh])
      redeliver(returned, platform)
      try await eventually("both have begun") { stage.running.count == 2 }
      #expect(platform.ledger.starts(of: returned.jobRun) == ["node seven"])
      #expect(platform.ledger.starts(of: fresh.jobRun).isEmpty)
      stage.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.ledger.effects.sorted() == ["fresh", "returned"])
    }
  }

  @Test func `a job that has crashed fewer processes than allowed is done`() async throws {
    let platform = EnginePlatform(maxCrashes: 3)
    let job = try errand("a")
    _ = try await platform.ledger.markStart(job.jobRun, node: "dead node")
    platform.ledger.advance(by: .seconds(1))
    try await platform.withNode(errands: ErrandWorker.simple) { _ async throws in
      redeliver(job, platform)
      try await platform.eventuallyIdle()
      #expect(platform.ledger.effects == ["a"])
    }
  }

  @Test func `a job that has crashed more processes than allowed is dead without being begun`() async throws {
    let platform = EnginePlatform(maxCrashes: 3)
    let stage = Stage()
    let job = try errand("a")
    for node in 1...3 { _ = try await platform.ledger.markStart(job.jobRun, node: "dead node \(node)") }
    try await platform.withNode(
      errands: { job, _ in
        try await stage.enter(job.name)
        return .completed
      }
    ) { _ async throws in
      redeliver(job, platform)
      let letter = try await platform.onlyLetter()
      #expect(letter.certificate.reason == .crashed)
      #expect(letter.jobRun == job.jobRun)
      #expect(stage.began.isEmpty)
      // Its next run, by an operator's wish, begins with a clean sheet.
      #expect(platform.ledger.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `crashes are counted for the job that caused them, not for its neighbours`() async throws {
    let platform = EnginePlatform(maxCrashes: 2)
    let (guilty, neighbour) = (try errand("guilty"), try errand("neighbour"))
    for _ in 1...2 { _ = try await platform.ledger.markStart(guilty.jobRun, node: "dead node") }
    try await platform.withNode(errands: ErrandWorker.simple) { _ async throws in
      redeliver(neighbour, platform)
      redeliver(guilty, platform)
      let letter = try await platform.onlyLetter()
      #expect(letter.jobRun == guilty.jobRun)
      #expect(platform.ledger.effects == ["neighbour"])
    }
  }

  @Test func `jobs that came back more than once run one at a time, others beside them`() async throws {
    let platform = EnginePlatform(maxCrashes: 3)
    let stage = Stage()
    let (suspects, innocent) = (try (1...3).map { try errand("suspect \($0)") }, try errand("innocent"))
    for suspect in suspects { _ = try await platform.ledger.markStart(suspect.jobRun, node: "dead node") }
    platform.ledger.advance(by: .seconds(1))
    try await platform.withNode(
      errands: { job, context in
        try await stage.enter(job.name)
        return try await ErrandWorker.simple(job, context)
      }
    ) { _ async throws in
      for suspect in suspects { redeliver(suspect, platform) }
      redeliver(innocent, platform)
      for place in 1...3 {
        try await eventually("suspect number \(place) and the innocent run") {
          stage.running.count == 2 && stage.began.count == place + 1
        }
        // Those that wait have not been marked again.
        let marked = suspects.filter { platform.ledger.starts(of: $0.jobRun).count == 2 }
        #expect(marked.count == 1)
        stage.release(stage.running.first { $0 != "innocent" } ?? "")
      }
      stage.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.ledger.effects.count == 4)
    }
  }

  @Test func `a job that came back twice in quick succession waits before it is begun again`() async throws {
    let platform = EnginePlatform(maxCrashes: 3)
    let stage = Stage()
    let job = try errand("a")
    _ = try await platform.ledger.markStart(job.jobRun, node: "dead node")
    try await platform.withNode(
      grace: .zero,
      errands: { job, _ in
        try await stage.enter(job.name)
        return .completed
      }
    ) { node async throws in
      redeliver(job, platform)
      try await eventually("it is in hand") { platform.broker.ready(in: errands).isEmpty }
      await node.beginShutdown()
      try await node.drained()
      // Given back while it waited: not begun, and as suspect as before.
      #expect(stage.began.isEmpty)
      #expect(platform.broker.ready(in: errands) == [job])
      #expect(platform.ledger.starts(of: job.jobRun) == ["dead node"])
    }
  }

  @Test func `marks are cleared after a proper retry`() async throws {
    let platform = EnginePlatform()
    let job = try errand("a")
    try await platform.withNode(errands: { _, _ in throw Mishap() }) { _ async throws in
      redeliver(job, platform)
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      try await platform.eventuallyIdle()
      #expect(platform.ledger.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `marks are cleared after a snooze`() async throws {
    let platform = EnginePlatform()
    let job = try errand("a")
    try await platform.withNode(errands: { _, _ in .snoozed(for: .seconds(60), reason: "not yet") }) { _ async throws in
      redeliver(job, platform)
      try await eventually("the job is put off") { platform.ledger.delayedJobs.count == 1 }
      try await platform.eventuallyIdle()
      #expect(platform.ledger.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `marks are cleared after the job is done`() async throws {
    let platform = EnginePlatform()
    let job = try errand("a")
    try await platform.withNode(errands: ErrandWorker.simple) { _ async throws in
      redeliver(job, platform)
      try await platform.eventuallyIdle()
      #expect(platform.ledger.effects == ["a"])
      #expect(platform.ledger.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `a shutdown that interrupts a job is no crash of it`() async throws {
    let platform = EnginePlatform()
    let stage = Stage()
    let job = try errand("a")
    try await platform.withNode(
      grace: .milliseconds(100),
      errands: { job, _ in
        try await stage.enter(job.name)
        return .completed
      }
    ) { node async throws in
      redeliver(job, platform)
      try await eventually("the job has begun") { stage.running == ["a"] }
      await node.beginShutdown()
      try await node.drained()
      #expect(platform.broker.ready(in: errands) == [job])
      #expect(platform.ledger.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `losing the connection again and again buries no job that goes on, nor begins it beside itself`()
    async throws
  {
    let platform = EnginePlatform()
    let stage = Stage()
    try await platform.withNode(
      errands: { job, context in
        try await context.close { transaction, _ in
          try await stage.enter(job.name)
          transaction.record(job.name)
          return .completed
        }
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the job has begun") { stage.running == ["a"] }
      for round in 1...4 {
        platform.broker.dropConnection()
        // Whatever came back with the connection came before this one.
        try await platform.enqueue("later \(round)")
        try await eventually("the next job has begun") { stage.running.contains("later \(round)") }
        stage.release("later \(round)")
        try await eventually("the next job has ended") { stage.running == ["a"] }
      }
      #expect(platform.ledger.starts(of: job.jobRun).isEmpty)
      stage.releaseAll()
      try await platform.eventuallyIdle()
      // The first copy's acknowledgement went nowhere; the last one found the receipt.
      #expect(platform.broker.acknowledged.count { $0 == job.jobRun } == 1)
      #expect(platform.ledger.effects == ["later 1", "later 2", "later 3", "later 4", "a"])
      #expect(stage.began.count { $0 == "a" } == 1)
      #expect(platform.broker.dead(of: errands).isEmpty)
    }
  }

  @Test func `while the ledger is away a job that came back waits, and is not begun unmarked`() async throws {
    let platform = EnginePlatform()
    let stage = Stage()
    let job = try errand("a")
    platform.ledger.fail(next: .markStart, with: .unavailable("gone"), times: 2)
    try await platform.withNode(
      errands: { job, context in
        try await stage.enter(job.name)
        return try await ErrandWorker.simple(job, context)
      }
    ) { _ async throws in
      redeliver(job, platform)
      try await eventually("the job has begun") { stage.running == ["a"] }
      #expect(platform.ledger.starts(of: job.jobRun) == ["node"])
      stage.releaseAll()
      try await platform.eventuallyIdle()
      #expect(platform.ledger.effects == ["a"])
    }
  }
}
