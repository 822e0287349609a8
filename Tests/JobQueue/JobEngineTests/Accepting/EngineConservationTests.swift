import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Whatever happens to jobs, as many runs have ended as were accepted, each counted once.
@Suite(.timeLimit(.minutes(1)))
struct EngineConservationTests {
  private func requireFlow(
    _ expected: JobFlow, _ platform: EnginePlatform, of pool: PoolName = echoJobs,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await eventually("the counts are \(expected), not \(platform.store.flows[pool] ?? JobFlow())") {
      platform.store.flows[pool] == expected
    }
    #expect(platform.store.acceptedJobs.isEmpty, sourceLocation: sourceLocation)
  }

  @Test func `copies of a job count once`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.enqueue([job, job])
      try await platform.eventuallyIdle()
      try await requireFlow(JobFlow(accepted: 1, completed: 1), platform)
    }
  }

  @Test func `retries, a dead letter, an operator's retry and archiving`() async throws {
    let platform = EnginePlatform()
    let fails = Locked(true)
    try await platform.withNode(echoJobs: { job, context in
      if fails.value { throw TransientError() }
      return try await EchoWorker.simple(job, context)
    }) { _ async throws in
      try await platform.enqueue("a", "b")
      try await eventually("both are dead") {
        platform.broker.releaseRetries()
        return try await platform.deadLetterIndex.letters(DeadLetterFilter()).count == 2
      }
      try await requireFlow(JobFlow(accepted: 2, dead: 2), platform)
      fails.change { $0 = false }
      #expect(try await platform.deadLetterIndex.retry(DeadLetterFilter(limit: 1), by: "test").retried == 1)
      #expect(try await platform.deadLetterIndex.archive(DeadLetterFilter(), by: "test") == 1)
      try await requireFlow(JobFlow(accepted: 3, completed: 1, dead: 2), platform)
    }
  }

  @Test func `a snoozed, a cancelled and a parked job, and one past its deadline`() async throws {
    let platform = EnginePlatform()
    let snoozes = Locked(1)
    try await platform.withNode(echoJobs: { job, context in
      try await context.complete { transaction, _ in
        if job.name == "cancel" { return .cancelled(reason: "not wanted") }
        if job.name == "snooze",
          snoozes.change({
            $0 -= 1; return $0
          }) >= 0
        {
          return .snoozed(for: .milliseconds(10), reason: "later")
        }
        transaction.record(job.name)
        return .completed
      }
    }) { node async throws in
      try await platform.enqueue("late", deadline: .now - 60)
      try await platform.enqueue("snooze", "cancel", "done")
      try await eventually("the snoozed one has run again") {
        platform.broker.releaseRetries()
        return platform.store.effects.sorted() == ["done", "snooze"]
      }
      try await requireFlow(JobFlow(accepted: 4, completed: 2, cancelled: 2), platform)
      _ = try await platform.directory.change(echoJobs, by: "test") { $0.pausedKinds = [EchoJob.kind] }
      try await eventually("the kind is paused") {
        if platform.store.scheduledJobs.isEmpty { try await platform.enqueue("parked") }
        return !platform.store.scheduledJobs.isEmpty
      }
      _ = try await platform.directory.change(echoJobs, by: "test") { $0.pausedKinds = [] }
      try await eventually("all pools add up") {
        platform.store.scheduledJobs.isEmpty && platform.broker.isEmpty(echoJobs)
          && platform.store.flows.values.allSatisfy { $0.open == 0 }
      }
    }
  }

  @Test func `a follow-up counts in its own pool, once`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(registering: {
      $0.register(
        EchoWorker { job, context in
          try await context.complete { transaction, followUps in
            try followUps.enqueue(FollowUpJob(name: "next"), from: context.info)
            return .completed
          }
        })
      $0.register(FollowUpWorker())
    }) { _ async throws in
      try await platform.enqueue("a", "b")
      try await eventually("the outbox is empty") {
        platform.store.effects.count == 2 && platform.store.outbox.isEmpty
      }
      try await requireFlow(JobFlow(accepted: 2, completed: 2), platform)
      try await requireFlow(JobFlow(accepted: 2, completed: 2), platform, of: followUpJobs)
    }
  }

  @Test func `unreadable messages count as accepted and dead`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      try await platform.enqueue([JobEnvelope(kind: EchoJob.kind, body: Data("?".utf8))])
      try await platform.enqueue([JobEnvelope(kind: "test.unknown", body: Data("{}".utf8))])
      try await eventually("both are dead") {
        try await platform.deadLetterIndex.letters(DeadLetterFilter()).count == 2
      }
      try await requireFlow(JobFlow(accepted: 2, dead: 2), platform)
    }
  }
}
