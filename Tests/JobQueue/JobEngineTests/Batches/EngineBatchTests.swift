import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Batches: many jobs completed in one transaction.
@Suite(.timeLimit(.minutes(1)))
struct EngineBatchTests {
  /// A pool with this batch size. By default a batch that is not full waits for almost as long as a test may take.
  private func platform(_ size: Int, wait: Duration = .seconds(50), maxAttempts: Int = 3) -> EnginePlatform {
    EnginePlatform(
      workers: WorkerCounts(min: 1, start: 1, max: 4), maxAttempts: maxAttempts,
      batch: BatchConfiguration(size: size, wait: wait))
  }

  /// Runs a node with a batch worker that gives each job this outcome; `seen` records the names of each batch.
  private func withNode<Value>(
    _ platform: EnginePlatform, seen: Locked<[[String]]> = Locked([]),
    doing outcome: @escaping @Sendable (String) throws -> JobOutcome = { _ in .completed },
    _ body: (EngineNode) async throws -> Value
  ) async throws -> Value {
    try await platform.withNode(
      registering: { registry in
        registry.register(
          EchoBatchWorker { batch, transaction in
            seen.change { $0.append(batch.map(\.job.name)) }
            return try batch.map { item in
              let outcome = try outcome(item.job.name)
              if case .completed = outcome { transaction.record(item.job.name) }
              return outcome
            }
          })
      }, body)
  }

  @Test func `a full batch is one transaction`() async throws {
    let platform = platform(5)
    let seen = Locked<[[String]]>([])
    try await withNode(platform, seen: seen) { _ async throws in
      let jobs = try await platform.enqueue("a", "b", "c", "d", "e")
      try await platform.eventuallyIdle()
      #expect(seen.value == [["a", "b", "c", "d", "e"]])
      #expect(platform.store.commits == 1)
      #expect(platform.store.effects == ["a", "b", "c", "d", "e"])
      #expect(Set(platform.broker.acknowledged) == Set(jobs.map(\.jobRun)))
    }
  }

  @Test func `a batch that does not fill begins after its wait`() async throws {
    let platform = platform(100, wait: .milliseconds(50))
    try await withNode(platform) { _ async throws in
      try await platform.enqueue("a", "b")
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["a", "b"])
    }
  }

  @Test func `of a batch with a failing job only that job fails`() async throws {
    let platform = platform(6)
    let seen = Locked<[[String]]>([])
    try await withNode(
      platform, seen: seen,
      doing: { name in
        if name == "faulty" { throw TransientError() }
        return .completed
      }
    ) { _ async throws in
      try await platform.enqueue("a", "b", "c", "faulty", "e", "f")
      try await platform.eventuallyIdle()
      #expect(platform.store.effects.sorted() == ["a", "b", "c", "e", "f"])
      #expect(platform.broker.retries.count == 1)
      let retried = try #require(platform.broker.retries.first?.envelope)
      #expect(try JobCodec.decode(EchoJob.self, from: retried).name == "faulty")
      #expect(retried.attempt == 2)
      // The other jobs spend no attempt: the whole batch runs first, then its halves.
      #expect(seen.value.first?.count == 6)
      #expect(seen.value.last { $0.contains("faulty") } == ["faulty"])
    }
  }

  @Test func `only the failing job of a batch is dead after its last attempt`() async throws {
    let platform = platform(2, maxAttempts: 1)
    try await withNode(
      platform,
      doing: { name in
        if name == "faulty" { throw PermanentError() }
        return .completed
      }
    ) { _ async throws in
      let jobs = try await platform.enqueue("faulty", "b")
      let letter = try await platform.onlyLetter()
      #expect(letter.jobRun == jobs[0].jobRun)
      #expect(letter.deadLetterInfo.reason == .permanentError)
      #expect(platform.store.effects == ["b"])
    }
  }

  @Test func `a snoozed job of a batch has no receipt, and the others are completed`() async throws {
    let platform = platform(3)
    try await withNode(
      platform, doing: { $0 == "snoozing" ? .snoozed(for: .seconds(1), reason: "not yet") : .completed }
    ) { _ async throws in
      let jobs = try await platform.enqueue("a", "snoozing", "c")
      try await platform.eventuallyIdle()
      #expect(platform.store.commits == 1)
      #expect(platform.store.effects == ["a", "c"])
      #expect(platform.store.receipt(of: jobs[1].jobRun) == nil)
      #expect(platform.broker.retries.map(\.envelope) == [jobs[1]])
    }
  }

  @Test func `a cancelled job of a batch has its reason in the receipt, and the others are completed`() async throws {
    let platform = platform(3)
    try await withNode(
      platform, doing: { $0 == "cancelled" ? .cancelled(reason: "not wanted") : .completed }
    ) { _ async throws in
      let jobs = try await platform.enqueue("a", "cancelled", "c")
      try await platform.eventuallyIdle()
      let receipts = jobs.map { platform.store.receipt(of: $0.jobRun) }
      #expect(receipts.map { $0?.outcome } == [.completed, .cancelled, .completed])
      #expect(receipts[1]?.reason == "not wanted")
    }
  }

  @Test func `the same job twice in a batch is completed once and acknowledged twice`() async throws {
    let platform = platform(3)
    let seen = Locked<[[String]]>([])
    let (twin, other) = (
      try JobCodec.envelope(for: EchoJob(name: "twin"), tenant: nil),
      try JobCodec.envelope(for: EchoJob(name: "other"), tenant: nil)
    )
    try await withNode(platform, seen: seen) { _ async throws in
      try await platform.enqueue([twin, other, twin])
      try await platform.eventuallyIdle()
      #expect(seen.value == [["twin", "other"]])
      #expect(platform.store.effects == ["twin", "other"])
      #expect(platform.broker.acknowledged.filter { $0 == twin.jobRun }.count == 2)
    }
  }

  @Test func `the same job twice in a batch, snoozed, is enqueued once`() async throws {
    let platform = platform(2)
    let twin = try JobCodec.envelope(for: EchoJob(name: "twin"), tenant: nil)
    try await withNode(platform, doing: { _ in .snoozed(for: .seconds(1), reason: "not yet") }) { _ async throws in
      try await platform.enqueue([twin, twin])
      try await platform.eventuallyIdle()
      #expect(platform.broker.retries.map(\.envelope) == [twin])
    }
  }

  @Test func `jobs that have a receipt already are left out of a batch`() async throws {
    let platform = platform(2)
    let seen = Locked<[[String]]>([])
    try await withNode(platform, seen: seen) { _ async throws in
      let first = try await platform.enqueue("a", "b")
      try await platform.eventuallyIdle()
      let next = try JobCodec.envelope(for: EchoJob(name: "c"), tenant: nil)
      try await platform.enqueue([first[0], next])
      try await platform.eventuallyIdle()
      #expect(seen.value == [["a", "b"], ["c"]])
      #expect(platform.store.effects == ["a", "b", "c"])
    }
  }

  @Test func `a redelivered job is completed alone`() async throws {
    let platform = platform(2)
    let seen = Locked<[[String]]>([])
    let redelivered = try JobCodec.envelope(for: EchoJob(name: "redelivered"), tenant: nil)
    try await withNode(platform, seen: seen) { _ async throws in
      platform.broker.put(.job(redelivered), body: redelivered.body, into: echoJobs, redelivered: true)
      try await platform.enqueue("a", "b")
      try await platform.eventuallyIdle()
      #expect(Set(seen.value) == [["redelivered"], ["a", "b"]])
    }
  }

  @Test func `a job of a batch that is past its deadline is cancelled, and the others are completed`() async throws {
    let platform = platform(2)
    let seen = Locked<[[String]]>([])
    let past = Date(timeIntervalSinceNow: -1)
    let late = try JobCodec.envelope(for: EchoJob(name: "late"), tenant: nil, deadline: past)
    let early = try JobCodec.envelope(for: EchoJob(name: "early"), tenant: nil)
    try await withNode(platform, seen: seen) { _ async throws in
      try await platform.enqueue([late, early])
      try await platform.eventuallyIdle()
      #expect(seen.value == [["early"]])
      #expect(platform.store.receipt(of: late.jobRun)?.outcome == .cancelled)
      #expect(platform.store.receipt(of: early.jobRun)?.outcome == .completed)
    }
  }

  @Test func `a batch whose commit was in doubt has its effects once`() async throws {
    let platform = platform(3, maxAttempts: 1)
    platform.store.fail(next: .complete, with: .inDoubt, takesEffect: true)
    try await withNode(platform) { _ async throws in
      let jobs = try await platform.enqueue("a", "b", "c")
      try await platform.eventuallyIdle()
      #expect(platform.store.effects == ["a", "b", "c"])
      #expect(Set(platform.broker.acknowledged) == Set(jobs.map(\.jobRun)))
      #expect(platform.broker.retries.isEmpty)
    }
  }
}
