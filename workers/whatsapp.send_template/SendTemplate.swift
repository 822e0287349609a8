package import Foundation
package import Jobs

/// Send a message to a customer. The text is put together when it is sent, so that queues hold no personal data.
package struct SendTemplate: Job {
  /// Never changed: queues.yaml routes by it.
  package static let kind: JobKind = "whatsapp.send_template"
  /// The id of the stored intent.
  package var message: UUID
  /// The id of the number it is sent from.
  package var number: String

  package init(message: UUID, number: String) {
    self.message = message
    self.number = number
  }

  /// The call and the transactions around it.
  package static var minimumTimeout: Duration { callTime + .seconds(5) }
  /// The longest a call to WhatsApp may take; it is not started with less time left.
  static let callTime = Duration.seconds(15)
  /// The provider's limits are per number.
  package var rateKey: String? { number }
}
