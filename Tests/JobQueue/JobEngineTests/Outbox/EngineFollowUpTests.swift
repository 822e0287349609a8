import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Follow-up jobs: enqueued if, and only if, the completing transaction commits.
@Suite(.timeLimit(.minutes(1)))
struct EngineFollowUpTests {
  /// Registers a worker whose echo jobs enqueue a follow-up job, and one for follow-up jobs.
  private func register(
    _ registry: inout WorkerRegistry<InMemoryTransaction>, dueAt: Date? = nil,
    before: @escaping @Sendable (JobInfo) async throws -> Void = { _ in }
  ) {
    registry.register(
      EchoWorker { job, context in
        try await context.complete { transaction, followUps in
          transaction.record(job.name)
          try followUps.enqueue(FollowUpJob(name: "\(job.name), continued"), from: context.info, dueAt: dueAt)
          try await before(context.info)
          return .completed
        }
      })
    registry.register(FollowUpWorker())
  }

  @Test func `a follow-up job is enqueued after the commit and completed, and the outbox is left empty`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(registering: { register(&$0) }) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the follow-up job is completed") { platform.store.effects == ["a", "a, continued"] }
      try await eventually("the outbox is empty") { platform.store.outbox.isEmpty }
      try await eventually("the follow-up job is acknowledged") { platform.broker.isEmpty(followUpJobs) }
    }
  }

  @Test func `a follow-up job takes tenant and correlation id from its cause`() async throws {
    let platform = EnginePlatform()
    // Only the echo jobs' pool runs, so that the follow-up job stays queued.
    try await platform.withNode(pools: [echoJobs], registering: { register(&$0) }) { _ async throws in
      let cause = try await platform.enqueue("a")[0]
      try await eventually("the follow-up job is queued") { platform.broker.queued(in: followUpJobs).count == 1 }
      let followUp = try #require(platform.broker.queued(in: followUpJobs).first)
      #expect(followUp.kind == FollowUpJob.kind)
      #expect(followUp.tenant == cause.tenant)
      #expect(followUp.correlationID == "\(cause.id)")
      #expect(followUp.attempt == 1)
      #expect(followUp.run == 1)
    }
  }

  @Test func `a failed attempt enqueues no follow-up job`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    try await platform.withNode(registering: { register(&$0) { _ in throw TransientError() } }) { _ async throws in
      try await platform.enqueue("a")
      _ = try await platform.onlyLetter()
      #expect(platform.store.outbox.isEmpty)
      #expect(platform.broker.isEmpty(followUpJobs))
      #expect(platform.store.effects.isEmpty)
    }
  }

  @Test func `a follow-up job with a due time is scheduled until then`() async throws {
    let platform = EnginePlatform()
    let dueAt = Date(timeIntervalSinceNow: 3_600)
    try await platform.withNode(registering: { register(&$0, dueAt: dueAt) }) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the echo job is completed") { platform.store.effects == ["a"] }
      #expect(platform.store.scheduledJobs.map(\.dueAt) == [dueAt])
      platform.store.advance(by: .seconds(3_601))
      try await eventually("the follow-up job is completed") { platform.store.effects == ["a", "a, continued"] }
    }
  }

  @Test func `while the broker is unavailable follow-up jobs stay in the outbox, and are relayed later`() async throws {
    let platform = EnginePlatform()
    let register: @Sendable (inout WorkerRegistry<InMemoryTransaction>) -> Void = { registry in
      self.register(&registry) { _ in platform.broker.isReady = false }
    }
    try await platform.withNode(registering: register) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      // The echo job itself is completed: its follow-up job is in the outbox.
      try await eventually("the echo job is acknowledged") { platform.broker.acknowledged == [job.jobRun] }
      #expect(platform.store.outbox.count == 1)
      #expect(platform.store.effects == ["a"])
      platform.broker.isReady = true
      // The relay leaves young entries to the process that committed them.
      platform.store.advance(by: .seconds(60))
      try await eventually("the follow-up job is completed") { platform.store.effects == ["a", "a, continued"] }
      try await eventually("the outbox is empty") { platform.store.outbox.isEmpty }
    }
  }

  @Test func `a follow-up job whose enqueueing is in doubt is enqueued again and has one effect`() async throws {
    let platform = EnginePlatform()
    platform.broker.fail(with: .inDoubt(isEnqueued: true)) { $0.destination == .pool(followUpJobs) }
    try await platform.withNode(registering: { register(&$0) }) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the follow-up job is completed") { platform.store.effects == ["a", "a, continued"] }
      platform.store.advance(by: .seconds(60))
      try await eventually("both copies are acknowledged") { platform.broker.acknowledged.count == 3 }
      try await eventually("the outbox is empty") { platform.store.outbox.isEmpty }
      #expect(platform.store.effects == ["a", "a, continued"])
    }
  }

  @Test func `an outbox row that could not be deleted is published again and has one effect`() async throws {
    let platform = EnginePlatform()
    platform.store.fail(next: .deleteFromOutbox, with: .unavailable("gone"))
    try await platform.withNode(registering: { register(&$0) }) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the follow-up job is completed") { platform.store.effects == ["a", "a, continued"] }
      platform.store.advance(by: .seconds(60))
      try await eventually("the outbox is empty") { platform.store.outbox.isEmpty }
      try await eventually("the follow-up jobs are settled") { platform.broker.isEmpty(followUpJobs) }
      #expect(platform.store.effects == ["a", "a, continued"])
    }
  }

  @Test func `a follow-up job whose kind is in no pool fails the attempt`() async throws {
    struct Stray: Job { static let kind: JobKind = "test.stray" }
    let platform = EnginePlatform(maxAttempts: 1)
    try await platform.withNode(
      echoJobs: { job, context in
        try await context.complete { transaction, followUps in
          transaction.record(job.name)
          try followUps.enqueue(Stray(), from: context.info)
          return .completed
        }
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.detail.contains("test.stray"))
      #expect(platform.store.effects.isEmpty)
    }
  }

  @Test(arguments: [true, false])
  func `a follow-up job that is too large fails the attempt, and stays in no outbox`(_ isWrapped: Bool) async throws {
    let platform = EnginePlatform()
    try await platform.withNode(registering: { registry in
      registry.register(
        EchoWorker { job, context in
          try await context.complete { transaction, followUps in
            transaction.record(job.name)
            let name = String(repeating: "a", count: JobCodec.maxBodyBytes)
            if isWrapped {
              followUps.enqueue(JobEnvelope(kind: FollowUpJob.kind, body: Data(name.utf8) + Data("b".utf8)))
            } else {
              try followUps.enqueue(FollowUpJob(name: name), from: context.info)
            }
            return .completed
          }
        })
      registry.register(FollowUpWorker())
    }) { _ async throws in
      try await platform.enqueue("a")
      let info = try await platform.onlyLetter().deadLetterInfo
      #expect(info.reason == .permanentError)
      #expect(info.attempts == 1)
      #expect(info.detail.contains("\(FollowUpJob.kind)"))
      #expect(info.detail.contains("at most \(JobCodec.maxBodyBytes)"))
      #expect(platform.store.outbox.isEmpty)
      #expect(platform.store.effects.isEmpty)
    }
  }
}
