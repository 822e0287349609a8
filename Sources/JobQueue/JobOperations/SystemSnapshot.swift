package import Jobs

/// What was seen of the platform by somebody who asked each server from outside: facts, which ``DoctorReport`` judges.
package struct SystemSnapshot: Sendable {
  /// What became of a look at one place.
  package enum ProbeResult<Value: Sendable>: Sendable {
    /// It answered.
    case answered(Value)
    /// It did not, or refused; in words fit for anyone.
    case failed(String)
    /// It was not asked, for a reason that is told elsewhere.
    case skipped(String)

    /// What was seen; nil where nothing was.
    package var value: Value? { if case .answered(let value) = self { value } else { nil } }
  }

  /// A pool as queues.yaml has it.
  package struct Pool: Sendable, Equatable {
    /// Its name.
    package let name: PoolName
    /// The kinds of jobs it does.
    package let kinds: [JobKind]
    /// The sizes it may have.
    package let sizes: ClosedRange<Int>
    /// True for the pool that indexes dead letters: it has no queue of its own.
    package let indexesDeadLetters: Bool

    /// Takes what the file says.
    package init(name: PoolName, kinds: [JobKind], sizes: ClosedRange<Int>, indexesDeadLetters: Bool = false) {
      self.name = name
      self.kinds = kinds
      self.sizes = sizes
      self.indexesDeadLetters = indexesDeadLetters
    }
  }

  /// Environment and queues.yaml, as this machine has them.
  package struct Settings: Sendable {
    /// The name of the file of pools.
    package var file: String
    /// Its pools; nil where the file cannot be used.
    package var pools: [Pool]?
    /// Why it cannot, a line for each problem.
    package var fileProblems: [String] = []
    /// What is wrong with environment variables, a sentence for each.
    package var variables: [String] = []

    /// Nothing was read yet.
    package init(file: String) { self.file = file }
  }

  /// The message broker.
  package struct Broker: Sendable {
    /// Something that is there, but not as queues.yaml wants it.
    package struct Difference: Sendable, Equatable {
      /// Which one: `exchange NAME` or `queue NAME`.
      package let name: String
      /// The broker's words on it.
      package let detail: String

      /// Takes the broker's words.
      package init(name: String, detail: String) {
        self.name = name
        self.detail = detail
      }
    }

    /// Host and port.
    package var server: String
    /// What queues.yaml needs and the broker lacks, as `exchange NAME` and `queue NAME`; nil: this was not compared.
    package var missing: [String]?
    /// What stands in the way of queues.yaml.
    package var different: [Difference] = []
    /// Returned jobs whose pool was gone; nil where there is no place for them.
    package var unroutable: Int?
    /// Jobs that wait, by pool: those of queues.yaml, and others that have a queue.
    package var ready: [PoolName: Int] = [:]
    /// Dead letters that are not indexed yet, likewise.
    package var deadLetters: [PoolName: Int] = [:]

    /// Nothing was counted yet.
    package init(server: String) { self.server = server }
  }

  /// What the store holds.
  package struct StoreContents: Sendable {
    /// Jobs and dead letters.
    package var backlog: BacklogSnapshot
    /// What operators have set.
    package var settings: [PoolName: PoolSetting]
    /// The live worker processes.
    package var nodes: [NodeReport]

    /// Takes what was read.
    package init(backlog: BacklogSnapshot, settings: [PoolName: PoolSetting], nodes: [NodeReport]) {
      self.backlog = backlog
      self.settings = settings
      self.nodes = nodes
    }
  }

  /// The store's database.
  package struct Store: Sendable {
    /// Host, port and database.
    package var server: String
    /// Migrations it lacks, in order.
    package var pending: [String] = []
    /// Migrations it has that this program does not know.
    package var unknown: [String] = []
    /// Why it cannot be migrated; nil where it can.
    package var obstacle: String?
    /// What it holds; nil where its tables are not as this program expects them.
    package var contents: StoreContents?

    /// Nothing was read yet.
    package init(server: String) { self.server = server }
  }

  /// A second probe at pools that seemed to stand still, some seconds later.
  package struct SecondProbe: Sendable {
    /// Jobs that wait, by pool.
    package var ready: [PoolName: Int]
    /// The live worker processes.
    package var nodes: [NodeReport]

    /// Takes what was seen.
    package init(ready: [PoolName: Int], nodes: [NodeReport]) {
      self.ready = ready
      self.nodes = nodes
    }
  }

  /// Environment and queues.yaml.
  package var settings: Settings
  /// RabbitMQ.
  package var broker: ProbeResult<Broker>
  /// PostgreSQL.
  package var store: ProbeResult<Store>
  /// Redis' host and port; nil where none is named.
  package var redis: ProbeResult<String?>
  /// Made only where ``stalledPools`` names pools.
  package var secondProbe: SecondProbe?

  /// Puts together what was seen.
  package init(settings: Settings, broker: ProbeResult<Broker>, store: ProbeResult<Store>, redis: ProbeResult<String?>)
  {
    self.settings = settings
    self.broker = broker
    self.store = store
    self.redis = redis
  }

  /// Pools that have jobs and workers, none of which has a job in hand. A moment later that may look different: only a
  /// second probe can tell.
  package var stalledPools: [PoolName] {
    guard let nodes = store.value?.contents?.nodes, let ready = broker.value?.ready else { return [] }
    return (settings.pools ?? []).map(\.name).filter { pool in
      let work = PoolActivity(of: pool, on: nodes)
      return ready[pool] ?? 0 > 0 && work.localConcurrency > 0 && work.running == 0
    }
  }
}
