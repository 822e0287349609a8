import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// The outcomes of an attempt, and what follows for the job.
@Suite(.timeLimit(.minutes(1)))
struct EngineOutcomeTests {
  @Test func `a completed job has its effect and its receipt, and is acknowledged`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let jobs = try await platform.enqueue("a", "b")
      try await platform.eventuallyIdle()
      #expect(platform.store.effects.sorted() == ["a", "b"])
      #expect(Set(platform.broker.acknowledged) == Set(jobs.map(\.jobRun)))
      for job in jobs {
        let receipt = platform.store.receipt(of: job.jobRun)
        #expect(receipt?.outcome == .completed)
        #expect(receipt?.kind == EchoJob.kind)
        #expect(receipt?.pool == echoJobs)
      }
    }
  }

  @Test func `a job without effects has a receipt as well`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: { _, _ in .completed }) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .completed)
    }
  }

  @Test func `a worker sees what the envelope holds`() async throws {
    let platform = EnginePlatform()
    let seen = Locked<JobInfo?>(nil)
    let job = try JobCodec.envelope(
      for: EchoJob(name: "a"), tenant: UUID(), deadline: Date(timeIntervalSinceNow: 600), correlationID: "request 7",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    try await platform.withNode(
      echoJobs: { _, context in
        seen.change { $0 = context.info }
        return .completed
      }
    ) { _ async throws in
      try await platform.enqueue([job])
      try await platform.eventuallyIdle()
      let info = try #require(seen.value)
      #expect(info.jobRun == job.jobRun)
      #expect(info.tenant == job.tenant)
      #expect(info.attempt == 1)
      #expect(info.deadline == job.deadline)
      #expect(info.correlationID == job.correlationID)
      #expect(info.traceparent == job.traceparent)
    }
  }

  @Test func `a cancelled job has its reason in the receipt and is not retried`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(
      echoJobs: { job, context in
        try await context.complete { transaction, _ in
          transaction.record(job.name)
          return .cancelled(reason: "not wanted")
        }
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      let receipt = platform.store.receipt(of: job.jobRun)
      #expect(receipt?.outcome == .cancelled)
      #expect(receipt?.reason == "not wanted")
      #expect(platform.store.effects == ["a"])
      #expect(platform.broker.retries.isEmpty)
      #expect(try await platform.deadLetterIndex.letters(DeadLetterFilter()).isEmpty)
    }
  }

  /// Snoozes at its first call, with an effect that must be rolled back, and then completes.
  private func snoozer(for delay: Duration, _ attempts: Locked<[Int]>) -> EchoWorker.Body {
    { job, context in
      let call = attempts.change { attempts in
        attempts.append(context.info.attempt)
        return attempts.count
      }
      return try await context.complete { transaction, _ in
        transaction.record("\(job.name) \(call)")
        return call == 1 ? .snoozed(for: delay, reason: "not yet") : .completed
      }
    }
  }

  @Test func `a short snooze waits in a retry tier, spends no attempt and leaves no effect`() async throws {
    let platform = EnginePlatform()
    let attempts = Locked<[Int]>([])
    try await platform.withNode(echoJobs: snoozer(for: .seconds(1), attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the job waits") { platform.broker.retries.count == 1 && platform.broker.isEmpty(echoJobs) }
      #expect(platform.broker.retries.first?.envelope == job)
      #expect(platform.store.effects.isEmpty)
      #expect(platform.store.receipt(of: job.jobRun) == nil)
      platform.broker.releaseRetries()
      try await eventually("the job is completed") { platform.store.effects == ["a 2"] }
      #expect(attempts.value == [1, 1])
    }
  }

  @Test func `a long snooze is scheduled in the store until it is due`() async throws {
    let platform = EnginePlatform()
    let attempts = Locked<[Int]>([])
    try await platform.withNode(echoJobs: snoozer(for: .seconds(3_600), attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the job waits") {
        platform.store.scheduledJobs.count == 1 && platform.broker.isEmpty(echoJobs)
      }
      let waiting = try #require(platform.store.scheduledJobs.first)
      #expect(waiting.envelope == job)
      #expect(waiting.pool == echoJobs)
      #expect(abs(waiting.dueAt.timeIntervalSinceNow - 3_600) < 60)
      platform.store.advance(by: .seconds(3_700))
      try await eventually("the job is completed") { platform.store.effects == ["a 2"] }
      #expect(attempts.value == [1, 1])
      try await eventually("the outbox is empty") { platform.store.outbox.isEmpty }
    }
  }

  @Test func `a snooze without a completing transaction waits in a retry tier as well`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: { _, _ in .snoozed(for: .seconds(1), reason: "not yet") }) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the job waits") { platform.broker.retries.count == 1 && platform.broker.isEmpty(echoJobs) }
      #expect(platform.broker.retries.first?.envelope == job)
      #expect(platform.store.receipt(of: job.jobRun) == nil)
    }
  }

  @Test func `a job past its deadline is cancelled without a call of its worker`() async throws {
    let platform = EnginePlatform()
    let gates = JobGates()
    gates.releaseAll()
    try await platform.withNode(
      echoJobs: { job, context in
        try await gates.enter(job.name)
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      let late = try await platform.enqueue("late", deadline: Date(timeIntervalSinceNow: -1))[0]
      let early = try await platform.enqueue("early", deadline: Date(timeIntervalSinceNow: 600))[0]
      try await platform.eventuallyIdle()
      #expect(gates.began == ["early"])
      #expect(platform.store.receipt(of: late.jobRun)?.outcome == .cancelled)
      #expect(platform.store.receipt(of: late.jobRun)?.reason?.contains("deadline") == true)
      #expect(platform.store.receipt(of: early.jobRun)?.outcome == .completed)
    }
  }

  @Test func `a node whose clock is ahead cancels no job before its deadline`() async throws {
    let platform = EnginePlatform()
    platform.store.advance(by: .seconds(-3_600))
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let job = try await platform.enqueue("a", deadline: Date(timeIntervalSinceNow: -600))[0]
      try await platform.eventuallyIdle()
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .completed)
    }
  }

  @Test func `two copies of a job have one effect and both are acknowledged`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.enqueue([job])
      try await eventually("both are acknowledged") { platform.broker.acknowledged == [job.jobRun, job.jobRun] }
      #expect(platform.store.effects == ["a"])
      #expect(platform.broker.retries.isEmpty)
    }
  }
}
