import Foundation
import Jobs
import JobsTesting
import Testing

/// What the in-memory ports do when a test asks for trouble.
@Suite(.timeLimit(.minutes(1)))
struct InMemoryFaultTests {
  private let job = JobRun(id: JobID())

  /// Closes the job with one effect.
  private func close(_ ledger: InMemoryLedger) async throws {
    let receipt = JobReceipt(jobRun: job, kind: "test.kind", pool: "one")
    _ = try await ledger.close([receipt], deadline: .now + .seconds(10)) { transaction, _ in
      transaction.record("effect")
      return JobClosing()
    }
  }

  @Test func `a commit whose answer is lost has happened`() async throws {
    let ledger = InMemoryLedger()
    ledger.fail(next: .close, with: .inDoubt, takesEffect: true)
    await #expect(throws: LedgerError.inDoubt) { try await close(ledger) }
    #expect(ledger.effects == ["effect"])
    #expect(ledger.receipt(of: job)?.outcome == .done)
    try await close(ledger)
    #expect(ledger.effects == ["effect"])
  }

  @Test(arguments: [LedgerError.inDoubt, .contention, .unavailable("away")])
  func `a commit that fails has not happened, and the next one does`(_ error: LedgerError) async throws {
    let ledger = InMemoryLedger()
    ledger.fail(next: .close, with: error, times: 2)
    await #expect(throws: error) { try await close(ledger) }
    await #expect(throws: error) { try await close(ledger) }
    #expect(ledger.effects.isEmpty)
    #expect(ledger.receipt(of: job) == nil)
    try await close(ledger)
    #expect(ledger.effects == ["effect"])
  }

  @Test func `a ledger that is away answers no call until it is back`() async throws {
    let ledger = InMemoryLedger()
    let index = InMemoryDeadLetterIndex(ledger: ledger)
    ledger.isAvailable = false
    await #expect(throws: LedgerError.self) { try await close(ledger) }
    await #expect(throws: LedgerError.self) { try await ledger.delay(SampleJobs.bare(), pool: "one", for: .zero) }
    await #expect(throws: LedgerError.self) { try await ledger.markStart(job, node: "a") }
    await #expect(throws: LedgerError.self) { try await index.groups() }
    ledger.isAvailable = true
    try await close(ledger)
    #expect(ledger.delayedJobs.isEmpty)
    #expect(ledger.starts(of: job).isEmpty)
  }

  @Test func `delayed jobs come due when the clock is put forward`() async throws {
    let ledger = InMemoryLedger()
    try await ledger.delay(SampleJobs.bare(), pool: "one", for: .seconds(3_600))
    #expect(try await ledger.releaseDueJobs(limit: 10).isEmpty)
    ledger.advance(by: .seconds(3_601))
    #expect(try await ledger.releaseDueJobs(limit: 10).count == 1)
  }

  @Test func `what operators do is written down`() async throws {
    let ledger = InMemoryLedger()
    let (index, directory) = (InMemoryDeadLetterIndex(ledger: ledger), InMemoryPoolDirectory())
    let letters = (0..<2).map { _ in SampleJobs.letter(SampleJobs.full(), SampleJobs.certificate(pool: "one")) }
    try await index.record(letters)
    _ = try await index.retry(DeadLetterFilter(ids: [letters[0].jobRun.id]), by: "first")
    _ = try await index.discard(DeadLetterFilter(), by: "second")
    _ = try await directory.change("one", by: "third") { $0.size = 7 }
    #expect(ledger.audit.map(\.who) == ["first", "second"])
    #expect(ledger.audit.map(\.action) == ["dead.retry", "dead.discard"])
    #expect(ledger.audit.map(\.target) == [JobRun(id: letters[0].jobRun.id, run: 2), letters[1].jobRun])
    let change = try #require(directory.audit.first)
    #expect(change.who == "third" && change.before == PoolSetting() && change.after == PoolSetting(size: 7))
  }

  @Test func `the broker fails the jobs that are meant, in the way that is meant`() async throws {
    let broker = InMemoryBroker(pools: ["one", "two"])
    broker.fail(next: 2, with: .inDoubt(isKept: true)) { $0.destination == .pool("one") }
    broker.fail(with: .unavailable) { $0.destination == .pool("two") }
    let destinations: [JobDestination] = [.pool("one"), .pool("two"), .pool("one"), .pool("one"), .pool("two")]
    let outcomes = await broker.enqueue(
      destinations.map { OutgoingJob(SampleJobs.bare(), to: $0) }, deadline: .now + .seconds(1))
    #expect(outcomes == [.inDoubt, .unavailable, .inDoubt, .kept, .kept])
    #expect(broker.ready(in: "one").count == 3)
    #expect(broker.ready(in: "two").count == 1)
  }

  @Test func `a lost connection brings back what was unsettled, and its old deliveries settle nothing`() async throws {
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
    #expect(await broker.enqueue([outgoing], deadline: .now + .seconds(1)) == [.kept])
    broker.releaseRetries()
    #expect(broker.unroutable == [job])
    #expect(broker.retries.isEmpty)
  }

  @Test func `silent nodes are gone when the directory's clock is put forward`() async throws {
    let directory = InMemoryPoolDirectory()
    let node = NodeReport(id: "a", startedAt: Date(), pools: [:])
    _ = try await directory.renewLease(node, lease: .seconds(4))
    directory.advance(by: .seconds(5))
    #expect(try await directory.overview().nodes.isEmpty)
    directory.isAvailable = false
    await #expect(throws: LedgerError.self) { try await directory.overview() }
  }
}
