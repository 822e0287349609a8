/// What is looked at, in the order it is shown in.
package enum DoctorCheck: String, Sendable, Codable, CaseIterable {
  /// Environment and queues.yaml.
  case settings
  /// The broker answers and has what queues.yaml needs.
  case rabbitMQ = "rabbitmq"
  /// The database answers and is up to date.
  case postgreSQL = "postgresql"
  /// Redis answers, where one is named.
  case redis
  /// Somebody works, in every pool that has something to do.
  case nodes
  /// Jobs that wait are taken.
  case flow
  /// Nothing waits for pools that are gone.
  case removedPools = "removed_pools"
  /// No job came back from a retry to a pool that was gone.
  case unroutable
  /// Every kind of job that waits is one that its pool does.
  case kinds
  /// Committed jobs are enqueued.
  case outbox
  /// Scheduled jobs go on in time.
  case scheduled
  /// What operators have set fits queues.yaml.
  case poolSettings = "pool_settings"
  /// Nothing is dead.
  case deadLetters = "dead_letters"

  /// For people.
  package var title: String {
    switch self {
    case .settings: "settings"
    case .rabbitMQ: "RabbitMQ"
    case .postgreSQL: "PostgreSQL"
    case .redis: "Redis"
    case .nodes: "workers"
    case .flow: "flow"
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

/// Something that is not as it should be, and what to do about it.
package struct Finding: Sendable, Equatable, Encodable {
  /// How bad it is.
  package enum Severity: String, Sendable, Codable {
    /// Jobs flow, or will again by themselves; somebody should look at it.
    case warning
    /// Jobs do not flow, or will not for long.
    case problem
  }

  /// What it was found by.
  package let check: DoctorCheck
  /// How bad it is.
  package let severity: Severity
  /// What is wrong, and where: names and numbers, never anything of what a job says.
  package let message: String
  /// What to do, in words.
  package let advice: String
  /// What to type, in order; a command may go over several lines.
  package let commands: [String]

  init(_ check: DoctorCheck, _ severity: Severity, _ message: String, advice: String, _ commands: String...) {
    self.init(check, severity, message, advice: advice, commands: commands)
  }

  init(_ check: DoctorCheck, _ severity: Severity, _ message: String, advice: String, commands: [String]) {
    self.check = check
    self.severity = severity
    self.message = message
    self.advice = advice
    self.commands = commands
  }
}
