package import JobConfiguration
package import Jobs
package import RabbitMQ

/// The exchanges, queues and bindings the platform needs, made from queues.yaml; the reasons are in the life of a job.
package struct Topology: Sendable {
  /// A durable exchange.
  package struct Exchange: Sendable, Equatable {
    /// Unique in the virtual host; all begin with `vluma.`.
    package let name: String
    /// How it routes: `direct`, by the pool's name, or `fanout`, to all its queues.
    package let type: String
    /// The arguments it is declared with; the broker refuses (406) to declare it again with others.
    package let arguments: [String: RabbitMQValue]
  }

  /// A durable quorum queue.
  package struct Queue: Sendable, Equatable {
    /// Unique in the virtual host: the pool's name, the same with `.dead`, or a name that begins with `vluma.`.
    package let name: String
    /// The `x-` arguments it is declared with; the broker refuses (406) to declare it again with others.
    package let arguments: [String: RabbitMQValue]
  }

  /// A binding; declaring it again changes nothing.
  package struct Binding: Sendable, Equatable {
    /// The queue that gets the messages, one of ``Topology/queues``.
    package let queue: String
    /// The exchange they come from, one of ``Topology/exchanges``.
    package let exchange: String
    /// The pool's name at direct exchanges; empty at fanout exchanges, which do not look at it.
    package let routingKey: String
  }

  /// All exchanges, in the order they are declared.
  package private(set) var exchanges: [Exchange] = []
  /// All queues, in the order they are declared; after the exchanges.
  package private(set) var queues: [Queue] = []
  /// All bindings, made when exchanges and queues exist.
  package private(set) var bindings: [Binding] = []

  /// Jobs come in here, key = pool; publishing is mandatory, so an unknown pool is refused.
  package static let jobsExchange = "vluma.jobs"
  /// Retried jobs come back from their tiers here.
  package static let returnExchange = "vluma.return"
  /// Dead jobs go here, key = pool.
  package static let deadExchange = "vluma.dead"
  /// Exchange and queue for returning jobs whose pool is gone.
  package static let unroutable = "vluma.unroutable"

  /// The exchange and queue of a tier.
  package static func retryName(_ tier: Duration) -> String { "vluma.retry.\(tier.compactText)" }
  /// The queue of a pool's dead letters.
  package static func deadQueue(of pool: PoolName) -> String { "\(pool).dead" }

  /// The limit must be explicit: unset it is 20 on RabbitMQ 4, and -1 kills at the first requeue on 3.10. This engine
  /// counts for itself.
  private static let deliveryLimit: Int64 = 1_000_000_000
  private static let quorum: [String: RabbitMQValue] = [
    "x-queue-type": .string("quorum"), "x-delivery-limit": .integer(deliveryLimit),
  ]

  /// What the configuration needs.
  package init(_ configuration: JobConfiguration) {
    exchanges = [
      Exchange(name: Self.unroutable, type: "fanout", arguments: [:]),
      Exchange(name: Self.jobsExchange, type: "direct", arguments: [:]),
      Exchange(name: Self.returnExchange, type: "direct", arguments: ["alternate-exchange": .string(Self.unroutable)]),
      Exchange(name: Self.deadExchange, type: "direct", arguments: [:]),
    ]
    queues = [Queue(name: Self.unroutable, arguments: Self.quorum)]
    bindings = [Binding(queue: Self.unroutable, exchange: Self.unroutable, routingKey: "")]
    for pool in configuration.workingPools { add(pool.name) }
    for tier in configuration.retryTiers { add(tier) }
  }

  private mutating func add(_ pool: PoolName) {
    let name = pool.rawValue
    let dead = Self.deadQueue(of: pool)
    // No length limit: a full pool would block its tiers, and with them every other pool.
    let arguments = Self.quorum.merging(["x-dead-letter-exchange": .string(Self.deadExchange)]) { $1 }
    queues += [Queue(name: dead, arguments: Self.quorum), Queue(name: name, arguments: arguments)]
    bindings += [
      Binding(queue: dead, exchange: Self.deadExchange, routingKey: name),
      Binding(queue: name, exchange: Self.jobsExchange, routingKey: name),
      Binding(queue: name, exchange: Self.returnExchange, routingKey: name),
    ]
  }

  private mutating func add(_ tier: Duration) {
    let name = Self.retryName(tier)
    exchanges.append(Exchange(name: name, type: "fanout", arguments: [:]))
    // At-least-once dead-lettering needs reject-publish, or it silently is at-most-once. No dead-letter routing key:
    // the message keeps its own, the pool's name, by which it returns.
    let arguments: [String: RabbitMQValue] = [
      "x-message-ttl": .integer(tier.wholeMilliseconds),
      "x-dead-letter-exchange": .string(Self.returnExchange),
      "x-dead-letter-strategy": .string("at-least-once"),
      "x-overflow": .string("reject-publish"),
    ]
    queues.append(Queue(name: name, arguments: Self.quorum.merging(arguments) { $1 }))
    bindings.append(Binding(queue: name, exchange: name, routingKey: ""))
  }
}
