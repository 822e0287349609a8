internal import Jobs
internal import RabbitMQ

/// A queue's messages as jobs.
struct RabbitMQJobSubscription: JobSubscription {
  let deliveries: any AsyncSequence<[JobDelivery], Never> & Sendable
  private let subscription: RabbitMQSubscription
  private let consumer: RabbitMQConsumer

  init(_ subscription: RabbitMQSubscription, pool: PoolName, consumer: RabbitMQConsumer) {
    self.subscription = subscription
    self.consumer = consumer
    let queue = subscription.queue
    deliveries = subscription.deliveries.map { batch in batch.map { Self.job($0, from: queue, of: pool) } }
  }

  var isConsuming: Bool { subscription.isAttached }
  func setCapacity(_ capacity: Int) { subscription.setPrefetch(capacity) }
  func queuedCount() async throws -> Int? { try await consumer.readyCount(of: subscription.queue) }
  func restart() { subscription.restart() }
  func cancel() { subscription.cancel() }

  private static func job(_ delivery: RabbitMQDelivery, from queue: String, of pool: PoolName) -> JobDelivery {
    let content: JobDelivery.Content
    do throws(UnreadableEnvelope) {
      content = .job(try JobEnvelope(delivery.properties, body: delivery.body))
    } catch {
      content = .unreadable(reason: error.reason)
    }
    return JobDelivery(
      content: content, body: delivery.body, redelivered: delivery.redelivered,
      deadLetterInfo: DeadLetterInfo(delivery.properties, pool: pool),
      contentID: { delivery.properties.contentID(queue: queue, body: delivery.body) },
      isStillHeld: { delivery.isHeld }
    ) { isAcknowledged in
      if isAcknowledged { delivery.acknowledge() } else { delivery.requeue() }
    }
  }
}
