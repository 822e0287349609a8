public import Jobs

/// What was seen of the platform by somebody who asked each server from outside: facts, which ``DoctorReport`` judges.
public struct SystemSnapshot: Sendable {
  /// What became of a look at one place.
  public enum ProbeResult<Value: Sendable>: Sendable {
    /// It answered.
    case answered(Value)
    /// It did not, or refused; in words fit for anyone.
    case failed(String)
    /// It was not asked, for a reason that is told elsewhere.
    case skipped(String)

    /// What was seen; nil where nothing was.
    public var value: Value? { if case .answered(let value) = self { value } else { nil } }
  }

  /// A pool as queues.yaml has it.
  public struct Pool: Sendable, Equatable {
    /// Its name.
    public let name: PoolName
    /// The kinds of jobs it does.
    public let kinds: [JobKind]
    /// The sizes it may have.
    public let sizes: ClosedRange<Int>
    /// True for the pool that indexes dead letters: it has no queue of its own.
    public let indexesDeadLetters: Bool

    /// Takes what the file says.
    public init(name: PoolName, kinds: [JobKind], sizes: ClosedRange<Int>, indexesDeadLetters: Bool = false) {
      self.name = name
      self.kinds = kinds
      self.sizes = sizes
      self.indexesDeadLetters = indexesDeadLetters
    }
  }

  /// Environment and queues.yaml, as this machine has them.
  public struct Settings: Sendable {
    /// The name of the file of pools.
    public var file: String
    /// Its pools; nil where the file cannot be used.
    public var pools: [Pool]?
    /// Why it cannot, a line for each problem.
    public var fileProblems: [String] = []
    /// What is wrong with environment variables, a sentence for each.
    public var variables: [String] = []

    /// Nothing was read yet.
    public init(file: String) { self.file = file }
  }

  /// The message broker.
  public struct Broker: Sendable {
    /// Something that is there, but not as queues.yaml wants it.
    public struct Difference: Sendable, Equatable {
      /// Which one: `exchange NAME` or `queue NAME`.
      public let name: String
      /// The broker's words on it.
      public let detail: String

      /// Takes the broker's words.
      public init(name: String, detail: String) {
        self.name = name
        self.detail = detail
      }
    }

    /// Host and port.
    public var server: String
    /// What queues.yaml needs and the broker lacks, as `exchange NAME` and `queue NAME`; nil: this was not compared.
    public var missing: [String]?
    /// What stands in the way of queues.yaml.
    public var different: [Difference] = []
    /// Returned jobs whose pool was gone; nil where there is no place for them.
    public var unroutable: Int?
    /// Jobs that wait, by pool: those of queues.yaml, and others that have a queue.
    public var ready: [PoolName: Int] = [:]
    /// Dead letters that are not indexed yet, likewise.
    public var deadLetters: [PoolName: Int] = [:]

    /// Nothing was counted yet.
    public init(server: String) { self.server = server }
  }

  /// What the store holds.
  public struct StoreContents: Sendable {
    /// Jobs and dead letters.
    public var backlog: BacklogSnapshot
    /// What operators have set.
    public var settings: [PoolName: PoolSetting]
    /// The live worker processes.
    public var nodes: [NodeReport]

    /// Takes what was read.
    public init(backlog: BacklogSnapshot, settings: [PoolName: PoolSetting], nodes: [NodeReport]) {
      self.backlog = backlog
      self.settings = settings
      self.nodes = nodes
    }
  }

  /// The store's database.
  public struct Store: Sendable {
    /// Host, port and database.
    public var server: String
    /// Migrations it lacks, in order.
    public var pending: [String] = []
    /// Migrations it has that this program does not know.
    public var unknown: [String] = []
    /// Why it cannot be migrated; nil where it can.
    public var obstacle: String?
    /// What it holds; nil where its tables are not as this program expects them.
    public var contents: StoreContents?

    /// Nothing was read yet.
    public init(server: String) { self.server = server }
  }

  /// A second probe at pools that seemed to stand still, some seconds later.
  public struct SecondProbe: Sendable {
    /// Jobs that wait, by pool.
    public var ready: [PoolName: Int]
    /// The live worker processes.
    public var nodes: [NodeReport]

    /// Takes what was seen.
    public init(ready: [PoolName: Int], nodes: [NodeReport]) {
      self.ready = ready
      self.nodes = nodes
    }
  }

  /// Environment and queues.yaml.
  public var settings: Settings
  /// RabbitMQ.
  public var broker: ProbeResult<Broker>
  /// PostgreSQL.
  public var store: ProbeResult<Store>
  /// Redis' host and port; nil where none is named.
  public var redis: ProbeResult<String?>
  /// Made only where ``stalledPools`` names pools.
  public var secondProbe: SecondProbe?

  /// Puts together what was seen.
  public init(settings: Settings, broker: ProbeResult<Broker>, store: ProbeResult<Store>, redis: ProbeResult<String?>) {
    self.settings = settings
    self.broker = broker
    self.store = store
    self.redis = redis
  }

  /// Pools that have jobs and workers, none of which has a job in hand. A moment later that may look different: only a
  /// second probe can tell.
  public var stalledPools: [PoolName] {
    guard let nodes = store.value?.contents?.nodes, let ready = broker.value?.ready else { return [] }
    return (settings.pools ?? []).map(\.name).filter { pool in
      let work = PoolActivity(of: pool, on: nodes)
      return ready[pool] ?? 0 > 0 && work.localConcurrency > 0 && work.running == 0
    }
  }
}
