/// The checks in the order they are shown in. The raw values are part of the JSON.
package enum DoctorCheck: String, Sendable, Codable, CaseIterable {
  /// Environment and queues.yaml can be used.
  case settings
  /// The broker answers and has what queues.yaml needs.
  case rabbitMQ = "rabbitmq"
  /// The database answers and is up to date.
  case postgreSQL = "postgresql"
  /// Redis answers, if it is configured.
  case redis
  /// Live worker processes run every pool that has something to do.
  case nodes
  /// Live processes may open enough files and connections.
  case descriptors
  /// Queued jobs are fetched.
  case flow
  /// Accepted jobs that have not ended are somewhere.
  case missingJobs = "missing_jobs"
  /// No jobs are left of pools that are gone.
  case removedPools = "removed_pools"
  /// No job returned from a retry tier to a pool that was gone.
  case unroutable
  /// The pool of each stored job does its kind.
  case kinds
  /// Committed jobs are enqueued.
  case outbox
  /// Scheduled jobs are enqueued in time.
  case scheduled
  /// What operators have set fits queues.yaml.
  case poolSettings = "pool_settings"
  /// There are no open dead letters.
  case deadLetters = "dead_letters"

  package var title: String {
    switch self {
    case .settings: "settings"
    case .rabbitMQ: "RabbitMQ"
    case .postgreSQL: "PostgreSQL"
    case .redis: "Redis"
    case .nodes: "workers"
    case .descriptors: "descriptors"
    case .flow: "flow"
    case .missingJobs: "missing jobs"
    case .removedPools: "removed pools"
    case .unroutable: "unroutable"
    case .kinds: "kinds of jobs"
    case .outbox: "outbox"
    case .scheduled: "scheduled"
    case .poolSettings: "pool settings"
    case .deadLetters: "dead letters"
    }
  }
}
