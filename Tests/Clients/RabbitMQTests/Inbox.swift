import RabbitMQ
import TestServers

/// Reads a subscription in a task of its own and keeps what came.
final class Inbox: Sendable {
  private let received = Locked<[RabbitMQDelivery]>([])
  private let ended = Locked(false)

  /// Starts reading; `handle` sees each delivery once.
  init(_ subscription: RabbitMQSubscription, handle: @escaping @Sendable (RabbitMQDelivery) -> Void = { _ in }) {
    let (received, ended) = (self.received, self.ended)
    Task {
      for await batch in subscription.deliveries {
        for delivery in batch {
          received.change { $0.append(delivery) }
          handle(delivery)
        }
      }
      ended.change { $0 = true }
    }
  }

  var deliveries: [RabbitMQDelivery] { received.value }
  var count: Int { received.change { $0.count } }
  var ids: [String] { received.value.compactMap(\.properties.messageID) }
  /// True once the stream of deliveries has ended.
  var isEnded: Bool { ended.value }
}
