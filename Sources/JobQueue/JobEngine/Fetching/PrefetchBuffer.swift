internal import DequeModule
internal import Jobs

/// The jobs of a pool that were delivered and not started, and which of them to start next: a state machine without
/// I/O.
struct PrefetchBuffer: Sendable {
  /// What the dispatcher should do.
  enum Step {
    /// Start these together: one, or a batch of one kind.
    case begin([JobDelivery], since: ContinuousClock.Instant)
    /// Requeue these: they have waited for so long that an attempt could be longer than the broker lets them be held.
    case requeue([JobDelivery])
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
  /// How long a job waits before it is requeued; nil: for ever.
  let waitMax: Duration?

  private var prefetched = Deque<Prefetched>()
  /// Running jobs or batches.
  private(set) var busyWorkers = 0
  /// Running jobs that have left their worker's place to others while they wait.
  private(set) var waitingWorkers = 0
  /// Running jobs, each job of a batch counted.
  private(set) var runningJobCount = 0
  /// How many jobs or batches may run.
  var size: Int
  private(set) var isDraining = false
  /// The bodies of all jobs running or prefetched, in bytes.
  private(set) var totalBytes = 0
  /// The running jobs. After a lost connection the broker delivers jobs again that still run here.
  private var runningJobRuns: Set<JobRun> = []

  init(size: Int, batchKinds: Set<JobKind>, batchSize: Int, batchWait: Duration, waitMax: Duration? = nil) {
    self.size = size
    self.batchKinds = batchKinds
    self.batchSize = batchSize
    self.batchWait = batchWait
    self.waitMax = waitMax
  }

  /// Jobs running or prefetched.
  var totalJobs: Int { prefetched.count + runningJobCount }

  /// Adds deliveries and returns those to requeue: all of them while draining, and what would exceed the bytes allowed.
  /// The first one is always taken, however large.
  ///
  /// - Parameter bytesMax: for all bodies of this buffer together.
  mutating func add(
    _ deliveries: [JobDelivery], now: ContinuousClock.Instant, bytesMax: Int = PrefetchLimit.bytesMax
  ) -> [JobDelivery] {
    if isDraining { return deliveries }
    dropLost()
    for (index, delivery) in deliveries.enumerated() {
      guard totalJobs == 0 || totalBytes + delivery.body.count <= bytesMax else {
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

  /// A running job leaves its worker's place to others while it waits; false where too many have.
  mutating func leave(max: Int) -> Bool {
    guard waitingWorkers < max else { return false }
    busyWorkers -= 1
    waitingWorkers += 1
    return true
  }

  /// A running job takes a worker's place again.
  mutating func takeBack() {
    waitingWorkers -= 1
    busyWorkers += 1
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
    if isDraining, busyWorkers == 0, waitingWorkers == 0 { return .finished }
    let overdue = removeOverdue(now)
    if !overdue.isEmpty { return .requeue(overdue) }
    guard busyWorkers < size else { return .wait(until: nil) }
    dropLost()
    var considered = Set<JobKind>()
    var wake: ContinuousClock.Instant?
    // In order of arrival; a batch that waits for more jobs holds up nothing behind it.
    for index in prefetched.indices where canBegin(prefetched[index].delivery) {
      guard let kind = batchKind(of: prefetched[index].delivery) else {
        return begin([prefetched.remove(at: index)])
      }
      guard considered.insert(kind).inserted else { continue }
      let batchDeadline = prefetched[index].since + batchWait
      let batchIndices = batchIndices(of: kind, from: index)
      if batchIndices.count == batchSize || batchDeadline <= now || isFull(batchIndices) {
        let batch = batchIndices.map { prefetched[$0] }
        for batchIndex in batchIndices.reversed() { prefetched.remove(at: batchIndex) }
        return begin(batch)
      }
      wake = wake.map { min($0, batchDeadline) } ?? batchDeadline
    }
    return .wait(until: wake)
  }

  /// The jobs of a kind for one batch: no more than its size and its bytes allow, and at least one.
  private func batchIndices(of kind: JobKind, from start: Int) -> [Int] {
    var batchIndices: [Int] = []
    var bytes = 0
    for index in start..<prefetched.endIndex
    where batchIndices.count < batchSize && batchKind(of: prefetched[index].delivery) == kind
      && canBegin(prefetched[index].delivery)
    {
      bytes += prefetched[index].delivery.body.count
      guard batchIndices.isEmpty || bytes <= PrefetchLimit.batchBytesMax else { break }
      batchIndices.append(index)
    }
    return batchIndices
  }

  /// True where the batch takes all the bytes that a batch may have, almost: waiting for more gains little.
  private func isFull(_ batchIndices: [Int]) -> Bool {
    batchIndices.reduce(0) { $0 + prefetched[$1].delivery.body.count } > PrefetchLimit.batchBytesMax / 2
  }

  /// Takes out the jobs that have waited for too long; they arrived in order.
  private mutating func removeOverdue(_ now: ContinuousClock.Instant) -> [JobDelivery] {
    guard let waitMax else { return [] }
    var overdue: [JobDelivery] = []
    while let first = prefetched.first, first.since + waitMax < now {
      overdue.append(prefetched.removeFirst().delivery)
    }
    subtractBytes(overdue)
    return overdue
  }

  private mutating func begin(_ jobs: [Prefetched]) -> Step {
    let deliveries = jobs.map(\.delivery)
    busyWorkers += 1
    runningJobCount += jobs.count
    for delivery in deliveries { if let run = delivery.jobRun { runningJobRuns.insert(run) } }
    return .begin(deliveries, since: jobs.first?.since ?? .now)
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
