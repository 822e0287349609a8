package import Jobs
package import RabbitMQ

/// The broker port on RabbitMQ. One connection publishes and another consumes, because the broker blocks publishing
/// connections during an alarm.
package struct RabbitMQJobBroker: JobBroker {
  private let publisher: RabbitMQPublisher
  private let consumer: RabbitMQConsumer?

  /// The caller runs both connections; without a consumer this only enqueues.
  package init(publisher: RabbitMQPublisher, consumer: RabbitMQConsumer?) {
    self.publisher = publisher
    self.consumer = consumer
  }

  /// True while the publishing connection is open and no alarm of the broker blocks it.
  package var isReady: Bool { publisher.isReady }

  /// Publishes jobs, persistent and mandatory, and waits for the confirms.
  ///
  /// A returned message is ``EnqueueResult/unroutable``; a nacked or expired one ``EnqueueResult/unavailable``; one
  /// that is too large ``EnqueueResult/refused``; a lost one ``EnqueueResult/inDoubt``.
  package func enqueue(_ jobs: [OutgoingJob], deadline: ContinuousClock.Instant) async -> [EnqueueResult] {
    await publisher.publish(jobs.map(Self.message), deadline: deadline).map { result in
      switch result {
      case .confirmed: .enqueued
      case .returned: .unroutable
      case .nacked, .expired: .unavailable
      case .refused: .refused
      case .lost: .inDoubt
      }
    }
  }

  private static func message(_ job: OutgoingJob) -> RabbitMQMessage {
    let (exchange, pool, deadLetterInfo): (String, PoolName, DeadLetterInfo?) =
      switch job.destination {
      case .pool(let pool): (Topology.jobsExchange, pool, nil)
      case .retry(let tier, let pool): (Topology.retryName(tier), pool, nil)
      case .dead(let pool, let deadLetterInfo): (Topology.deadExchange, pool, deadLetterInfo)
      }
    return RabbitMQMessage(
      exchange: exchange, routingKey: pool.rawValue,
      properties: job.envelope.properties(deadLetterInfo: deadLetterInfo), body: job.envelope.body)
  }

  /// Consumes the queue of the pool's name; `capacity` is the prefetch. Needs the consumer.
  package func subscribe(pool: PoolName, capacity: Int) -> any JobSubscription {
    subscription(queue: pool.rawValue, pool: pool, capacity: capacity)
  }

  /// Consumes the queue of the pool's dead letters; `capacity` is the prefetch. Needs the consumer.
  package func subscribeToDeadLetters(of pool: PoolName, capacity: Int) -> any JobSubscription {
    subscription(queue: Topology.deadQueue(of: pool), pool: pool, capacity: capacity)
  }

  private func subscription(queue: String, pool: PoolName, capacity: Int) -> RabbitMQJobSubscription {
    guard let consumer else { preconditionFailure("this broker was made without a consumer") }
    return RabbitMQJobSubscription(
      consumer.subscribe(queue: queue, prefetch: capacity), pool: pool, consumer: consumer)
  }
}
