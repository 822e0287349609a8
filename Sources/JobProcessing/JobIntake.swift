internal import DequeModule
internal import Jobs

/// The jobs a pool has taken and not begun, and which of them to begin next: a state machine without I/O.
struct JobIntake: Sendable {
  /// What the dispatcher should do.
  enum Step {
    /// Begin these together: one, or a batch of one kind.
    case begin([JobDelivery])
    /// Nothing can begin before something changes, or this instant has come.
    case wait(until: ContinuousClock.Instant?)
    /// Draining is over: nothing runs and nothing waits.
    case finished
  }

  private struct Waiting {
    let delivery: JobDelivery
    let since: ContinuousClock.Instant
  }

  /// Kinds whose worker takes batches.
  let batchKinds: Set<JobKind>
  /// Most jobs in a batch.
  let batchSize: Int
  /// Longest wait for a batch to fill.
  let batchWait: Duration

  private var waiting = Deque<Waiting>()
  /// Jobs or batches that run.
  private(set) var runningCount = 0
  /// Jobs that run, each of a batch counted.
  private(set) var runningJobs = 0
  /// How many jobs or batches may run.
  var size: Int
  private(set) var isDraining = false
  /// The bodies of all jobs in hand, in bytes.
  private(set) var bytesInHand = 0
  /// What runs. After a lost connection the broker hands out again what runs here all the while.
  private var running: Set<JobRun> = []

  init(size: Int, batchKinds: Set<JobKind>, batchSize: Int, batchWait: Duration) {
    self.size = size
    self.batchKinds = batchKinds
    self.batchSize = batchSize
    self.batchWait = batchWait
  }

  /// Jobs taken from the broker and not settled.
  var inHand: Int { waiting.count + runningJobs }

  /// Jobs arrived; what is not wanted is returned: all of it while draining, and what would be too much to hold. The
  /// first one is always taken, however large.
  mutating func add(_ deliveries: [JobDelivery], now: ContinuousClock.Instant) -> [JobDelivery] {
    if isDraining { return deliveries }
    dropTakenBack()
    for (index, delivery) in deliveries.enumerated() {
      guard inHand == 0 || bytesInHand + delivery.body.count <= IntakeCapacity.bytesMax else {
        return Array(deliveries[index...])
      }
      bytesInHand += delivery.body.count
      waiting.append(Waiting(delivery: delivery, since: now))
    }
    return []
  }

  /// A job or batch has ended.
  mutating func finished(_ deliveries: [JobDelivery]) {
    runningCount -= 1
    runningJobs -= deliveries.count
    for delivery in deliveries { if let run = delivery.jobRun { running.remove(run) } }
    forget(deliveries)
  }

  /// Forgets what waits and was taken back by the broker: it comes again, here or elsewhere. Begun now, it would be done
  /// alongside its next copy, and without a look for its receipt. A connection takes all its deliveries along, so what
  /// it leaves is always in front of what came by the next one.
  private mutating func dropTakenBack() {
    while let first = waiting.first, !first.delivery.isHeld {
      waiting.removeFirst()
      forget([first.delivery])
    }
  }

  private mutating func forget(_ deliveries: [JobDelivery]) {
    for delivery in deliveries { bytesInHand -= delivery.body.count }
  }

  /// Keeps at most so many waiting; the youngest beyond are returned, to be given back.
  mutating func trim(to capacity: Int) -> [JobDelivery] {
    let surplus = waiting.suffix(max(0, waiting.count - capacity)).map(\.delivery)
    waiting.removeLast(surplus.count)
    forget(surplus)
    return surplus
  }

  /// Begins no more; what waits is returned, to be given back.
  mutating func drain() -> [JobDelivery] {
    isDraining = true
    let unbegun = waiting.map(\.delivery)
    waiting = []
    forget(unbegun)
    return unbegun
  }

  /// What to do now; `.begin` counts as begun.
  mutating func next(now: ContinuousClock.Instant) -> Step {
    if isDraining, runningCount == 0 { return .finished }
    guard runningCount < size else { return .wait(until: nil) }
    dropTakenBack()
    var considered = Set<JobKind>()
    var wake: ContinuousClock.Instant?
    // In order of arrival; a batch that waits for company holds up nothing behind it.
    for index in waiting.indices where canBegin(waiting[index].delivery) {
      guard let kind = batchKind(of: waiting[index].delivery) else {
        return begin([waiting.remove(at: index).delivery])
      }
      guard considered.insert(kind).inserted else { continue }
      let ripe = waiting[index].since + batchWait
      let mates = mates(of: kind, from: index)
      if mates.count == batchSize || ripe <= now {
        let batch = mates.map { waiting[$0].delivery }
        for mate in mates.reversed() { waiting.remove(at: mate) }
        return begin(batch)
      }
      wake = wake.map { min($0, ripe) } ?? ripe
    }
    return .wait(until: wake)
  }

  private func mates(of kind: JobKind, from start: Int) -> [Int] {
    var mates: [Int] = []
    for index in start..<waiting.endIndex
    where mates.count < batchSize && batchKind(of: waiting[index].delivery) == kind
      && canBegin(waiting[index].delivery)
    {
      mates.append(index)
    }
    return mates
  }

  private mutating func begin(_ jobs: [JobDelivery]) -> Step {
    runningCount += 1
    runningJobs += jobs.count
    for job in jobs { if let run = job.jobRun { running.insert(run) } }
    return .begin(jobs)
  }

  /// False for the copy of a job that runs: when that has ended, the copy's turn finds its receipt, or does the job
  /// again.
  private func canBegin(_ delivery: JobDelivery) -> Bool { delivery.jobRun.map { !running.contains($0) } ?? true }

  /// The kind a delivery can be batched under. One that came back is done alone: it may be what killed a process.
  private func batchKind(of delivery: JobDelivery) -> JobKind? {
    guard !delivery.redelivered, case .job(let envelope) = delivery.content else { return nil }
    return batchKinds.contains(envelope.kind) ? envelope.kind : nil
  }
}
