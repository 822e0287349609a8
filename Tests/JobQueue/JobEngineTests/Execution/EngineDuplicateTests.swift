import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Copies of jobs that already have a receipt: their workers must not be called, since effects outside the store cannot
/// be rolled back.
@Suite(.timeLimit(.minutes(1)))
struct EngineDuplicateTests {
  /// Runs `ending`, and records the attempts it was called for.
  private func worker(_ attempts: Locked<[Int]>, ending: @escaping EchoWorker.Body = EchoWorker.simple)
    -> EchoWorker.Body
  {
    { job, context in
      attempts.change { $0.append(context.info.attempt) }
      return try await ending(job, context)
    }
  }

  /// Puts the job into its pool, marked as redelivered.
  private func redeliver(_ job: JobEnvelope, _ platform: EnginePlatform) {
    platform.broker.put(.job(job), body: job.body, into: echoJobs, redelivered: true)
  }

  @Test func `a redelivered job that has completed is acknowledged, and its worker is not called`() async throws {
    let platform = EnginePlatform()
    let attempts = Locked<[Int]>([])
    try await platform.withNode(echoJobs: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      redeliver(job, platform)
      try await eventually("the copy is acknowledged") { platform.broker.acknowledged == [job.jobRun, job.jobRun] }
      #expect(attempts.value == [1])
      #expect(platform.store.effects == ["a"])
      #expect(platform.store.starts(of: job.jobRun).isEmpty)
    }
  }

  @Test func `a retry of a job that has completed is acknowledged, and its worker is not called`() async throws {
    let platform = EnginePlatform()
    let attempts = Locked<[Int]>([])
    try await platform.withNode(echoJobs: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      var retry = job
      retry.attempt = 2
      try await platform.enqueue([retry])
      try await eventually("the retry is acknowledged") { platform.broker.acknowledged == [job.jobRun, job.jobRun] }
      #expect(attempts.value == [1])
      #expect(platform.store.effects == ["a"])
      #expect(platform.broker.retries.isEmpty)
    }
  }

  @Test func `a redelivered job that is cancelled or dead is not started again`() async throws {
    let endings: [EchoWorker.Body] = [
      { _, _ in .cancelled(reason: "not wanted") }, { _, _ in throw PermanentError() },
    ]
    for ending in endings {
      let platform = EnginePlatform()
      let attempts = Locked<[Int]>([])
      try await platform.withNode(echoJobs: worker(attempts, ending: ending)) { _ async throws in
        let job = try await platform.enqueue("a")[0]
        try await eventually("it has its receipt") { platform.store.receipt(of: job.jobRun) != nil }
        try await platform.eventuallyIndexed()
        let before = platform.broker.acknowledged.count
        redeliver(job, platform)
        try await eventually("the copy is acknowledged") { platform.broker.acknowledged.count == before + 1 }
        #expect(attempts.value == [1])
        #expect(platform.broker.retries.isEmpty)
      }
    }
  }

  @Test func `while the store is unavailable a redelivered job is not started`() async throws {
    let platform = EnginePlatform()
    let attempts = Locked<[Int]>([])
    try await platform.withNode(echoJobs: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      platform.store.fail(next: .history, with: .unavailable("gone"), times: 2)
      redeliver(job, platform)
      try await eventually("the copy is acknowledged") { platform.broker.acknowledged == [job.jobRun, job.jobRun] }
      #expect(attempts.value == [1])
    }
  }

  @Test func `the next run of a completed job, as an operator's retry makes it, is executed`() async throws {
    let platform = EnginePlatform()
    let attempts = Locked<[Int]>([])
    try await platform.withNode(echoJobs: worker(attempts)) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      try await platform.eventuallyIdle()
      var next = job
      next.run = 2
      redeliver(next, platform)
      try await eventually("the next run is acknowledged") {
        platform.broker.acknowledged == [job.jobRun, next.jobRun]
      }
      #expect(attempts.value == [1, 1])
      #expect(platform.store.effects == ["a", "a"])
    }
  }
}
