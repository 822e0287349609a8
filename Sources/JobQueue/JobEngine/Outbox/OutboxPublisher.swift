internal import ClientLoop
internal import Jobs
internal import Logging
internal import Synchronization

/// Enqueues committed outbox entries at once and deletes those that the broker holds, many in one statement. Failed
/// entries stay in the outbox, for the relay.
final class OutboxPublisher<Store: JobStore>: Sendable {
  private let store: Store
  private let broker: any JobBroker
  private let logger: Logger
  private let enqueued = Mutex<[JobRun]>([])
  private let signal = Signal()

  /// Past this many, a caller that adds more deletes them itself: memory stays bounded while PostgreSQL is slow.
  private static var enqueuedMax: Int { 10_000 }
  /// How long confirmed entries wait to be deleted with others. Jobs that have ended by then need no record of being
  /// accepted, which the deletion would make. Shorter than the age at which the relay takes entries.
  private static var deletionDelay: Duration { .milliseconds(200) }
  /// How long enqueueing may take before it is left to the relay.
  static var enqueueTimeout: Duration { .seconds(5) }

  init(store: Store, broker: any JobBroker, logger: Logger) {
    self.store = store
    self.broker = broker
    self.logger = logger
  }

  /// Enqueues the entries and waits for the confirms.
  func publish(_ entries: [OutboxEntry]) async {
    guard !entries.isEmpty else { return }
    let confirmed = await enqueue(entries)
    Failpoint.afterOutboxPublish.visit()
    guard !confirmed.isEmpty else { return }
    let isOverfull = enqueued.withLock { enqueued in
      enqueued += confirmed
      return enqueued.count > Self.enqueuedMax
    }
    if isOverfull { await flush() } else { signal.send() }
  }

  /// Enqueues the entries and returns those the broker holds now.
  func enqueue(_ entries: [OutboxEntry]) async -> [JobRun] {
    let jobs = entries.map { OutgoingJob($0.envelope, to: .pool($0.pool)) }
    let results = await broker.enqueue(jobs, deadline: TimeSource.now + Self.enqueueTimeout)
    let unroutable = Set(zip(entries, results).filter { $0.1 == .unroutable }.map(\.0.pool))
    for pool in unroutable {
      logger.error(
        "pool has no queue at the broker; its jobs stay in the outbox: run vluma topology apply",
        metadata: ["pool": "\(pool)"])
    }
    for (entry, result) in zip(entries, results) where result == .refused {
      logger.error(
        "job is too large for the broker; it stays in the outbox, and is never enqueued",
        metadata: [
          "job": "\(entry.envelope.jobRun)", "kind": "\(entry.envelope.kind)",
          "bytes": "\(entry.envelope.body.count)",
        ])
    }
    return zip(entries, results).filter { $0.1 == .enqueued }.map(\.0.envelope.jobRun)
  }

  /// Deletes in the background until the task is cancelled.
  func run() async {
    for await _ in signal.stream {
      try? await TimeSource.sleep(for: Self.deletionDelay)
      await flush()
    }
  }

  /// Deletes the rows of enqueued jobs. Where that fails the relay publishes the rows again, which is harmless.
  func flush() async {
    let batch = enqueued.withLock { enqueued in
      defer { enqueued = [] }
      return enqueued
    }
    guard !batch.isEmpty else { return }
    do {
      try await store.deleteFromOutbox(batch)
    } catch {
      logger.debug("deleting outbox rows failed; the relay will publish them again", metadata: ["error": "\(error)"])
    }
  }
}
