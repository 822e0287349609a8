internal import DequeModule
internal import Jobs

/// The jobs a pool has taken and not begun, and which of them to begin next: a state machine without I/O.
struct PrefetchBuffer: Sendable {
  /// What the dispatcher should do.
  enum Step {
    /// Begin these together: one, or a batch of one kind.
    case begin([JobDelivery])
    /// Nothing can begin before something changes, or this instant has come.
    case wait(until: ContinuousClock.Instant?)
    /// Draining is over: nothing runs and nothing waits.
    case finished
  }

  private struct Prefetched {
    let delivery: JobDelivery
    let since: ContinuousClock.Instant
  }

  /// Kinds whose worker takes batches.
  let batchKinds: Set<JobKind>
  /// Most jobs in a batch.
  let batchSize: Int
  /// Longest wait for a batch to fill.
  let batchWait: Duration

  private var prefetched = Deque<Prefetched>()
  /// Jobs or batches that run.
  private(set) var busyWorkers = 0
  /// Jobs that run, each of a batch counted.
  private(set) var runningJobCount = 0
  /// How many jobs or batches may run.
  var size: Int
  private(set) var isDraining = false
  /// The bodies of all jobs in hand, in bytes.
  private(set) var totalBytes = 0
  /// What runs. After a lost connection the broker hands out again what runs here all the while.
  private var runningJobRuns: Set<JobRun> = []

  init(size: Int, batchKinds: Set<JobKind>, batchSize: Int, batchWait: Duration) {
    self.size = size
    self.batchKinds = batchKinds
    self.batchSize = batchSize
    self.batchWait = batchWait
  }

  /// Jobs taken from the broker and not settled.
  var totalJobs: Int { prefetched.count + runningJobCount }

  /// Jobs arrived; what is not wanted is returned: all of it while draining, and what would be too much to hold. The
  /// first one is always taken, however large.
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

  /// A job or batch has ended.
  mutating func finished(_ deliveries: [JobDelivery]) {
    busyWorkers -= 1
    runningJobCount -= deliveries.count
    for delivery in deliveries { if let run = delivery.jobRun { runningJobRuns.remove(run) } }
    subtractBytes(deliveries)
  }

  /// Forgets what waits and was taken back by the broker: it comes again, here or elsewhere. Begun now, it would be done
  /// alongside its next copy, and without a look for its receipt. A connection takes all its deliveries along, so what
  /// it leaves is always in front of what came by the next one.
  private mutating func dropLost() {
    while let first = prefetched.first, !first.delivery.isHeld {
      prefetched.removeFirst()
      subtractBytes([first.delivery])
    }
  }

  private mutating func subtractBytes(_ deliveries: [JobDelivery]) {
    for delivery in deliveries { totalBytes -= delivery.body.count }
  }

  /// Keeps at most so many prefetched; the youngest beyond are returned, to be given back.
  mutating func trim(to capacity: Int) -> [JobDelivery] {
    let surplus = prefetched.suffix(max(0, prefetched.count - capacity)).map(\.delivery)
    prefetched.removeLast(surplus.count)
    subtractBytes(surplus)
    return surplus
  }

  /// Begins no more; what waits is returned, to be given back.
  mutating func drain() -> [JobDelivery] {
    isDraining = true
    let unbegun = prefetched.map(\.delivery)
    prefetched = []
    subtractBytes(unbegun)
    return unbegun
  }

  /// What to do now; `.begin` counts as begun.
  mutating func next(now: ContinuousClock.Instant) -> Step {
    if isDraining, busyWorkers == 0 { return .finished }
    guard busyWorkers < size else { return .wait(until: nil) }
    dropLost()
    var considered = Set<JobKind>()
    var wake: ContinuousClock.Instant?
    // In order of arrival; a batch that waits for company holds up nothing behind it.
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

  /// False for the copy of a job that runs: when that has ended, the copy's turn finds its receipt, or does the job
  /// again.
  private func canBegin(_ delivery: JobDelivery) -> Bool {
    delivery.jobRun.map { !runningJobRuns.contains($0) } ?? true
  }

  /// The kind a delivery can be batched under. One that came back is done alone: it may be what killed a process.
  private func batchKind(of delivery: JobDelivery) -> JobKind? {
    guard !delivery.redelivered, case .job(let envelope) = delivery.content else { return nil }
    return batchKinds.contains(envelope.kind) ? envelope.kind : nil
  }
}
