/// How far the sending of a message has come. The raw values are stored.
package enum MessageState: String, Sendable, Codable, CaseIterable {
  /// To be sent.
  case prepared
  /// An attempt is sending it, or was when its process died.
  case sending
  /// Unknown whether WhatsApp accepted it.
  case inDoubt = "in_doubt"
  /// Accepted by WhatsApp.
  case accepted
  /// Refused by WhatsApp permanently.
  case refused
  /// Not sent: the booking has changed.
  case superseded
  /// Not sent before it expired.
  case expired
  /// It expired, and it is unknown whether WhatsApp accepted it.
  case unknown

  package var isFinal: Bool { ![.prepared, .sending, .inDoubt].contains(self) }
}
