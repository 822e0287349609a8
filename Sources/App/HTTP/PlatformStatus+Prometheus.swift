package import JobOperations
internal import Jobs

extension PlatformStatus {
  /// The status in Prometheus' text format. Every process reports the same values: scrape one of them. Unknown values
  /// are left out.
  package func exposition() -> String {
    var text = PrometheusText()
    func gauge(_ name: String, _ help: String, _ value: Double?) {
      text.family(name, help: help, type: "gauge")
      text.sample(name, value: value)
    }
    func byPool(_ name: String, _ help: String, type: String = "gauge", _ value: (Pool) -> Double?) {
      text.family(name, help: help, type: type)
      for pool in pools { text.sample(name, labels: [("pool", pool.name.rawValue)], value: value(pool)) }
    }
    func number(_ count: Int?) -> Double? { count.map(Double.init) }
    byPool("vluma_jobs_queued", "Jobs in a pool's queue.") { number($0.queued) }
    byPool("vluma_jobs_running", "Jobs running or prefetched, over all nodes.") { number($0.running) }
    byPool("vluma_jobs_scheduled", "Jobs scheduled, retrying or parked in PostgreSQL.") { number($0.scheduled) }
    byPool("vluma_jobs_dead", "Open dead letters.") { number($0.dead) }
    byPool("vluma_jobs_missing", "Accepted jobs that have not ended and are nowhere: see vluma doctor.") {
      number($0.missing)
    }
    func total(_ name: String, _ help: String, _ value: (JobFlow) -> Int) {
      byPool("vluma_jobs_\(name)_total", help, type: "counter") { number($0.flow.map(value)) }
    }
    total("accepted", "Jobs accepted, each run once; retries of dead letters and follow-ups included.") { $0.accepted }
    total("completed", "Jobs completed, each run once.") { $0.completed }
    total("cancelled", "Jobs cancelled, each run once.") { $0.cancelled }
    total("dead", "Jobs that became dead letters, each run once.") { $0.dead }
    byPool("vluma_oldest_job_age_seconds", "Estimated age of the oldest queued job.") { $0.oldestAgeSeconds }
    byPool("vluma_pool_size", "Configured concurrent jobs over all nodes.") { number($0.size) }
    byPool("vluma_pool_paused", "1 while an operator has paused the pool.") { Self.flag($0.isPaused) }
    text.family("vluma_jobs_retrying", help: "Jobs in a retry tier of the broker.", type: "gauge")
    for tier in tiers {
      text.sample("vluma_jobs_retrying", labels: [("tier", tier.name)], value: number(tier.retrying))
    }
    gauge("vluma_jobs_unroutable", "Returned jobs whose pool is gone.", number(unroutable))
    gauge("vluma_outbox_jobs", "Jobs committed and not known to be enqueued.", number(outbox))
    gauge("vluma_outbox_oldest_age_seconds", "Age of the oldest job in the outbox.", outboxOldestSeconds)
    gauge("vluma_worker_nodes", "Live worker processes.", number(nodes?.count))
    gauge("vluma_status_errors", "Sources that failed while this page was collected.", Double(errors.count))
    for (name, gauges) in Dictionary(grouping: gauges, by: \.name).sorted(by: { $0.key < $1.key }) {
      text.family(name, help: gauges[0].help, type: "gauge")
      for gauge in gauges {
        text.sample(name, labels: gauge.label.map { [($0[0], $0[1])] } ?? [], value: gauge.value)
      }
    }
    return text.string
  }

  private static func flag(_ value: Bool?) -> Double? { value.map { $0 ? 1 : 0 } }
}
