internal import Metrics
internal import Synchronization

/// The metrics of the process' connection pools, all of them together.
package enum PostgresMetrics {
  private static let connections = "vluma_postgres_connections"
  private static let waiting = "vluma_postgres_waiting_callers"

  /// What each metric measures, by name.
  package static let help = [
    connections: "PostgreSQL connections of this process' pools: leased, or open and idle.",
    waiting: "Callers that wait for a PostgreSQL connection, or for one to open.",
  ]

  private struct Counts {
    var leased = 0
    var idle = 0
    var waiting = 0
  }

  /// Looked up once: these are set at every lease.
  private struct Gauges: Sendable {
    let leased = Gauge(label: connections, dimensions: [("state", "leased")])
    let idle = Gauge(label: connections, dimensions: [("state", "idle")])
    let waiting = Gauge(label: PostgresMetrics.waiting)
  }

  private static let counts = Mutex(Counts())
  private static let gauges = Gauges()

  static func add(leased: Int = 0, idle: Int = 0, waiting: Int = 0) {
    let counts = counts.withLock { counts in
      counts.leased += leased
      counts.idle += idle
      counts.waiting += waiting
      return counts
    }
    if leased != 0 { gauges.leased.record(counts.leased) }
    if idle != 0 { gauges.idle.record(counts.idle) }
    if waiting != 0 { gauges.waiting.record(counts.waiting) }
  }
}
