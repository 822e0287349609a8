internal import DequeModule
internal import Jobs

/// The jobs of a pool that were delivered and not started, and which of them to start next: a state machine without
/// I/O.
struct PrefetchBuffer: Sendable {
  /// What the dispatcher should do.
  enum Step {
    /// Start these together: one, or a batch of one kind.
    case begin([JobDelivery])
    /// Nothing can start before something changes, or this instant has come.
    case wait(until: ContinuousClock.Instant?)
    /// Draining is over: nothing runs and nothing is prefetched.
    case finished
  }

  private struct Prefetched {
    let delivery: JobDelivery
    let since: ContinuousClock.Instant
  }

  /// Kinds whose worker takes batches.
  let batchKinds: Set<JobKind>
  /// The most jobs in a batch.
  let batchSize: Int
  /// How long a batch waits for more jobs.
  let batchWait: Duration

  private var prefetched = Deque<Prefetched>()
  /// Running jobs or batches.
  private(set) var busyWorkers = 0
  /// Running jobs, each job of a batch counted.
  private(set) var runningJobCount = 0
  /// How many jobs or batches may run.
  var size: Int
  private(set) var isDraining = false
  /// The bodies of all jobs running or prefetched, in bytes.
  private(set) var totalBytes = 0
  /// The running jobs. After a lost connection the broker delivers jobs again that still run here.
  private var runningJobRuns: Set<JobRun> = []

  init(size: Int, batchKinds: Set<JobKind>, batchSize: Int, batchWait: Duration) {
    self.size = size
    self.batchKinds = batchKinds
    self.batchSize = batchSize
    self.batchWait = batchWait
  }

  /// Jobs running or prefetched.
  var totalJobs: Int { prefetched.count + runningJobCount }

  /// Adds deliveries and returns those to requeue: all of them while draining, and what would exceed the bytes allowed.
  /// The first one is always taken, however large.
  mutating func add(_ deliveries: [JobDelivery], now: ContinuousClock.Instant) -> [JobDelivery] {
    if isDraining { return deliveries }
    dropLost()
    for (index, delivery) in deliveries.enumerated() {
      guard totalJobs == 0 || totalBytes + delivery.body.count <= PrefetchLimit.bytesMax else {
        return Array(deliveries[index...])
      }
      totalBytes += delivery.body.count
      prefetched.append(Prefetched(delivery: delivery, since: now))
    }
    return []
  }

  mutating func finished(_ deliveries: [JobDelivery]) {
    busyWorkers -= 1
    runningJobCount -= deliveries.count
    for delivery in deliveries { if let run = delivery.jobRun { runningJobRuns.remove(run) } }
    subtractBytes(deliveries)
  }

  /// Drops prefetched deliveries of a lost connection: the broker delivers them again, here or elsewhere. Started now,
  /// such a job would run beside its next copy, and its receipt would not be looked up. A connection loses all its
  /// deliveries, so they are always in front of those of the next one.
  private mutating func dropLost() {
    while let first = prefetched.first, !first.delivery.isHeld {
      prefetched.removeFirst()
      subtractBytes([first.delivery])
    }
  }

  private mutating func subtractBytes(_ deliveries: [JobDelivery]) {
    for delivery in deliveries { totalBytes -= delivery.body.count }
  }

  /// Keeps at most so many prefetched; returns the youngest beyond, to requeue.
  mutating func trim(to capacity: Int) -> [JobDelivery] {
    let surplus = prefetched.suffix(max(0, prefetched.count - capacity)).map(\.delivery)
    prefetched.removeLast(surplus.count)
    subtractBytes(surplus)
    return surplus
  }

  /// Starts no more; returns what was prefetched, to requeue.
  mutating func drain() -> [JobDelivery] {
    isDraining = true
    let unbegun = prefetched.map(\.delivery)
    prefetched = []
    subtractBytes(unbegun)
    return unbegun
  }

  /// What to do now; `.begin` counts as started.
  mutating func next(now: ContinuousClock.Instant) -> Step {
    if isDraining, busyWorkers == 0 { return .finished }
    guard busyWorkers < size else { return .wait(until: nil) }
    dropLost()
    var considered = Set<JobKind>()
    var wake: ContinuousClock.Instant?
    // In order of arrival; a batch that waits for more jobs holds up nothing behind it.
    for index in prefetched.indices where canBegin(prefetched[index].delivery) {
      guard let kind = batchKind(of: prefetched[index].delivery) else {
        return begin([prefetched.remove(at: index).delivery])
      }
      guard considered.insert(kind).inserted else { continue }
      let batchDeadline = prefetched[index].since + batchWait
      let batchIndices = batchIndices(of: kind, from: index)
      if batchIndices.count == batchSize || batchDeadline <= now {
        let batch = batchIndices.map { prefetched[$0].delivery }
        for batchIndex in batchIndices.reversed() { prefetched.remove(at: batchIndex) }
        return begin(batch)
      }
      wake = wake.map { min($0, batchDeadline) } ?? batchDeadline
    }
    return .wait(until: wake)
  }

  private func batchIndices(of kind: JobKind, from start: Int) -> [Int] {
    var batchIndices: [Int] = []
    for index in start..<prefetched.endIndex
    where batchIndices.count < batchSize && batchKind(of: prefetched[index].delivery) == kind
      && canBegin(prefetched[index].delivery)
    {
      batchIndices.append(index)
    }
    return batchIndices
  }

  private mutating func begin(_ jobs: [JobDelivery]) -> Step {
    busyWorkers += 1
    runningJobCount += jobs.count
    for job in jobs { if let run = job.jobRun { runningJobRuns.insert(run) } }
    return .begin(jobs)
  }

  /// False for the copy of a running job: once that has ended, the copy finds its receipt, or runs.
  private func canBegin(_ delivery: JobDelivery) -> Bool {
    delivery.jobRun.map { !runningJobRuns.contains($0) } ?? true
  }

  /// The kind to batch a delivery under. A redelivered job runs alone: it may be what ended a process.
  private func batchKind(of delivery: JobDelivery) -> JobKind? {
    guard !delivery.redelivered, case .job(let envelope) = delivery.content else { return nil }
    return batchKinds.contains(envelope.kind) ? envelope.kind : nil
  }
}
