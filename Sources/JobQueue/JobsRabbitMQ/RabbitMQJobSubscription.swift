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
    if let omitted = delivery.omittedBody {
      content = .oversize(detail: Self.detail(omitted, of: delivery.properties))
    } else {
      do throws(UnreadableEnvelope) {
        content = .job(try JobEnvelope(delivery.properties, body: delivery.body))
      } catch {
        content = .unreadable(reason: error.reason)
      }
    }
    return JobDelivery(
      content: content, body: delivery.body, redelivered: delivery.redelivered,
      deadLetterInfo: DeadLetterInfo(delivery.properties, pool: pool),
      contentID: { delivery.properties.contentID(queue: queue, body: delivery.body, delivery.omittedBody) },
      isStillHeld: { delivery.isHeld }
    ) { isAcknowledged in
      if isAcknowledged { delivery.acknowledge() } else { delivery.requeue() }
    }
  }

  /// What an operator needs to find the message's origin: the broker's copy ends with the dead letter.
  private static func detail(_ omitted: OmittedBody, of properties: RabbitMQProperties) -> String {
    let job = properties.messageID.flatMap { JobID($0) }.map { " of job \($0)" } ?? ""
    return "the body\(job) has \(omitted.size) bytes (SHA-256 \(omitted.sha256)) and was not kept"
  }
}
