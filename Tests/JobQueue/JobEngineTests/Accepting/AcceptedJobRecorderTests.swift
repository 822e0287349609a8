import ClientLoop
import Foundation
import JobEngine
import Jobs
import JobsTesting
import Logging
import TestServers
import Testing

/// Jobs that the broker has confirmed are recorded in the background; nothing waits for that, and nothing grows.
@Suite(.timeLimit(.minutes(1)))
struct AcceptedJobRecorderTests {
  private let store = InMemoryJobStore()
  private let broker = InMemoryBroker(pools: ["one", "two"], tiers: [.seconds(1)])

  private func options(_ change: (inout AcceptedJobRecorder<InMemoryJobStore>.Options) -> Void)
    -> AcceptedJobRecorder<InMemoryJobStore>.Options
  {
    var options = AcceptedJobRecorder<InMemoryJobStore>.Options()
    change(&options)
    return options
  }

  private func recorder(
    _ change: (inout AcceptedJobRecorder<InMemoryJobStore>.Options) -> Void = { _ in }
  ) -> AcceptedJobRecorder<InMemoryJobStore> {
    AcceptedJobRecorder(
      store: store, options: options(change), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  /// Runs the recorder while `body` runs, and lets it end as at a shutdown.
  private func running(
    _ recorder: AcceptedJobRecorder<InMemoryJobStore>, _ body: () async throws -> Void
  ) async throws {
    let task = Task { await recorder.run() }
    do { try await body() } catch {
      task.cancel()
      throw error
    }
    task.cancel()
    await task.value
  }

  private func enqueue(
    _ jobs: [JobEnvelope], _ recorder: AcceptedJobRecorder<InMemoryJobStore>, to pool: PoolName = "one"
  ) async -> [EnqueueResult] {
    await RecordingBroker(broker, recorder: recorder).enqueue(
      jobs.map { OutgoingJob($0, to: .pool(pool)) }, deadline: .now + .seconds(1))
  }

  private var recorded: [JobRun] { store.acceptedJobs.map(\.envelope.jobRun) }

  @Test func `a confirmed job is recorded with its body, a returned or refused one is not`() async throws {
    let recorder = recorder()
    let job = SampleJobs.full()
    try await running(recorder) {
      #expect(await enqueue([job], recorder) == [.enqueued])
      #expect(await enqueue([SampleJobs.bare()], recorder, to: "nowhere") == [.unroutable])
      broker.fail(next: 1, with: .unavailable)
      #expect(await enqueue([SampleJobs.bare()], recorder) == [.unavailable])
      try await eventually("the job is recorded") { recorded == [job.jobRun] }
      #expect(store.acceptedJobs.first?.envelope == job)
      #expect(store.acceptedJobs.first?.reference == nil)
    }
    #expect(recorded == [job.jobRun])
  }

  @Test func `while the store is away jobs wait, and are recorded when it is back`() async throws {
    let recorder = recorder()
    store.isAvailable = false
    let jobs = (0..<20).map { _ in SampleJobs.bare() }
    try await running(recorder) {
      #expect(await enqueue(jobs, recorder).allSatisfy { $0 == .enqueued })
      try await Task.sleep(for: .milliseconds(400))
      #expect(recorded.isEmpty)
      store.isAvailable = true
      try await eventually("all are recorded") { Set(recorded) == Set(jobs.map(\.jobRun)) }
    }
  }

  @Test func `what does not fit by count or bytes is left out, and accepting goes on`() async throws {
    let byCount = recorder { $0.jobsMax = 3 }
    let byBytes = recorder { $0.bytesMax = 3 * (512 + 2) }
    for recorder in [byCount, byBytes] {
      #expect(await enqueue((0..<10).map { _ in SampleJobs.bare() }, recorder).allSatisfy { $0 == .enqueued })
    }
    try await running(byCount) { try await eventually("those that fit are recorded") { recorded.count == 3 } }
    try await running(byBytes) { try await eventually("those that fit are recorded") { recorded.count == 6 } }
  }

  @Test func `what is buffered is written at shutdown, without waiting for more`() async throws {
    let recorder = recorder()
    let job = SampleJobs.bare()
    try await running(recorder) { _ = await enqueue([job], recorder) }
    #expect(recorded == [job.jobRun])
  }

  @Test func `a shutdown waits for a store that is away for seconds only`() async throws {
    let recorder = recorder()
    store.isAvailable = false
    let start = ContinuousClock.now
    try await running(recorder) { _ = await enqueue([SampleJobs.bare()], recorder) }
    #expect(ContinuousClock.now - start < .seconds(30))
    #expect(recorded.isEmpty)
  }

  @Test func `of a pool without bodies the reference is recorded, made once`() async throws {
    let made = Locked(0)
    let recorder = recorder {
      $0.bodiless = ["two"]
      $0.reference = { job in
        made.change { $0 += 1 }
        return AcceptedReference(source: "test", eventIDs: ["\(job.body.count) bytes"])
      }
    }
    let (whole, named) = (SampleJobs.full(), SampleJobs.full())
    store.fail(next: .recordAccepted, with: .unavailable("away"), times: 2)
    try await running(recorder) {
      _ = await enqueue([whole], recorder)
      _ = await enqueue([named], recorder, to: "two")
      try await eventually("both are recorded") { recorded.count == 2 }
    }
    let byRun = Dictionary(uniqueKeysWithValues: store.acceptedJobs.map { ($0.envelope.jobRun, $0) })
    #expect(byRun[whole.jobRun]?.envelope.body == whole.body)
    #expect(byRun[named.jobRun]?.envelope.body.isEmpty == true)
    let reference = AcceptedReference(source: "test", eventIDs: ["\(named.body.count) bytes"])
    #expect(byRun[named.jobRun]?.reference == reference)
    #expect(made.value == 1)
  }

  @Test func `jobs that have ended before they are written are left out`() async throws {
    let recorder = recorder()
    let jobs = (0..<3).map { _ in SampleJobs.bare() }
    for job in jobs.prefix(2) {
      let receipt = JobReceipt(jobRun: job.jobRun, kind: job.kind, pool: "one")
      _ = try await store.complete([receipt], deadline: .now + .seconds(1)) { _, _ in Completion() }
    }
    try await running(recorder) {
      _ = await enqueue(jobs, recorder)
      try await eventually("the open one is recorded") { recorded == [jobs[2].jobRun] }
    }
    #expect(store.flows["one"] == JobFlow(accepted: 3, completed: 2))
  }
}
