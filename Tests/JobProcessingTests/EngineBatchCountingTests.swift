import JobConfiguration
import JobProcessing
import Jobs
import JobsTesting
import TestServers
import Testing

/// What is counted where many jobs are closed by one transaction.
@Suite(.timeLimit(.minutes(1)))
struct EngineBatchCountingTests {
  @Test func `a batch is counted at once, without those that were snoozed`() async throws {
    let platform = EnginePlatform(
      workers: WorkerCounts(min: 1, start: 1, max: 4), batch: BatchConfiguration(size: 3, wait: .seconds(50)))
    let calls = Locked<[[ClosedJob]]>([])
    try await platform.withNode(
      registering: { registry in
        registry.register(
          ErrandBatchWorker { batch, _ in
            batch.map { $0.job.name == "tired" ? .snoozed(for: .seconds(1), reason: "not yet") : .completed }
          })
        registry.counting = { _, closed in
          calls.change { $0.append(closed) }
          return nil
        }
      }
    ) { _ async throws in
      let jobs = try await platform.enqueue("a", "tired", "c")
      try await platform.eventuallyIdle()
      #expect(calls.value.map { $0.map(\.info.jobRun) } == [[jobs[0].jobRun, jobs[2].jobRun]])
      #expect(platform.ledger.commits == 1)
      #expect(platform.ledger.outbox.isEmpty)
    }
  }

  @Test func `a batch of which every job was snoozed is not counted`() async throws {
    let platform = EnginePlatform(
      workers: WorkerCounts(min: 1, start: 1, max: 4), batch: BatchConfiguration(size: 2, wait: .seconds(50)))
    let calls = Locked(0)
    try await platform.withNode(
      registering: { registry in
        registry.register(
          ErrandBatchWorker { batch, _ in batch.map { _ in .snoozed(for: .seconds(1), reason: "not yet") } })
        registry.counting = { _, _ in
          calls.change { $0 += 1 }
          return nil
        }
      }
    ) { _ async throws in
      try await platform.enqueue("a", "b")
      try await platform.eventuallyIdle()
      #expect(calls.value == 0)
      #expect(platform.broker.retries.count == 2)
    }
  }
}
