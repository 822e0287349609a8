public import Foundation
public import Jobs

/// A message to a customer that is to be sent. What it says is put together when it is sent, so that no personal data
/// waits in queues.
public struct SendTemplate: Job {
  /// The name queues.yaml routes it by; never changed.
  public static let kind: JobKind = "whatsapp.send_template"
  /// The message's intent; it is stored.
  public var message: UUID
  /// The id of the number it goes out from.
  public var number: String

  /// Made where the intent is stored, in the same transaction.
  public init(message: UUID, number: String) {
    self.message = message
    self.number = number
  }

  /// The call has 15 s, and the database must have its part.
  public static var minimumTimeout: Duration { callTime + .seconds(5) }
  /// How long a call to WhatsApp may take; what has not so much time left is not begun.
  static let callTime = Duration.seconds(15)
  /// The provider's limits are per number.
  public var rateKey: String? { number }
}
