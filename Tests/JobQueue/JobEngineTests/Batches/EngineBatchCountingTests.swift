import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Counts of jobs that are completed by one transaction.
@Suite(.timeLimit(.minutes(1)))
struct EngineBatchCountingTests {
  @Test func `a batch is counted once, without its snoozed jobs`() async throws {
    let platform = EnginePlatform(
      workers: WorkerCounts(min: 1, start: 1, max: 4), batch: BatchConfiguration(size: 3, wait: .seconds(50)))
    let calls = Locked<[[FinishedJob]]>([])
    try await platform.withNode(
      registering: { registry in
        registry.register(
          EchoBatchWorker { batch, _ in
            batch.map { $0.job.name == "snoozing" ? .snoozed(for: .seconds(1), reason: "not yet") : .completed }
          })
        registry.countsJobFactory = { _, completed in
          calls.change { $0.append(completed) }
          return nil
        }
      }
    ) { _ async throws in
      let jobs = try await platform.enqueue("a", "snoozing", "c")
      try await platform.eventuallyIdle()
      #expect(calls.value.map { $0.map(\.info.jobRun) } == [[jobs[0].jobRun, jobs[2].jobRun]])
      #expect(platform.store.commits == 1)
      #expect(platform.store.outbox.isEmpty)
    }
  }

  @Test func `a batch whose jobs are all snoozed is not counted`() async throws {
    let platform = EnginePlatform(
      workers: WorkerCounts(min: 1, start: 1, max: 4), batch: BatchConfiguration(size: 2, wait: .seconds(50)))
    let calls = Locked(0)
    try await platform.withNode(
      registering: { registry in
        registry.register(
          EchoBatchWorker { batch, _ in batch.map { _ in .snoozed(for: .seconds(1), reason: "not yet") } })
        registry.countsJobFactory = { _, _ in
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
