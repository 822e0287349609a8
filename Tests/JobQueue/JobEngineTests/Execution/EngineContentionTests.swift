import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Locks that others hold, and transactions that the server cancels: none of it spends an attempt.
@Suite(.timeLimit(.minutes(1)))
struct EngineContentionTests {
  private struct GivenUp: Error {}

  /// Holds a run in a transaction, which in the end rolls back, while `body` runs.
  private func holding(
    _ job: JobEnvelope, _ platform: EnginePlatform, _ body: () async throws -> Void
  ) async throws {
    let (inside, leave) = (Gate(), Gate())
    let holder = Task {
      let receipt = JobReceipt(jobRun: job.jobRun, kind: job.kind, pool: echoJobs)
      _ = try? await platform.store.complete([receipt], deadline: .now + .seconds(60)) { _, _ in
        inside.open()
        try await leave.wait()
        throw GivenUp()
      }
    }
    try await inside.wait()
    do { try await body() } catch {
      leave.open()
      throw error
    }
    leave.open()
    await holder.value
  }

  private func snoozed(_ platform: EnginePlatform) -> [JobEnvelope] {
    platform.broker.retries.map(\.envelope) + platform.store.scheduledJobs.map(\.envelope)
  }

  /// Lets snoozed jobs return until `isOver`.
  private func release(_ platform: EnginePlatform, until isOver: () -> Bool) async throws {
    try await eventually(within: .seconds(30), every: .milliseconds(50), "all jobs have ended") {
      platform.broker.releaseRetries()
      platform.store.advance(by: .seconds(5))
      return isOver()
    }
  }

  @Test func `a job whose row others have locked is snoozed as the same attempt, and runs later`() async throws {
    let platform = EnginePlatform(timeout: .milliseconds(600), maxAttempts: 1)
    let job = try JobCodec.envelope(for: EchoJob(name: "a"), tenant: nil)
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      try await holding(job, platform) {
        try await platform.enqueue([job])
        try await eventually("the job is snoozed") { snoozed(platform) == [job] && platform.broker.isEmpty(echoJobs) }
        #expect(platform.broker.dead(of: echoJobs).isEmpty)
      }
      try await release(platform) { platform.store.effects == ["a"] }
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .completed)
    }
  }

  @Test func `one locked job does not hold its whole batch, and nobody in it spends an attempt`() async throws {
    let platform = EnginePlatform(
      timeout: .seconds(2), maxAttempts: 1, batch: BatchConfiguration(size: 8, wait: .milliseconds(200)))
    let jobs = try (0..<8).map { try JobCodec.envelope(for: EchoJob(name: "\($0)"), tenant: nil) }
    try await platform.withNode(
      registering: { registry in
        registry.register(
          EchoBatchWorker { batch, transaction in
            for item in batch { transaction.record(item.job.name) }
            return batch.map { _ in .completed }
          })
      }
    ) { _ async throws in
      try await holding(jobs[0], platform) {
        try await platform.enqueue(jobs)
        try await eventually("half of them are completed") { platform.store.effects.count >= 4 }
        try await eventually("the others are snoozed") { platform.broker.isEmpty(echoJobs) }
        #expect(snoozed(platform).contains(jobs[0]))
        #expect(snoozed(platform).allSatisfy { $0.attempt == 1 })
      }
      try await release(platform) { platform.store.effects.count == 8 }
      #expect(platform.broker.dead(of: echoJobs).isEmpty)
      #expect(Set(platform.store.effects).count == 8)
    }
  }

  @Test func `contention that lasts for a batch's retries snoozes it, and spends no attempt`() async throws {
    let platform = EnginePlatform(maxAttempts: 1, batch: BatchConfiguration(size: 1, wait: .zero))
    platform.store.fail(next: .complete, with: .contention, times: 11)
    try await platform.withNode(
      registering: { $0.register(EchoBatchWorker { batch, _ in batch.map { _ in .completed } }) }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the job is snoozed") { snoozed(platform) == [job] }
      try await release(platform) { platform.store.receipt(of: job.jobRun)?.outcome == .completed }
    }
  }

  @Test func `a deadline that passes after contention is contention's fault`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    platform.store.fail(next: .complete, with: .contention)
    platform.store.fail(next: .complete, with: .deadlineExceeded)
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await release(platform) { platform.store.effects == ["a"] }
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .completed)
    }
  }

  @Test func `a transaction that takes longer than its own deadline fails the attempt`() async throws {
    let platform = EnginePlatform(maxAttempts: 2)
    platform.store.fail(next: .complete, with: .deadlineExceeded)
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the retry waits") { platform.broker.retries.first?.envelope.attempt == 2 }
    }
  }

  @Test func `a dead letter whose job others have locked holds up no other letter`() async throws {
    let platform = EnginePlatform()
    let jobs = try (0..<6).map { try JobCodec.envelope(for: EchoJob(name: "\($0)"), tenant: nil) }
    let info = SampleJobs.deadLetterInfo(pool: echoJobs)
    func indexed() async throws -> Set<JobRun> {
      Set(try await platform.deadLetterIndex.letters(DeadLetterFilter()).map(\.jobRun))
    }
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      try await holding(jobs[2], platform) {
        for job in jobs { try await platform.enqueue([job], to: .dead(pool: echoJobs, info)) }
        try await eventually("the others are indexed") {
          try await indexed() == Set(jobs.map(\.jobRun)).subtracting([jobs[2].jobRun])
        }
      }
      try await eventually("the last one is indexed") { try await indexed().count == 6 }
    }
  }
}
