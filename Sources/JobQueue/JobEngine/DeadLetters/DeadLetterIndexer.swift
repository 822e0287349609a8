internal import ClientLoop
internal import DequeModule
internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization

/// Moves dead letters from the broker into the index, where the operator finds them. While PostgreSQL is unavailable
/// they stay at the broker.
final class DeadLetterIndexer: Sendable {
  /// The dead letters of one pool.
  private final class Source: Sendable {
    let pool: PoolName
    let subscription: any JobSubscription
    let stallMonitor: StallMonitor
    /// Letters that are being recorded.
    let recording = Atomic(0)
    var isRecording: Bool { recording.load(ordering: .relaxed) > 0 }
    private let limit = Mutex(PrefetchLimit(batchSize: DeadLetterIndexer.lettersMax / 2))
    private let localConcurrency = Atomic(-1)

    init(_ pool: PoolName, _ subscription: any JobSubscription, _ stallMonitor: StallMonitor) {
      self.pool = pool
      self.subscription = subscription
      self.stallMonitor = stallMonitor
    }

    func resize(to localConcurrency: Int) {
      guard self.localConcurrency.exchange(localConcurrency, ordering: .relaxed) != localConcurrency else { return }
      limit.withLock { subscription.setCapacity($0.resize(to: localConcurrency)) }
    }

    /// Fetches fewer at a time where they are large.
    func arrived(_ deliveries: [JobDelivery]) {
      limit.withLock { limit in
        if let changed = limit.arrived(sizes: deliveries.lazy.map(\.body.count)) { subscription.setCapacity(changed) }
      }
    }
  }

  private let sources: [Source]
  private let index: any DeadLetterIndex
  private let outage: OutageLog

  private let paused = Atomic(false)

  /// Dead letters delivered and not yet recorded, per pool; fewer where they are large.
  fileprivate static let lettersMax = 200
  /// Letters that the store refused, or that others have locked, are tried again after this time.
  private static let retryDelay = Duration.seconds(1)

  init(pools: [PoolName], broker: any JobBroker, index: any DeadLetterIndex, stallTimeout: Duration, logger: Logger) {
    sources = pools.map { pool in
      let subscription = broker.subscribeToDeadLetters(of: pool, capacity: 0)
      let name = PoolName(rawValue: "\(pool).dead")
      return Source(
        pool, subscription, StallMonitor(subscription, pool: name, stallTimeout: stallTimeout, logger: logger))
    }
    self.index = index
    outage = OutageLog("dead letters cannot be indexed; they stay at the broker", logger: logger)
  }

  /// What this node reports of the letters that it is indexing.
  var report: PoolReport {
    let indexing = sources.map { ($0.pool.rawValue, $0.recording.load(ordering: .relaxed)) }.filter { $0.1 > 0 }
    return PoolReport(localConcurrency: 1, indexing: Dictionary(uniqueKeysWithValues: indexing))
  }

  /// True while the consumers are alive and not stalled.
  var isConsuming: Bool { sources.allSatisfy { $0.subscription.isConsuming && !$0.stallMonitor.isStalled } }

  /// Pauses or resumes indexing.
  func setPaused(_ isPaused: Bool) {
    paused.store(isPaused, ordering: .relaxed)
    for source in sources { source.resize(to: isPaused ? 0 : 1) }
  }

  /// Fetches nothing more; what was delivered is still recorded.
  func drain() { for source in sources { source.subscription.cancel() } }

  /// Indexes until drained or cancelled.
  func run() async {
    await withDiscardingTaskGroup { watching in
      for source in sources {
        // While a batch is being recorded, which may take as long as PostgreSQL is unavailable, no delivery is
        // expected.
        watching.addTask {
          await source.stallMonitor.run {
            !self.paused.load(ordering: .relaxed) && !source.isRecording
          }
        }
      }
      await withDiscardingTaskGroup { group in
        for source in sources { group.addTask { await self.record(from: source) } }
      }
      watching.cancelAll()
    }
  }

  private func record(from source: Source) async {
    for await deliveries in source.subscription.deliveries {
      source.recording.store(deliveries.count, ordering: .relaxed)
      source.arrived(deliveries)
      await record(deliveries)
      source.recording.store(0, ordering: .relaxed)
      source.stallMonitor.arrived()
    }
  }

  /// Records dead letters and acknowledges them. While the store is unavailable they wait. Where it refuses a part, or
  /// others have locked a letter's job, each half is recorded by itself after all the others; single letters that fail
  /// are requeued after a second, so that they hold up no others.
  private func record(_ deliveries: [JobDelivery]) async {
    var parts = Deque(Self.parts(of: deliveries))
    var failed: [JobDelivery] = []
    while let part = parts.popFirst() {
      if await isRecorded(part) {
        Failpoint.afterDeadLetterIndexed.visit()
        for delivery in part { delivery.acknowledge() }
      } else if part.count > 1, !Task.isCancelled {
        let middle = part.startIndex + part.count / 2
        parts.append(part[..<middle])
        parts.append(part[middle...])
      } else {
        failed += part
      }
    }
    if !failed.isEmpty { try? await TimeSource.sleep(for: Self.retryDelay) }
    for delivery in failed { delivery.requeue() }
  }

  /// Records these letters together; false where the store refuses them, or the task is cancelled.
  private func isRecorded(_ part: ArraySlice<JobDelivery>) async -> Bool {
    let letters = part.map(Self.letter)
    do {
      try await retrying(
        backoff: Backoff(initial: .milliseconds(100), max: .seconds(5)),
        decide: { error in
          switch error as? JobStoreError {
          case .unavailable, .inDoubt:
            outage.failed(error)
            return .retry
          case .contention, .deadlineExceeded, nil:
            if part.count == 1 { outage.failed(error) }
            return .giveUp
          }
        }, { _ in try await index.record(letters) })
    } catch {
      return false
    }
    outage.succeeded()
    return true
  }

  /// Parts that are recorded together: their bodies are sent in one statement.
  private static func parts(of deliveries: [JobDelivery]) -> [ArraySlice<JobDelivery>] {
    var parts: [ArraySlice<JobDelivery>] = []
    var (start, bytes) = (0, 0)
    for (index, delivery) in deliveries.enumerated() {
      bytes += delivery.body.count
      guard index > start, bytes > PrefetchLimit.batchBytesMax || index - start == lettersMax else { continue }
      parts.append(deliveries[start..<index])
      (start, bytes) = (index, delivery.body.count)
    }
    return parts + [deliveries[start...]]
  }

  private static func letter(_ delivery: JobDelivery) -> DeadLetter {
    var unknown = DeadLetterInfo(
      reason: .unreadable, detail: "dead letter without reason headers", cause: "dead_letter_info", kind: "unreadable",
      pool: "unknown", attempts: 0, at: TimeSource.date)
    if case .oversize(let detail) = delivery.content {
      unknown = DeadLetterInfo(
        reason: .oversize, detail: detail, cause: "size", kind: "unreadable", pool: "unknown", attempts: 0,
        at: TimeSource.date)
    }
    switch delivery.content {
    case .job(let envelope):
      // Run 0 marks the envelope around a message that could not be read.
      return DeadLetter(
        jobRun: envelope.jobRun, envelope: envelope.run > 0 ? envelope : nil,
        deadLetterInfo: delivery.deadLetterInfo ?? unknown, body: delivery.body)
    case .unreadable, .oversize:
      return DeadLetter(
        jobRun: JobRun(id: delivery.contentID, run: 0), envelope: nil,
        deadLetterInfo: delivery.deadLetterInfo ?? unknown,
        body: delivery.body)
    }
  }
}
