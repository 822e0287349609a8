package import Jobs
package import RabbitMQ

/// Takes jobs out of a queue that nobody works on and hands them to the pools that do their kinds now, as they are.
///
/// A job leaves its old queue only when the broker has confirmed that the new one holds it. Whoever dies in between
/// leaves it in both, and its receipt makes that one effect.
package struct QueueDrain: Sendable {
  /// Where jobs are taken from.
  package enum Source: Sendable, Equatable {
    /// A pool's queue.
    case pool(PoolName)
    /// A pool's dead letters that nobody has indexed.
    case deadLetters(of: PoolName)
    /// Jobs that came back from a retry and found their pool gone.
    case unroutable

    /// The queue's name.
    package var queue: String {
      switch self {
      case .pool(let pool): pool.rawValue
      case .deadLetters(let pool): Topology.deadQueue(of: pool)
      case .unroutable: Topology.unroutable
      }
    }

    /// What they are, for people.
    package var noun: String { if case .deadLetters = self { "dead letter" } else { "job" } }

    /// The exchange that brings them to a pool.
    var exchange: String { if case .deadLetters = self { Topology.deadExchange } else { Topology.jobsExchange } }

    func decision(_ kind: JobKind?, _ plan: ReroutePlan) -> ReroutePlan.Decision {
      if case .deadLetters = self { plan.decision(forDeadLetterOf: kind) } else { plan.decision(for: kind) }
    }
  }

  /// What was done.
  package struct Result: Sendable, Equatable {
    /// How many went to which pool.
    package var moved: [PoolName: Int] = [:]
    /// How many were looked at and left where they are, and why.
    package var left: [ReroutePlan.Reason: Int] = [:]
    /// What ended it before the queue was empty, in a sentence; nil where nothing did.
    package var failure: String?

    /// Nothing was done.
    package init() {}

    /// All that were moved.
    package var movedCount: Int { moved.values.reduce(0, +) }
    /// All that were left.
    package var skippedCount: Int { left.values.reduce(0, +) }
  }

  private let publisher: RabbitMQPublisher
  private let consumer: RabbitMQConsumer
  private let broker: RabbitMQAdministration

  /// So many may be taken and not settled. Those that are left stay unsettled until the consumer's connection ends, so
  /// that each comes once; more than this many of them are in the way of the rest.
  private static let prefetch = 500
  /// How long the broker may take to hold what it is given, or to give what waits.
  private static let timeout = Duration.seconds(10)

  /// Uses connections that somebody else runs. The consumer's must be closed afterwards: what was left goes back to its
  /// queue then.
  package init(publisher: RabbitMQPublisher, consumer: RabbitMQConsumer, broker: RabbitMQAdministration) {
    self.publisher = publisher
    self.consumer = consumer
    self.broker = broker
  }

  /// Moves jobs until the queue, which must exist, has nothing more to give, or `limit` of them have been moved.
  package func run(from source: Source, by plan: ReroutePlan, limit: Int? = nil) async -> Result {
    let subscription = consumer.subscribe(queue: source.queue, prefetch: Self.prefetch)
    let watch = DrainMonitor(timeout: Self.timeout, prefetch: Self.prefetch)
    return await withTaskGroup(of: Void.self) { group in
      group.addTask { await watch.run(over: subscription, broker) }
      var result = Result()
      for await deliveries in subscription.deliveries {
        watch.begin()
        await pass(on: deliveries, source, plan, limit: limit ?? .max, &result)
        watch.end(left: result.skippedCount)
        if result.failure != nil || result.movedCount >= limit ?? .max { break }
      }
      subscription.cancel()
      group.cancelAll()
      result.failure = result.failure ?? watch.failure
      return result
    }
  }

  private func pass(
    on deliveries: [RabbitMQDelivery], _ source: Source, _ plan: ReroutePlan, limit: Int, _ result: inout Result
  ) async {
    var leaving: [(delivery: RabbitMQDelivery, pool: PoolName, message: RabbitMQMessage)] = []
    for delivery in deliveries {
      // What is beyond the limit is left unsettled as well.
      if result.movedCount + leaving.count >= limit { break }
      switch source.decision(delivery.properties.type.map(JobKind.init(rawValue:)), plan) {
      case .keep(let reason): result.left[reason, default: 0] += 1
      case .reroute(let pool):
        if let message = Self.message(delivery, source, pool) {
          leaving.append((delivery: delivery, pool: pool, message: message))
        } else {
          result.left[.unknownHeaders, default: 0] += 1
        }
      }
    }
    let outcomes = await publisher.publish(leaving.map { $0.message }, deadline: .now + Self.timeout)
    for (job, outcome) in zip(leaving, outcomes) {
      if let failure = Self.failure(outcome, job.pool) {
        result.failure = failure
      } else {
        job.delivery.acknowledge()
        result.moved[job.pool, default: 0] += 1
      }
    }
  }

  /// The same message on its way to another pool; nil where it has a header of a kind that this client cannot write.
  ///
  /// The broker's own headers (`x-death` and others) tell of its way so far and stay behind.
  private static func message(_ delivery: RabbitMQDelivery, _ source: Source, _ pool: PoolName) -> RabbitMQMessage? {
    var properties = delivery.properties
    properties.headers = properties.headers.filter { !$0.key.hasPrefix("x-") }
    guard !properties.headers.values.contains(.unsupported) else { return nil }
    return RabbitMQMessage(
      exchange: source.exchange, routingKey: pool.rawValue, properties: properties, body: delivery.body)
  }

  /// Why a job is not known to be in its new queue; nil where it is.
  private static func failure(_ outcome: PublishResult, _ pool: PoolName) -> String? {
    switch outcome {
    case .confirmed: nil
    case .returned: "the broker has no queue for pool \(pool): run vluma topology apply, then this again"
    case .nacked: "the broker rejected jobs for pool \(pool): see vluma topology plan, then run this again"
    case .expired: "the broker took nothing more in time; run this again"
    case .lost: "it is not known whether the broker holds the last ones; they may be there twice: run this again"
    }
  }
}
