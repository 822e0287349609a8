/// What to do after WhatsApp has refused a message.
package enum ErrorPolicy: Sendable, Equatable {
  /// Retry after the usual delay. Nil: no limit.
  case retry(atMost: Int?)
  /// Retry after a delay; meanwhile nothing in that scope is sent.
  case retryAfter(Duration, Scope)
  /// This message will never be accepted. `needsAttention`: a person must correct something, such as a template.
  case permanent(needsAttention: Bool)
  /// As ``permanent(needsAttention:)``, but a Brazilian number is tried once with its alternate number.
  case undeliverable
  /// The recipient wants no more of these messages.
  case suppress
  /// Nothing in that scope is sent until a person has corrected something. After the delay one message tries.
  case suspend(Scope, probeAfter: Duration)

  /// What else a refusal concerns.
  package enum Scope: String, Sendable, Codable, CaseIterable {
    /// Only the refused message.
    case message
    /// The sending number and this recipient.
    case pair
    /// All messages from the sending number.
    case number
    /// All messages with the template.
    case template
    /// All messages of the business account.
    case account
  }
}
