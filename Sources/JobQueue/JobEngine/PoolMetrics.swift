internal import Jobs
internal import Metrics

/// The metrics of one pool on this node, looked up once: a look-up by name costs label arrays, a lock and two
/// dictionaries; done at every call, it took a tenth of a worker's processor time.
///
/// Kinds that the pool is not configured for count as `other`: a kind comes from the message, and each new label value
/// is a series that is never removed.
struct PoolMetrics: Sendable {
  /// How a job left this node, or that it was a duplicate.
  enum Outcome: String, CaseIterable {
    case completed, cancelled, duplicate, snoozed, parked, retried, requeued, dead
  }

  private struct KindMetrics: Sendable {
    let attemptDuration: Recorder
    let queueWait: Recorder
    let processed: [Outcome: MetricCounter]

    init(pool: PoolName, kind: String) {
      let labels = [("pool", pool.rawValue), ("kind", kind)]
      attemptDuration = Recorder(label: JobMetrics.attemptDuration, dimensions: labels)
      queueWait = Recorder(label: JobMetrics.queueWait, dimensions: labels)
      processed = Dictionary(
        uniqueKeysWithValues: Outcome.allCases.map {
          ($0, MetricCounter(label: JobMetrics.processed, dimensions: labels + [("outcome", $0.rawValue)]))
        })
    }
  }

  private let kinds: [JobKind: KindMetrics]
  private let other: KindMetrics
  private let running: Gauge
  private let concurrency: Gauge
  private let heldBytes: Gauge
  private let refused: MetricCounter
  private let contentions: MetricCounter

  init(pool: PoolName, kinds: [JobKind]) {
    self.kinds = Dictionary(kinds.map { ($0, KindMetrics(pool: pool, kind: $0.rawValue)) }) { first, _ in first }
    other = KindMetrics(pool: pool, kind: "other")
    running = Gauge(label: JobMetrics.nodeJobsRunning, dimensions: [("pool", pool.rawValue)])
    let label = [("pool", pool.rawValue)]
    concurrency = Gauge(label: JobMetrics.localConcurrency, dimensions: label)
    heldBytes = Gauge(label: JobMetrics.heldBytes, dimensions: label)
    refused = MetricCounter(label: JobMetrics.refusedDeliveries, dimensions: label)
    contentions = MetricCounter(label: JobMetrics.contentions, dimensions: label)
  }

  private subscript(kind: JobKind) -> KindMetrics { kinds[kind] ?? other }

  func processed(_ outcome: Outcome, kind: JobKind) { self[kind].processed[outcome]?.increment() }
  /// The time an attempt, or a batch, took.
  func attemptDuration(_ duration: Duration, kind: JobKind) {
    self[kind].attemptDuration.record(duration / .seconds(1))
  }
  func queueWait(_ seconds: Double, kind: JobKind) { self[kind].queueWait.record(max(0, seconds)) }
  func running(_ count: Int) { running.record(count) }
  /// The bodies of the jobs running or prefetched.
  func held(bytes: Int) { heldBytes.record(bytes) }
  /// Deliveries that would have exceeded the bytes that may be held.
  func refused(_ count: Int) { refused.increment(by: count) }
  /// A job that was snoozed because its transactions met contention.
  func contended() { contentions.increment() }
  func localConcurrency(_ count: Int) { concurrency.record(count) }
}
