package import JobConfiguration
package import Jobs

extension SystemSnapshot {
  /// Environment and queues.yaml, as this machine has them.
  package struct Settings: Sendable {
    /// The name of queues.yaml.
    package var file: String
    /// Its contents; nil: the file cannot be used.
    package var configuration: JobConfiguration?
    /// Why it cannot be used, a line for each problem.
    package var fileProblems: [String] = []
    /// What is wrong with environment variables, a sentence for each.
    package var variables: [String] = []

    package init(file: String) { self.file = file }
  }

  package struct Broker: Sendable {
    /// Host and port.
    package var server: String
    /// The comparison with queues.yaml; nil: it was not made.
    package var plan: TopologyPlan?
    /// Returned jobs whose pool was gone; nil: their queue does not exist.
    package var unroutable: Int?
    /// Queued jobs, by pool: those of queues.yaml, and others that have a queue.
    package var queued: [PoolName: Int] = [:]
    /// Dead letters that are not indexed yet, by pool likewise.
    package var deadLetters: [PoolName: Int] = [:]

    package init(server: String) { self.server = server }
  }

  package struct StoreContents: Sendable {
    package var backlog: BacklogSnapshot
    /// What operators have set.
    package var settings: [PoolName: PoolSetting]
    /// The live processes.
    package var nodes: [NodeReport]
    /// Jobs that are nowhere.
    package var gaps: GapReport

    package init(
      backlog: BacklogSnapshot, settings: [PoolName: PoolSetting], nodes: [NodeReport], gaps: GapReport
    ) {
      self.backlog = backlog
      self.settings = settings
      self.nodes = nodes
      self.gaps = gaps
    }
  }

  package struct Store: Sendable {
    /// Host, port and database.
    package var server: String
    /// Migrations that the database lacks, in order.
    package var pending: [String] = []
    /// Migrations that the database has and this program does not know.
    package var unknown: [String] = []
    /// Why the database cannot be migrated; nil: it can.
    package var obstacle: String?
    /// Nil: the tables are not as this program expects them.
    package var contents: StoreContents?

    package init(server: String) { self.server = server }
  }

  /// What pools that seemed stalled looked like some seconds later.
  package struct SecondProbe: Sendable {
    /// Queued jobs, by pool.
    package var queued: [PoolName: Int]
    /// The live processes.
    package var nodes: [NodeReport]

    package init(queued: [PoolName: Int], nodes: [NodeReport]) {
      self.queued = queued
      self.nodes = nodes
    }
  }
}
