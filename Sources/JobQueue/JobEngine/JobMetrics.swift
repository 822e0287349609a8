internal import Jobs
internal import Metrics
internal import Synchronization

/// What the engine counts; names and labels follow Prometheus' customs. Labels never hold ids.
enum JobMetrics {
  /// How an attempt, or the job, ended.
  enum Outcome: String {
    case completed, cancelled, duplicate, snoozed, parked, retried, dead
    case requeued = "given_back"
  }

  static func ended(_ outcome: Outcome, pool: PoolName, kind: JobKind, count: Int = 1) {
    Counter(label: "jobs_processed_total", dimensions: labels(pool, kind) + [("outcome", outcome.rawValue)]).increment(
      by: count)
  }

  /// The time an attempt, or a batch, took.
  static func attempt(_ duration: Duration, pool: PoolName, kind: JobKind) {
    Recorder(label: "job_duration_seconds", dimensions: labels(pool, kind)).record(duration / .seconds(1))
  }

  /// The time between a job's being enqueued and its being begun.
  static func queueWait(_ seconds: Double, pool: PoolName, kind: JobKind) {
    Recorder(label: "job_queue_wait_seconds", dimensions: labels(pool, kind)).record(max(0, seconds))
  }

  static func inHand(_ count: Int, pool: PoolName) {
    Gauge(label: "jobs_in_hand", dimensions: [("pool", pool.rawValue)]).record(count)
  }

  /// A silent flow of jobs was restarted.
  static func restarted(pool: PoolName) {
    Counter(label: "flow_rebuilds_total", dimensions: [("pool", pool.rawValue)]).increment()
  }

  static func share(_ size: Int, pool: PoolName) {
    Gauge(label: "pool_share", dimensions: [("pool", pool.rawValue)]).record(size)
  }

  /// Seconds by which this node's clock is ahead of the store's; negative: behind.
  static func clockAhead(_ seconds: Double) { Gauge(label: "clock_ahead_seconds").record(seconds) }

  private static func labels(_ pool: PoolName, _ kind: JobKind) -> [(String, String)] {
    [("pool", pool.rawValue), ("kind", kind.rawValue)]
  }
}
