package import Foundation
package import Jobs

/// A message to a customer that is to be sent. What it says is put together when it is sent, so that no personal data
/// waits in queues.
package struct SendTemplate: Job {
  /// The name queues.yaml routes it by; never changed.
  package static let kind: JobKind = "whatsapp.send_template"
  /// The message's intent; it is stored.
  package var message: UUID
  /// The id of the number it goes out from.
  package var number: String

  /// Made where the intent is stored, in the same transaction.
  package init(message: UUID, number: String) {
    self.message = message
    self.number = number
  }

  /// The call has 15 s, and the database must have its part.
  package static var minimumTimeout: Duration { callTime + .seconds(5) }
  /// How long a call to WhatsApp may take; what has not so much time left is not begun.
  static let callTime = Duration.seconds(15)
  /// The provider's limits are per number.
  package var rateKey: String? { number }
}
