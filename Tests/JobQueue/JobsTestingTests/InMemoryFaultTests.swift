import Foundation
import Jobs
import JobsTesting
import Testing

/// The faults that the in-memory ports produce on request.
@Suite(.timeLimit(.minutes(1)))
struct InMemoryFaultTests {
  private let job = JobRun(id: JobID())

  /// Completes the job with one effect.
  private func complete(_ store: InMemoryJobStore) async throws {
    let receipt = JobReceipt(jobRun: job, kind: "test.kind", pool: "one")
    _ = try await store.complete([receipt], deadline: .now + .seconds(10)) { transaction, _ in
      transaction.record("effect")
      return Completion()
    }
  }

  @Test func `a commit whose answer is lost has happened`() async throws {
    let store = InMemoryJobStore()
    store.fail(next: .complete, with: .inDoubt, takesEffect: true)
    await #expect(throws: JobStoreError.inDoubt) { try await complete(store) }
    #expect(store.effects == ["effect"])
    #expect(store.receipt(of: job)?.outcome == .completed)
    try await complete(store)
    #expect(store.effects == ["effect"])
  }

  @Test(arguments: [JobStoreError.inDoubt, .contention, .unavailable("test")])
  func `a commit that fails has no effect, and the next one succeeds`(_ error: JobStoreError) async throws {
    let store = InMemoryJobStore()
    store.fail(next: .complete, with: error, times: 2)
    await #expect(throws: error) { try await complete(store) }
    await #expect(throws: error) { try await complete(store) }
    #expect(store.effects.isEmpty)
    #expect(store.receipt(of: job) == nil)
    try await complete(store)
    #expect(store.effects == ["effect"])
  }

  @Test func `an unavailable store fails every call until it is available`() async throws {
    let store = InMemoryJobStore()
    let index = InMemoryDeadLetterIndex(store: store)
    store.isAvailable = false
    await #expect(throws: JobStoreError.self) { try await complete(store) }
    await #expect(throws: JobStoreError.self) { try await store.schedule(SampleJobs.bare(), pool: "one", after: .zero) }
    await #expect(throws: JobStoreError.self) { try await store.markStart(job, node: "a") }
    await #expect(throws: JobStoreError.self) { try await index.groups() }
    store.isAvailable = true
    try await complete(store)
    #expect(store.scheduledJobs.isEmpty)
    #expect(store.starts(of: job).isEmpty)
  }

  @Test func `scheduled jobs are due after the clock has advanced`() async throws {
    let store = InMemoryJobStore()
    try await store.schedule(SampleJobs.bare(), pool: "one", after: .seconds(3_600))
    #expect(try await store.releaseDueJobs(limit: 10).isEmpty)
    store.advance(by: .seconds(3_601))
    #expect(try await store.releaseDueJobs(limit: 10).count == 1)
  }

  @Test func `changes by operators are audited`() async throws {
    let store = InMemoryJobStore()
    let (index, directory) = (InMemoryDeadLetterIndex(store: store), InMemoryPoolDirectory())
    let letters = (0..<2).map { _ in SampleJobs.letter(SampleJobs.full(), SampleJobs.deadLetterInfo(pool: "one")) }
    try await index.record(letters)
    _ = try await index.retry(DeadLetterFilter(ids: [letters[0].jobRun.id]), by: "first")
    _ = try await index.archive(DeadLetterFilter(), by: "second")
    _ = try await directory.change("one", by: "third") { $0.size = 7 }
    #expect(store.audit.map(\.who) == ["first", "second"])
    #expect(store.audit.map(\.action) == ["dead.retry", "dead.archive"])
    #expect(store.audit.map(\.target) == [JobRun(id: letters[0].jobRun.id, run: 2), letters[1].jobRun])
    let change = try #require(directory.audit.first)
    #expect(change.who == "third" && change.before == PoolSetting() && change.after == PoolSetting(size: 7))
  }

  @Test func `a planned fault of the broker hits the jobs that match`() async throws {
    let broker = InMemoryBroker(pools: ["one", "two"])
    broker.fail(next: 2, with: .inDoubt(isEnqueued: true)) { $0.destination == .pool("one") }
    broker.fail(with: .unavailable) { $0.destination == .pool("two") }
    let destinations: [JobDestination] = [.pool("one"), .pool("two"), .pool("one"), .pool("one"), .pool("two")]
    let results = await broker.enqueue(
      destinations.map { OutgoingJob(SampleJobs.bare(), to: $0) }, deadline: .now + .seconds(1))
    #expect(results == [.inDoubt, .unavailable, .inDoubt, .enqueued, .enqueued])
    #expect(broker.queued(in: "one").count == 3)
    #expect(broker.queued(in: "two").count == 1)
  }

  @Test func `a lost connection redelivers unsettled jobs, and the old deliveries settle nothing`() async throws {
    let broker = InMemoryBroker(pools: ["one"])
    let jobs = [SampleJobs.bare(), SampleJobs.bare()]
    _ = await broker.enqueue(jobs.map { OutgoingJob($0, to: .pool("one")) }, deadline: .now + .seconds(1))
    let reader = DeliveryReader(broker.subscribe(pool: "one", capacity: 10))
    let first = try await reader.wait(for: 2)
    first[0].acknowledge()
    broker.dropConnection()
    let again = try await reader.wait(for: 3)[2]
    #expect(again.envelope == jobs[1])
    #expect(again.redelivered)
    first[1].acknowledge()
    #expect(broker.unsettledCount(in: "one") == 1)
    again.acknowledge()
    #expect(broker.isEmpty("one"))
    #expect(broker.acknowledged == jobs.map(\.jobRun))
  }

  @Test func `a retry whose pool is gone becomes unroutable`() async throws {
    let broker = InMemoryBroker(pools: ["one"])
    let job = SampleJobs.bare()
    let outgoing = OutgoingJob(job, to: .retry(after: .seconds(5), pool: "gone"))
    #expect(await broker.enqueue([outgoing], deadline: .now + .seconds(1)) == [.enqueued])
    broker.releaseRetries()
    #expect(broker.unroutable == [job])
    #expect(broker.retries.isEmpty)
  }

  @Test func `leases end when the directory's clock advances`() async throws {
    let directory = InMemoryPoolDirectory()
    let node = NodeReport(id: "a", startedAt: Date(), pools: [:])
    _ = try await directory.renewLease(node, lease: .seconds(4))
    directory.advance(by: .seconds(5))
    #expect(try await directory.overview().nodes.isEmpty)
    directory.isAvailable = false
    await #expect(throws: JobStoreError.self) { try await directory.overview() }
  }
}
