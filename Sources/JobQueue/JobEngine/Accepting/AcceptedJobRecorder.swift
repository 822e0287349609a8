internal import ClientLoop
package import Jobs
package import Logging
internal import Metrics
internal import Synchronization

/// Records jobs that this process has enqueued, so that they can be found when their queue is lost.
///
/// Accepting a job needs the broker alone. The recorder takes it after the confirm and writes it in the background,
/// many in one statement; jobs that have ended by then are left out. While the store is away it keeps what fits, within
/// bounds of count and bytes. What does not fit is counted and logged, and is as safe as its queue.
package final class AcceptedJobRecorder<Store: JobStore>: Sendable {
  package struct Options: Sendable {
    /// The most jobs that wait; 20,000 by default.
    package var jobsMax = 20_000
    /// The most bytes of bodies that wait, besides some hundred a job; 64 MiB by default.
    package var bytesMax = 64 << 20
    /// Pools of whose jobs no body is kept, but a reference.
    package var bodiless: Set<PoolName> = []
    /// Makes the reference of a job of such a pool. It runs in the background and may take its time, on a thread of its
    /// own where it computes for more than a moment.
    package var reference: @Sendable (JobEnvelope) async -> AcceptedReference = { _ in
      AcceptedReference(source: "", eventIDs: [])
    }

    package init() {}
  }

  private let store: Store
  private let options: Options
  private let outage: OutageLog
  private let logger: Logger
  private let buffer: Mutex<AcceptedJobBuffer>
  private let signal = Signal()
  private let unrecorded = MetricCounter(label: JobMetrics.unrecorded)
  private let waiting = Gauge(label: JobMetrics.toRecord)

  /// How long jobs wait for more: most have ended by then and need no row.
  private static var interval: Duration { .milliseconds(200) }
  /// Jobs and bytes in one statement; this many do not wait for more.
  private static var batchMax: (jobs: Int, bytes: Int) { (500, 4 << 20) }
  /// How long one statement may take.
  private static var writeTimeout: Duration { .seconds(10) }
  /// How long the process writes what is left when it stops.
  private static var lastWritesTimeout: Duration { .seconds(3) }

  package init(store: Store, options: Options = Options(), logger: Logger) {
    self.store = store
    self.options = options
    self.logger = logger
    buffer = Mutex(AcceptedJobBuffer(jobsMax: options.jobsMax, bytesMax: options.bytesMax))
    outage = OutageLog(
      "accepted jobs cannot be recorded; the broker holds them, and they are recorded when PostgreSQL is back",
      logger: logger)
  }

  /// Takes a job that the broker has confirmed; returns at once.
  package func add(_ envelope: JobEnvelope, pool: PoolName) {
    let (isTaken, isFirstRefusal, count) = buffer.withLock { buffer in
      let isTaken = buffer.add(envelope, pool: pool)
      return (isTaken, !isTaken && buffer.noteRefusal(), buffer.count)
    }
    guard isTaken else {
      unrecorded.increment()
      if isFirstRefusal {
        logger.error(
          """
          accepted jobs are not recorded: the buffer is full, because PostgreSQL is away or slow. They are done as usual, \
          but could not be named if their queue were lost
          """, metadata: ["buffered": "\(count)"])
      }
      return
    }
    signal.send()
  }

  /// Writes until the task is cancelled, and then, for some seconds at most, what is left.
  package func run() async {
    for await _ in signal.stream {
      if !buffer.withLock({ $0.isBatchFull(Self.batchMax) }) { try? await TimeSource.sleep(for: Self.interval) }
      if Task.isCancelled { break }
      await writeAll()
    }
    await TimeSource.withCancellationShield {
      try? await withDeadline(TimeSource.now + Self.lastWritesTimeout) { await self.writeAll() }
    }
    let left = buffer.withLock { $0.count }
    guard left > 0 else { return }
    unrecorded.increment(by: left)
    logger.warning(
      "accepted jobs are left unrecorded, because PostgreSQL is away; the broker holds them",
      metadata: ["jobs": "\(left)"])
  }

  /// Writes batch after batch, and again while the store is away, until nothing is left or the task is cancelled.
  private func writeAll() async {
    var backoff = Backoff(initial: .milliseconds(100), max: .seconds(2))
    while !Task.isCancelled {
      let batch = buffer.withLock { $0.next(Self.batchMax) }
      guard !batch.isEmpty else { break }
      do {
        try await write(await batch.asyncMap(recordable))
        buffer.withLock { $0.removeNext(batch.count) }
        outage.succeeded()
        backoff.reset()
      } catch {
        if !Task.isCancelled { outage.failed(error) }
        try? await TimeSource.sleep(for: backoff.next())
      }
      waiting.record(buffer.withLock { $0.count })
    }
  }

  /// The job as it is recorded. A reference is made once: the buffer keeps it, and lets go of the body.
  private func recordable(_ job: AcceptedJob) async -> AcceptedJob {
    guard job.reference == nil, options.bodiless.contains(job.pool) else { return job }
    var envelope = job.envelope
    let reference = await options.reference(envelope)
    envelope.body.removeAll()
    let referenced = AcceptedJob(envelope, pool: job.pool, reference: reference)
    buffer.withLock { $0.replace(referenced) }
    return referenced
  }

  /// Writes a batch. Throws where the store is away; where it refuses the batch, each half is written by itself, and a
  /// single job that it refuses is left out.
  private func write(_ jobs: [AcceptedJob]) async throws {
    let store = store
    do {
      try await withDeadline(TimeSource.now + Self.writeTimeout) { _ = try await store.recordAccepted(jobs) }
    } catch let error where error is JobStoreError || error is DeadlineExceeded || Task.isCancelled {
      throw error
    } catch {
      guard jobs.count == 1 else {
        try await write(Array(jobs[..<(jobs.count / 2)]))
        return try await write(Array(jobs[(jobs.count / 2)...]))
      }
      unrecorded.increment()
      logger.error(
        "an accepted job is not recorded: PostgreSQL refuses it; it is done as usual",
        metadata: ["job": "\(jobs[0].envelope.jobRun)", "error": "\(ErrorDescription(error).detail)"])
    }
  }
}

extension Array {
  fileprivate func asyncMap<Result>(_ body: (Element) async -> Result) async -> [Result] {
    var results: [Result] = []
    for element in self { results.append(await body(element)) }
    return results
  }
}
