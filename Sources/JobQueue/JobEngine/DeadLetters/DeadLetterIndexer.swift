internal import ClientLoop
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

    init(_ pool: PoolName, _ subscription: any JobSubscription, _ stallMonitor: StallMonitor) {
      self.pool = pool
      self.subscription = subscription
      self.stallMonitor = stallMonitor
    }
  }

  private let sources: [Source]
  private let index: any DeadLetterIndex
  private let outage: OutageLog

  private let paused = Atomic(false)

  /// Dead letters delivered and not yet recorded, per pool.
  private static let capacity = 200

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
    for source in sources { source.subscription.setCapacity(isPaused ? 0 : Self.capacity) }
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
      await record(deliveries)
      source.recording.store(0, ordering: .relaxed)
      source.stallMonitor.arrived()
    }
  }

  /// Records dead letters and acknowledges them. While the store is unavailable they wait. Where it refuses a batch,
  /// each half is recorded by itself; a single one that it refuses is requeued after a second, so that it holds up no
  /// other.
  private func record(_ deliveries: [JobDelivery]) async {
    let letters = deliveries.map(Self.letter)
    do {
      try await retrying(
        backoff: Backoff(initial: .milliseconds(100), max: .seconds(5)),
        decide: { error in
          guard error is JobStoreError || deliveries.count == 1 else { return .giveUp }
          outage.failed(error)
          return error is JobStoreError ? .retry : .giveUp
        }, { _ in try await index.record(letters) })
    } catch {
      if deliveries.count > 1, !Task.isCancelled {
        await record(Array(deliveries[..<(deliveries.count / 2)]))
        return await record(Array(deliveries[(deliveries.count / 2)...]))
      }
      if !Task.isCancelled { try? await TimeSource.sleep(for: .seconds(1)) }
      for delivery in deliveries { delivery.requeue() }
      return
    }
    outage.succeeded()
    Failpoint.afterDeadLetterIndexed.visit()
    for delivery in deliveries { delivery.acknowledge() }
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
