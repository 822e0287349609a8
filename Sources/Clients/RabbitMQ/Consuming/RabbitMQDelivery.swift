package import Foundation

/// A message that a consumer received, to be settled once.
package struct RabbitMQDelivery: Sendable {
  package let properties: RabbitMQProperties
  /// Empty where it was too large to be kept: see ``omittedBody``.
  package let body: Data
  /// What is known of a body of more than 16 MiB, which is not kept; nil: ``body`` is the whole one.
  package let omittedBody: OmittedBody?
  /// The exchange that routed it to the queue: for a message that was dead-lettered, the dead-letter exchange.
  package let exchange: String
  /// Its routing key; dead-lettering keeps it, unless the queue it came from sets another.
  package let routingKey: String
  /// True where the broker has delivered this message before.
  package let redelivered: Bool
  let tag: UInt64
  let channel: RabbitMQChannel

  /// False once its channel is closed, or about to be: then the broker requeues it, unless it was settled before.
  package var isHeld: Bool { channel.isOpen }

  /// Acknowledges the message. A no-op where the channel is closed: the broker delivers it again.
  package func acknowledge() { channel.settle(tag, .acknowledge) }

  /// Returns the message to the queue, for this or another consumer.
  package func requeue() { channel.settle(tag, .requeue) }
}
