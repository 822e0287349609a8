internal import Jobs
internal import Logging
internal import Synchronization
internal import Wires

/// Enqueues committed outbox entries at once and forgets those the broker holds, many in one statement.
///
/// What fails stays in the outbox, for the relay.
final class OutboxPublisher<Ledger: JobLedger>: Sendable {
  private let ledger: Ledger
  private let broker: any JobBroker
  private let logger: Logger
  private let kept = Mutex<[JobRun]>([])
  private let signal = Signal()

  /// Past this many, whoever adds more deletes them itself: memory stays bounded while PostgreSQL is slow.
  private static var keptMax: Int { 10_000 }
  /// How long enqueuing may take before the relay is left to it.
  static var patience: Duration { .seconds(5) }

  init(ledger: Ledger, broker: any JobBroker, logger: Logger) {
    self.ledger = ledger
    self.broker = broker
    self.logger = logger
  }

  /// Enqueues the entries and waits for the broker's word.
  func publish(_ entries: [OutboxEntry]) async {
    guard !entries.isEmpty else { return }
    let done = await enqueue(entries)
    Failpoint.afterOutboxPublish.visit()
    guard !done.isEmpty else { return }
    let isOverfull = kept.withLock { kept in
      kept += done
      return kept.count > Self.keptMax
    }
    if isOverfull { await flush() } else { signal.send() }
  }

  /// Enqueues the entries and returns those the broker holds now.
  func enqueue(_ entries: [OutboxEntry]) async -> [JobRun] {
    let jobs = entries.map { OutgoingJob($0.envelope, to: .pool($0.pool)) }
    let outcomes = await broker.enqueue(jobs, deadline: CurrentRuntime.now + Self.patience)
    let refused = Set(zip(entries, outcomes).filter { $0.1 == .refused }.map(\.0.pool))
    for pool in refused {
      logger.error(
        "the broker has no queue for a pool; its jobs wait in the outbox: run vluma topology apply",
        metadata: ["pool": "\(pool)"])
    }
    return zip(entries, outcomes).filter { $0.1 == .kept }.map(\.0.envelope.jobRun)
  }

  /// Deletes in the background until the task is cancelled.
  func run() async {
    for await _ in signal.stream { await flush() }
  }

  /// Deletes what is known to be kept. What fails is tried again with the next, or republished by the relay: harmless.
  func flush() async {
    let batch = kept.withLock { kept in
      defer { kept = [] }
      return kept
    }
    guard !batch.isEmpty else { return }
    do {
      try await ledger.deleteFromOutbox(batch)
    } catch {
      logger.debug("outbox rows could not be deleted now", metadata: ["error": "\(error)"])
    }
  }
}
