package import JobOperations
internal import Jobs

extension PlatformStatus {
  /// The status in Prometheus' text format: the same gauges at every process, so take them from one. What is unknown is
  /// left out.
  package func exposition() -> String {
    var text = PrometheusText()
    func gauge(_ name: String, _ help: String, _ value: Double?) {
      text.family(name, help: help, type: "gauge")
      text.sample(name, labels: [], value: value)
    }
    func byPool(_ name: String, _ help: String, _ value: (Pool) -> Double?) {
      text.family(name, help: help, type: "gauge")
      for pool in pools { text.sample(name, labels: [("pool", pool.name.rawValue)], value: value(pool)) }
    }
    byPool("vluma_jobs_queued", "Jobs in a pool's queue.") { $0.queued.map(Double.init) }
    byPool("vluma_jobs_running", "Jobs running or prefetched, over all nodes.") { Double($0.running) }
    byPool("vluma_jobs_scheduled", "Jobs scheduled, retrying or parked in PostgreSQL.") { Double($0.scheduled) }
    byPool("vluma_jobs_dead", "Open dead letters.") { Double($0.dead) }
    byPool("vluma_oldest_job_age_seconds", "Estimated age of the oldest queued job.", \.oldestAgeSeconds)
    byPool("vluma_pool_size", "Configured concurrent jobs over all nodes.") { Double($0.size) }
    byPool("vluma_pool_paused", "1 while an operator has paused the pool.") { $0.isPaused ? 1 : 0 }
    text.family("vluma_jobs_retrying", help: "Jobs in a retry tier of the broker.", type: "gauge")
    for tier in tiers {
      text.sample("vluma_jobs_retrying", labels: [("tier", tier.name)], value: tier.retrying.map(Double.init))
    }
    gauge("vluma_jobs_unroutable", "Returned jobs whose pool is gone.", unroutable.map(Double.init))
    gauge("vluma_outbox_jobs", "Jobs committed and not known to be enqueued.", Double(outbox))
    gauge("vluma_outbox_oldest_age_seconds", "Age of the oldest job in the outbox.", outboxOldestSeconds)
    gauge("vluma_worker_nodes", "Live worker processes.", Double(nodes.count))
    gauge("vluma_status_errors", "Sources that failed while this page was collected.", Double(errors.count))
    for (name, gauges) in Dictionary(grouping: gauges, by: \.name).sorted(by: { $0.key < $1.key }) {
      text.family(name, help: gauges[0].help, type: "gauge")
      for gauge in gauges {
        text.sample(name, labels: gauge.label.map { [($0[0], $0[1])] } ?? [], value: gauge.value)
      }
    }
    return text.string
  }
}
