internal import ClientLoop
internal import Foundation
internal import Jobs

/// The state of an ``InMemoryJobStore``, behind its lock.
struct JobStoreState: Sendable {
  struct OutboxRow: Sendable {
    var entry: OutboxEntry
    var at: Date
    let number: Int
    var isRelaying = false
  }

  struct DeadLetterRow: Sendable {
    var letter: DeadLetter
    let firstAt: Date
  }

  struct AcceptedRow: Sendable {
    var job: AcceptedJob
    /// True: writing this row counted the run as accepted.
    let counts: Bool
  }

  struct Start: Sendable {
    let node: String
    let at: Date
  }

  struct Fault: Sendable {
    let error: JobStoreError
    let takesEffect: Bool
  }

  var receipts: [JobRun: InMemoryJobStore.Receipt] = [:]
  var effects: [String] = []
  var outbox: [OutboxRow] = []
  var scheduled: [JobRun: InMemoryJobStore.ScheduledJob] = [:]
  var accepted: [JobRun: AcceptedRow] = [:]
  var flows: [PoolName: JobFlow] = [:]
  var starts: [JobRun: [Start]] = [:]
  var letters: [JobRun: DeadLetterRow] = [:]
  var audit: [InMemoryJobStore.AuditEntry] = []
  var commits = 0
  var rollbacks = 0

  var faults: [JobStoreCall: [Fault]] = [:]
  var isAvailable = true
  var clockOffset: TimeInterval = 0

  /// Runs in open transactions.
  private var held: Set<JobRun> = []
  var waiters: [Int: AsyncStream<Void>.Continuation] = [:]
  private var lastNumber = 0

  var now: Date { TimeSource.date.addingTimeInterval(clockOffset) }

  mutating func nextNumber() -> Int {
    lastNumber += 1
    return lastNumber
  }

  /// The fault that is planned for this call; throws when the store is unavailable.
  mutating func fault(for call: JobStoreCall) throws(JobStoreError) -> Fault? {
    guard isAvailable else { throw .unavailable("made unavailable by the test") }
    guard var planned = faults[call], !planned.isEmpty else { return nil }
    let fault = planned.removeFirst()
    faults[call] = planned
    return fault
  }

  // MARK: Completing transactions

  /// Locks the runs for a transaction and returns those without a receipt; nil: another one holds one of them.
  mutating func hold(_ jobs: Set<JobRun>) -> Set<JobRun>? {
    guard held.isDisjoint(with: jobs) else { return nil }
    let open = jobs.filter { receipts[$0] == nil }
    held.formUnion(open)
    return open
  }

  mutating func release(_ jobs: Set<JobRun>) {
    held.subtract(jobs)
    for waiter in waiters.sorted(by: { $0.key < $1.key }) { waiter.value.yield() }
  }

  mutating func commit(_ completion: Completion, of receipts: [JobReceipt], open: Set<JobRun>, effects: [String]) {
    let snoozed = Set(completion.snoozed)
    var ended = Set<JobRun>()
    for receipt in receipts where open.contains(receipt.jobRun) && !snoozed.contains(receipt.jobRun) {
      let reason = completion.cancelled[receipt.jobRun]
      self.receipts[receipt.jobRun] = InMemoryJobStore.Receipt(
        outcome: reason == nil ? .completed : .cancelled, kind: receipt.kind, pool: receipt.pool, reason: reason)
      let flow = JobFlow(completed: reason == nil ? 1 : 0, cancelled: reason == nil ? 0 : 1)
      if ended.insert(receipt.jobRun).inserted {
        end(receipt.jobRun, in: receipt.pool, isCounted: receipt.isCounted, flow)
      }
    }
    self.effects += effects
    for followUp in completion.followUps {
      count(JobFlow(accepted: 1), in: followUp.pool)
      if let dueAt = followUp.dueAt {
        schedule(InMemoryJobStore.ScheduledJob(envelope: followUp.envelope, pool: followUp.pool, dueAt: dueAt))
      } else {
        put(OutboxEntry(envelope: followUp.envelope, pool: followUp.pool), at: now)
      }
    }
    commits += 1
    release(open)
  }

  mutating func rollBack(_ open: Set<JobRun>) {
    rollbacks += 1
    release(open)
  }

  // MARK: Outbox and scheduled jobs

  /// Adds an entry; one of the same run is replaced and keeps its age.
  mutating func put(_ entry: OutboxEntry, at: Date) {
    if let index = outbox.firstIndex(where: { $0.entry.envelope.jobRun == entry.envelope.jobRun }) {
      outbox[index].entry = entry
    } else {
      outbox.append(OutboxRow(entry: entry, at: at, number: nextNumber()))
    }
  }

  /// Marks and returns the oldest entries that no other relay has.
  mutating func beginRelay(olderThan age: Duration, limit: Int) -> [OutboxEntry] {
    let newest = now.addingTimeInterval(-(age / .seconds(1)))
    let chosen = outbox.filter { !$0.isRelaying && $0.at <= newest }
      .sorted { ($0.at, $0.number) < ($1.at, $1.number) }.prefix(limit)
    let numbers = Set(chosen.map(\.number))
    for index in outbox.indices where numbers.contains(outbox[index].number) { outbox[index].isRelaying = true }
    return chosen.map(\.entry)
  }

  /// Deletes what was published and returns the rest to the end of the outbox.
  mutating func endRelay(_ entries: [OutboxEntry], published: [JobRun]) {
    let runs = Set(entries.map(\.envelope.jobRun))
    for index in outbox.indices where runs.contains(outbox[index].entry.envelope.jobRun) {
      outbox[index].isRelaying = false
      outbox[index].at = now
    }
    deleteFromOutbox(published)
  }

  /// Deletes the entries, and records those that have not ended as accepted.
  mutating func deleteFromOutbox(_ jobs: [JobRun]) {
    let deleted = Set(jobs)
    for row in outbox where deleted.contains(row.entry.envelope.jobRun) {
      _ = recordAccepted(AcceptedJob(row.entry.envelope, pool: row.entry.pool))
    }
    outbox.removeAll { deleted.contains($0.entry.envelope.jobRun) }
  }

  mutating func schedule(_ job: InMemoryJobStore.ScheduledJob) {
    var job = job
    job.number = nextNumber()
    scheduled[job.envelope.jobRun] = job
  }

  /// Moves due jobs to the outbox.
  mutating func releaseDue(limit: Int) -> [OutboxEntry] {
    let now = self.now
    let due = scheduled.values
      .filter { job in
        // Deleting the entry of an earlier release would delete this one with it.
        job.dueAt <= now && !outbox.contains { $0.entry.envelope.jobRun == job.envelope.jobRun }
      }
      .sorted { ($0.dueAt, $0.number) < ($1.dueAt, $1.number) }.prefix(limit)
    return due.map { job in
      scheduled[job.envelope.jobRun] = nil
      let entry = OutboxEntry(envelope: job.envelope, pool: job.pool)
      put(entry, at: now)
      return entry
    }
  }
}
