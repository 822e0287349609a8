import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Counts made in completing transactions, and the job that brings them into the reports.
@Suite(.timeLimit(.minutes(1)))
struct EngineCountingTests {
  private let minute = Date(timeIntervalSince1970: 1_795_414_320)

  /// A call of the counts job factory for echo jobs.
  private struct Call: Sendable {
    let counts: [Counter: Int]
    let completed: [FinishedJob]
  }

  /// Registers a worker whose echo jobs count themselves, and a factory that records its `calls` and puts the counts
  /// into a follow-up job.
  private func register(
    _ registry: inout WorkerRegistry<InMemoryTransaction>, _ calls: Locked<[Call]>,
    doing outcome: @escaping @Sendable (JobInfo) throws -> JobOutcome = { _ in .completed }
  ) {
    let minute = minute
    registry.register(
      EchoWorker { job, context in
        try await context.complete { transaction, followUps in
          transaction.record(job.name)
          followUps.count("echoJob.run", job.name, of: context.info.tenant, at: minute + 1, by: 2)
          followUps.count("echoJob.run", job.name, of: context.info.tenant, at: minute + 59)
          return try outcome(context.info)
        }
      })
    registry.register(FollowUpWorker())
    registry.countsJobFactory = { counts, completed in
      guard completed.allSatisfy({ $0.kind == EchoJob.kind }) else { return nil }
      calls.change { $0.append(Call(counts: counts, completed: completed)) }
      return try JobCodec.envelope(for: FollowUpJob(name: "counted"), tenant: nil)
    }
  }

  @Test func `what a job counted, and the job itself, go into the counts job`() async throws {
    let platform = EnginePlatform()
    let calls = Locked<[Call]>([])
    try await platform.withNode(registering: { register(&$0, calls) }) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the counts job is completed") { platform.store.effects == ["a", "counted"] }
      try #require(calls.value.count == 1)
      let call = calls.value[0]
      let key = Counter(tenant: job.tenant, metric: "echoJob.run", detail: "a", at: minute)
      #expect(call.counts == [key: 3])
      #expect(call.completed.map(\.info.jobRun) == [job.jobRun])
      #expect(call.completed.map(\.outcome) == [.completed])
    }
  }

  @Test func `the counts job is committed with the job`() async throws {
    let platform = EnginePlatform()
    let calls = Locked<[Call]>([])
    platform.store.fail(next: .complete, with: .contention, times: 2)
    let register: @Sendable (inout WorkerRegistry<InMemoryTransaction>) -> Void = { registry in
      self.register(&registry, calls) { _ in
        platform.broker.isReady = false
        return .completed
      }
    }
    try await platform.withNode(pools: [echoJobs], registering: register) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the echo job is acknowledged") { platform.broker.acknowledged == [job.jobRun] }
      #expect(platform.store.commits == 1)
      #expect(platform.store.outbox.map(\.envelope.kind) == [FollowUpJob.kind])
      #expect(platform.store.outbox.map(\.pool) == [followUpJobs])
    }
  }

  @Test func `a snoozed job is not counted, and counted once when it is completed`() async throws {
    let platform = EnginePlatform()
    let (calls, executions) = (Locked<[Call]>([]), Locked(0))
    let outcome: @Sendable (JobInfo) -> JobOutcome = { _ in
      let execution = executions.change { executions in
        executions += 1
        return executions
      }
      return execution == 1 ? .snoozed(for: .seconds(1), reason: "not yet") : .completed
    }
    try await platform.withNode(registering: { register(&$0, calls, doing: outcome) }) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the job waits") { platform.broker.retries.count == 1 && platform.broker.isEmpty(echoJobs) }
      #expect(calls.value.isEmpty)
      #expect(platform.store.outbox.isEmpty)
      platform.broker.releaseRetries()
      try await eventually("the counts job is completed") { platform.store.effects == ["a", "counted"] }
      #expect(calls.value.map { $0.counts.values.reduce(0, +) } == [3])
    }
  }

  @Test func `a cancelled job is counted with its reason`() async throws {
    let platform = EnginePlatform()
    let calls = Locked<[Call]>([])
    try await platform.withNode(
      registering: { register(&$0, calls) { _ in .cancelled(reason: "not wanted") } }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the counts job is completed") { platform.store.effects == ["a", "counted"] }
      #expect(calls.value.flatMap { $0.completed.map(\.outcome) } == [.cancelled(reason: "not wanted")])
    }
  }

  @Test func `a job past its deadline, and one without effects of its own, are counted too`() async throws {
    let platform = EnginePlatform()
    let calls = Locked<[Call]>([])
    try await platform.withNode(
      registering: { registry in
        register(&registry, calls)
        registry.register(EchoWorker { _, _ in .completed })
      }
    ) { _ async throws in
      let late = try await platform.enqueue("late", deadline: Date(timeIntervalSinceNow: -1))[0]
      let idle = try await platform.enqueue("idle")[0]
      try await eventually("both counts jobs are completed") { platform.store.effects == ["counted", "counted"] }
      let completed = calls.value.flatMap(\.completed)
      #expect(Set(completed.map(\.info.jobRun)) == [late.jobRun, idle.jobRun])
      #expect(calls.value.allSatisfy { $0.counts.isEmpty })
    }
  }

  @Test func `a copy of a completed job is not counted again`() async throws {
    let platform = EnginePlatform()
    let calls = Locked<[Call]>([])
    try await platform.withNode(registering: { register(&$0, calls) }) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.enqueue([job])
      try await eventually("both copies are acknowledged") {
        platform.broker.acknowledged.filter { $0 == job.jobRun }.count == 2
      }
      #expect(calls.value.count == 1)
    }
  }

  @Test func `an error while counting fails the attempt and rolls it back`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let calls = Locked<[Call]>([])
    try await platform.withNode(
      registering: { registry in
        register(&registry, calls)
        registry.countsJobFactory = { _, _ in throw TransientError() }
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      let letter = try await platform.onlyLetter()
      #expect(letter.jobRun == job.jobRun)
      #expect(letter.deadLetterInfo.detail.contains("kettle"))
      #expect(platform.store.effects.isEmpty && platform.store.outbox.isEmpty)
    }
  }
}
