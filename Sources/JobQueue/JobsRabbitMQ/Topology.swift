package import JobConfiguration
package import Jobs
package import RabbitMQ

/// The exchanges, queues and bindings that queues.yaml needs; the reasons are in `LifeOfAJob.md`.
package struct Topology: Sendable {
  package struct Exchange: Sendable, Equatable {
    /// Unique in the virtual host; all begin with `vluma.`.
    package let name: String
    /// `direct`: it routes by the pool's name; `fanout`: to all its queues.
    package let type: String
    /// The arguments it is declared with; the broker refuses (406) to declare it again with others.
    package let arguments: [String: RabbitMQValue]
  }

  package struct Queue: Sendable, Equatable {
    /// Unique in the virtual host: the pool's name, the same with `.dead`, or a name that begins with `vluma.`.
    package let name: String
    /// The `x-` arguments it is declared with; the broker refuses (406) to declare it again with others.
    package let arguments: [String: RabbitMQValue]
  }

  package struct Binding: Sendable, Equatable {
    package let queue: String
    package let exchange: String
    /// The pool's name at direct exchanges; empty at fanout exchanges, which ignore it.
    package let routingKey: String
  }

  /// In the order of declaration.
  package private(set) var exchanges: [Exchange] = []
  /// In the order of declaration, after the exchanges.
  package private(set) var queues: [Queue] = []
  package private(set) var bindings: [Binding] = []

  /// Where jobs are published, routed by pool. Publishing is mandatory: the broker returns a job of an unknown pool.
  package static let jobsExchange = "vluma.jobs"
  /// Where the retry tiers dead-letter their jobs to, routed by pool.
  package static let returnExchange = "vluma.return"
  /// Where dead letters are published, routed by pool.
  package static let deadExchange = "vluma.dead"
  /// The exchange and queue for jobs that return from a tier to a pool that is gone.
  package static let unroutable = "vluma.unroutable"

  /// The name of a tier's exchange and queue.
  package static func retryName(_ tier: Duration) -> String { "vluma.retry.\(tier.compactText)" }
  package static func deadQueue(of pool: PoolName) -> String { "\(pool).dead" }

  /// The limit must be explicit: unset it is 20 on RabbitMQ 4, and -1 dead-letters at the first requeue on 3.10. The
  /// engine counts crashes itself.
  private static let deliveryLimit: Int64 = 1_000_000_000
  private static let quorum: [String: RabbitMQValue] = [
    "x-queue-type": .string("quorum"), "x-delivery-limit": .integer(deliveryLimit),
  ]

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
    // No length limit: a full pool queue would block the retry tiers, and with them every other pool.
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
