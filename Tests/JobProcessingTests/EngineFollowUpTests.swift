import Foundation
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// Jobs that follow from jobs: enqueued if, and only if, the transaction commits.
@Suite(.timeLimit(.minutes(1)))
struct EngineFollowUpTests {
  /// Does an errand that has a sequel, and sequels.
  private func register(
    _ registry: inout WorkerRegistry<InMemoryTransaction>, dueAt: Date? = nil,
    before: @escaping @Sendable (JobInfo) async throws -> Void = { _ in }
  ) {
    registry.register(
      ErrandWorker { job, context in
        try await context.close { transaction, followUps in
          transaction.record(job.name)
          try followUps.enqueue(Sequel(name: "\(job.name), continued"), from: context.info, dueAt: dueAt)
          try await before(context.info)
          return .completed
        }
      })
    registry.register(SequelWorker())
  }

  @Test func `a follow-up is enqueued after the commit and done, and the outbox is left empty`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(registering: { register(&$0) }) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the sequel is done") { platform.ledger.effects == ["a", "a, continued"] }
      try await eventually("the outbox is empty") { platform.ledger.outbox.isEmpty }
      try await eventually("the sequel is acknowledged") { platform.broker.isEmpty(sequels) }
    }
  }

  @Test func `a follow-up takes tenant, correlation and trace over from its cause`() async throws {
    let platform = EnginePlatform()
    // Only the errands' pool runs, so that the sequel stays to be looked at.
    try await platform.withNode(pools: [errands], registering: { register(&$0) }) { _ async throws in
      let cause = try await platform.enqueue("a")[0]
      try await eventually("the sequel waits") { platform.broker.ready(in: sequels).count == 1 }
      let sequel = try #require(platform.broker.ready(in: sequels).first)
      #expect(sequel.kind == Sequel.kind)
      #expect(sequel.tenant == cause.tenant)
      #expect(sequel.correlationID == "\(cause.id)")
      #expect(sequel.attempt == 1)
      #expect(sequel.run == 1)
    }
  }

  @Test func `a follow-up of an attempt that fails does not exist`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    try await platform.withNode(registering: { register(&$0) { _ in throw Mishap() } }) { _ async throws in
      try await platform.enqueue("a")
      _ = try await platform.onlyLetter()
      #expect(platform.ledger.outbox.isEmpty)
      #expect(platform.broker.isEmpty(sequels))
      #expect(platform.ledger.effects.isEmpty)
    }
  }

  @Test func `a follow-up with a time waits for it`() async throws {
    let platform = EnginePlatform()
    let dueAt = Date(timeIntervalSinceNow: 3_600)
    try await platform.withNode(registering: { register(&$0, dueAt: dueAt) }) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the errand is done") { platform.ledger.effects == ["a"] }
      #expect(platform.ledger.delayedJobs.map(\.dueAt) == [dueAt])
      platform.ledger.advance(by: .seconds(3_601))
      try await eventually("the sequel is done") { platform.ledger.effects == ["a", "a, continued"] }
    }
  }

  @Test func `while the broker is away follow-ups wait in the outbox, and are relayed later`() async throws {
    let platform = EnginePlatform()
    let register: @Sendable (inout WorkerRegistry<InMemoryTransaction>) -> Void = { registry in
      self.register(&registry) { _ in platform.broker.isReady = false }
    }
    try await platform.withNode(registering: register) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      // The errand itself is done: its sequel is safe in the outbox.
      try await eventually("the errand is acknowledged") { platform.broker.acknowledged == [job.jobRun] }
      #expect(platform.ledger.outbox.count == 1)
      #expect(platform.ledger.effects == ["a"])
      platform.broker.isReady = true
      // Young entries are left to those who committed them.
      platform.ledger.advance(by: .seconds(60))
      try await eventually("the sequel is done") { platform.ledger.effects == ["a", "a, continued"] }
      try await eventually("the outbox is empty") { platform.ledger.outbox.isEmpty }
    }
  }

  @Test func `a follow-up whose enqueuing is in doubt is enqueued again and has one effect`() async throws {
    let platform = EnginePlatform()
    platform.broker.fail(with: .inDoubt(isKept: true)) { $0.destination == .pool(sequels) }
    try await platform.withNode(registering: { register(&$0) }) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the sequel is done") { platform.ledger.effects == ["a", "a, continued"] }
      platform.ledger.advance(by: .seconds(60))
      try await eventually("both copies are acknowledged") { platform.broker.acknowledged.count == 3 }
      try await eventually("the outbox is empty") { platform.ledger.outbox.isEmpty }
      #expect(platform.ledger.effects == ["a", "a, continued"])
    }
  }

  @Test func `an outbox row that could not be deleted is published again and has one effect`() async throws {
    let platform = EnginePlatform()
    platform.ledger.fail(next: .deleteFromOutbox, with: .unavailable("gone"))
    try await platform.withNode(registering: { register(&$0) }) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the sequel is done") { platform.ledger.effects == ["a", "a, continued"] }
      platform.ledger.advance(by: .seconds(60))
      try await eventually("the outbox is empty") { platform.ledger.outbox.isEmpty }
      try await eventually("the sequels are settled") { platform.broker.isEmpty(sequels) }
      #expect(platform.ledger.effects == ["a", "a, continued"])
    }
  }

  @Test func `a follow-up of a kind in no pool fails the attempt`() async throws {
    struct Stray: Job { static let kind: JobKind = "test.stray" }
    let platform = EnginePlatform(maxAttempts: 1)
    try await platform.withNode(
      errands: { job, context in
        try await context.close { transaction, followUps in
          transaction.record(job.name)
          try followUps.enqueue(Stray(), from: context.info)
          return .completed
        }
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      let letter = try await platform.onlyLetter()
      #expect(letter.certificate.detail.contains("test.stray"))
      #expect(platform.ledger.effects.isEmpty)
    }
  }
}
