import Foundation
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// What is counted in closing transactions, and the job that carries it on.
@Suite(.timeLimit(.minutes(1)))
struct EngineCountingTests {
  private let minute = Date(timeIntervalSince1970: 1_795_414_320)

  /// A call of the registry's counting, for errands.
  private struct Call: Sendable {
    let counts: [CountKey: Int]
    let closed: [ClosedJob]
  }

  /// Does errands that count themselves, and counts into `calls`; the counts are carried by a sequel.
  private func register(
    _ registry: inout WorkerRegistry<InMemoryTransaction>, _ calls: Locked<[Call]>,
    doing outcome: @escaping @Sendable (JobInfo) throws -> JobOutcome = { _ in .completed }
  ) {
    let minute = minute
    registry.register(
      ErrandWorker { job, context in
        try await context.close { transaction, followUps in
          transaction.record(job.name)
          followUps.count("errand.run", job.name, of: context.info.tenant, at: minute + 1, by: 2)
          followUps.count("errand.run", job.name, of: context.info.tenant, at: minute + 59)
          return try outcome(context.info)
        }
      })
    registry.register(SequelWorker())
    registry.counting = { counts, closed in
      guard closed.allSatisfy({ $0.kind == Errand.kind }) else { return nil }
      calls.change { $0.append(Call(counts: counts, closed: closed)) }
      return try JobCodec.envelope(for: Sequel(name: "counted"), tenant: nil)
    }
  }

  @Test func `what a job counted, and the job itself, are carried on by a job that follows`() async throws {
    let platform = EnginePlatform()
    let calls = Locked<[Call]>([])
    try await platform.withNode(registering: { register(&$0, calls) }) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the counts are carried") { platform.ledger.effects == ["a", "counted"] }
      try #require(calls.value.count == 1)
      let call = calls.value[0]
      let key = CountKey(tenant: job.tenant, measure: "errand.run", detail: "a", at: minute)
      #expect(call.counts == [key: 3])
      #expect(call.closed.map(\.info.jobRun) == [job.jobRun])
      #expect(call.closed.map(\.outcome) == [.completed])
    }
  }

  @Test func `the counts are in the same commit as the job`() async throws {
    let platform = EnginePlatform()
    let calls = Locked<[Call]>([])
    platform.ledger.fail(next: .close, with: .contention, times: 2)
    let register: @Sendable (inout WorkerRegistry<InMemoryTransaction>) -> Void = { registry in
      self.register(&registry, calls) { _ in
        platform.broker.isReady = false
        return .completed
      }
    }
    try await platform.withNode(pools: [errands], registering: register) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await eventually("the errand is acknowledged") { platform.broker.acknowledged == [job.jobRun] }
      #expect(platform.ledger.commits == 1)
      #expect(platform.ledger.outbox.map(\.envelope.kind) == [Sequel.kind])
      #expect(platform.ledger.outbox.map(\.pool) == [sequels])
    }
  }

  @Test func `what is snoozed is not counted, and what is done at last is counted once`() async throws {
    let platform = EnginePlatform()
    let (calls, turns) = (Locked<[Call]>([]), Locked(0))
    let outcome: @Sendable (JobInfo) -> JobOutcome = { _ in
      let turn = turns.change { turns in
        turns += 1
        return turns
      }
      return turn == 1 ? .snoozed(for: .seconds(1), reason: "not yet") : .completed
    }
    try await platform.withNode(registering: { register(&$0, calls, doing: outcome) }) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the job waits") { platform.broker.retries.count == 1 && platform.broker.isEmpty(errands) }
      #expect(calls.value.isEmpty)
      #expect(platform.ledger.outbox.isEmpty)
      platform.broker.releaseRetries()
      try await eventually("the counts are carried") { platform.ledger.effects == ["a", "counted"] }
      #expect(calls.value.map { $0.counts.values.reduce(0, +) } == [3])
    }
  }

  @Test func `a discarded job is counted with its reason`() async throws {
    let platform = EnginePlatform()
    let calls = Locked<[Call]>([])
    try await platform.withNode(
      registering: { register(&$0, calls) { _ in .discarded(reason: "not wanted") } }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the counts are carried") { platform.ledger.effects == ["a", "counted"] }
      #expect(calls.value.flatMap { $0.closed.map(\.outcome) } == [.discarded(reason: "not wanted")])
    }
  }

  @Test func `a job past its deadline, and one without effects of its own, are counted too`() async throws {
    let platform = EnginePlatform()
    let calls = Locked<[Call]>([])
    try await platform.withNode(
      registering: { registry in
        register(&registry, calls)
        registry.register(ErrandWorker { _, _ in .completed })
      }
    ) { _ async throws in
      let late = try await platform.enqueue("late", deadline: Date(timeIntervalSinceNow: -1))[0]
      let idle = try await platform.enqueue("idle")[0]
      try await eventually("both are carried") { platform.ledger.effects == ["counted", "counted"] }
      let closed = calls.value.flatMap(\.closed)
      #expect(Set(closed.map(\.info.jobRun)) == [late.jobRun, idle.jobRun])
      #expect(calls.value.allSatisfy { $0.counts.isEmpty })
    }
  }

  @Test func `a job that was done before is not counted again`() async throws {
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

  @Test func `where counting fails the attempt fails, and nothing of it stays`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    let calls = Locked<[Call]>([])
    try await platform.withNode(
      registering: { registry in
        register(&registry, calls)
        registry.counting = { _, _ in throw Mishap() }
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      let letter = try await platform.onlyLetter()
      #expect(letter.jobRun == job.jobRun)
      #expect(letter.certificate.detail.contains("kettle"))
      #expect(platform.ledger.effects.isEmpty && platform.ledger.outbox.isEmpty)
    }
  }
}
