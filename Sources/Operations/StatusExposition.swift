internal import Foundation
public import Jobs

extension PlatformStatus {
  /// The status in Prometheus' text format: the same figures at every process, so take them from one.
  public func exposition() -> String {
    var text = ""
    func gauge(_ name: String, _ help: String, _ samples: [(labels: [(String, String)], value: Double?)]) {
      text += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n"
      for sample in samples {
        guard let value = sample.value else { continue }
        let labels = sample.labels.isEmpty ? "" : "{\(PrometheusRegistry.text(sample.labels))}"
        text += "\(name)\(labels) \(value == value.rounded() ? String(Int64(value)) : String(value))\n"
      }
    }
    func byPool(_ value: (Pool) -> Double?) -> [(labels: [(String, String)], value: Double?)] {
      pools.map { ([("pool", $0.name.rawValue)], value($0)) }
    }
    gauge("queue_jobs_ready", "Jobs that wait in a pool's queue.", byPool { $0.ready.map(Double.init) })
    gauge("queue_jobs_unacked", "Jobs taken by workers and not settled.", byPool { Double($0.inHand) })
    gauge("queue_jobs_delayed", "Jobs that wait in PostgreSQL for their time.", byPool { Double($0.delayed) })
    gauge("queue_jobs_dead", "Dead jobs nobody has dealt with.", byPool { Double($0.dead) })
    gauge("queue_oldest_age_seconds", "Estimated age of the oldest waiting job.", byPool(\.oldestSeconds))
    gauge("pool_size", "Concurrent jobs wished for over all nodes.", byPool { Double($0.size) })
    gauge("pool_paused", "1 while an operator has paused the pool.", byPool { $0.isPaused ? 1 : 0 })
    gauge(
      "retry_tier_jobs_waiting", "Jobs that wait in a retry tier of the broker.",
      tiers.map { ([("tier", $0.name)], $0.waiting.map(Double.init)) })
    gauge("unroutable_jobs", "Returned jobs whose pool is gone.", [([], unroutable.map(Double.init))])
    gauge("outbox_jobs", "Jobs committed and not known to be enqueued.", [([], Double(outbox))])
    gauge("outbox_oldest_age_seconds", "Age of the oldest job in the outbox.", [([], outboxOldestSeconds ?? 0)])
    gauge("worker_nodes", "Live worker processes.", [([], Double(nodes.count))])
    gauge(
      "platform_troubles", "Parts of the platform that could not be asked for this page.",
      [([], Double(troubles.count))])
    for (index, figure) in figures.enumerated() where index == 0 || figures[index - 1].name != figure.name {
      gauge(
        figure.name, figure.help,
        figures.filter { $0.name == figure.name }.map { ($0.label.map { [($0[0], $0[1])] } ?? [], $0.value) })
    }
    return text
  }
}
