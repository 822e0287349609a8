internal import Metrics

/// A counter of swift-metrics; `Counter` alone is what is counted for reports.
typealias MetricCounter = Counter

/// Names of the engine's metrics. Labels are `pool`, `kind` and `outcome`; they never hold ids.
package enum JobMetrics {
  static let processed = "vluma_jobs_processed_total"
  static let attemptDuration = "vluma_job_attempt_duration_seconds"
  static let queueWait = "vluma_job_queue_wait_seconds"
  static let nodeJobsRunning = "vluma_node_jobs_running"
  static let heldBytes = "vluma_node_held_bytes"
  static let refusedDeliveries = "vluma_deliveries_refused_total"
  static let contentions = "vluma_job_contentions_total"
  static let localConcurrency = "vluma_pool_local_concurrency"
  static let consumerRestarts = "vluma_consumer_restarts_total"
  static let unrecorded = "vluma_jobs_unrecorded_total"
  static let toRecord = "vluma_node_jobs_to_record"
  static let clockOffset = "vluma_clock_offset_seconds"

  /// What each metric measures, by name.
  package static let help = [
    processed: "Jobs by how they left this node.",
    attemptDuration: "How long an attempt at a job, or at a batch, took.",
    queueWait: "Time from enqueueing a job to the start of an attempt.",
    nodeJobsRunning: "Jobs running or prefetched on this node.",
    heldBytes: "Bytes of the bodies of jobs running or prefetched on this node.",
    refusedDeliveries:
      "Deliveries put back into their queue because the bodies held on this node had reached their bound.",
    contentions:
      "Jobs snoozed without an attempt, because of locks, deadlocks, or statements that PostgreSQL cancelled.",
    localConcurrency: "This node's part of the pool's size.",
    consumerRestarts: "Consumers restarted because jobs were ready and none was delivered.",
    unrecorded: "Accepted jobs that were not recorded, because the buffer was full or PostgreSQL away at the end.",
    toRecord: "Accepted jobs that wait on this node to be recorded in PostgreSQL.",
    clockOffset: "Seconds by which this node's clock is ahead of PostgreSQL's; negative: behind.",
  ]
}
