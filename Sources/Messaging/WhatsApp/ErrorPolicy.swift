/// What to do after WhatsApp has refused a message.
package enum ErrorPolicy: Sendable, Equatable {
  /// Try again after the usual pause; with a limit, so often at most.
  case retry(atMost: Int?)
  /// Try again after so long; meanwhile nothing in that scope is sent.
  case retryAfter(Duration, Scope)
  /// This message will never be accepted. With an alert where somebody has to mend something.
  case permanent(needsAttention: Bool)
  /// As ``permanent(needsAttention:)``; but a Brazilian number may be tried once in its other form.
  case undeliverable
  /// The recipient wants no more of these messages.
  case suppress
  /// Nothing in that scope is sent any more, until somebody has mended it; one message tries again after so long.
  case suspend(Scope, probeAfter: Duration)

  /// What else a refusal concerns.
  package enum Scope: String, Sendable, Codable, CaseIterable {
    /// The one message.
    case message
    /// The sending number and this recipient.
    case pair
    /// All messages from the sending number.
    case number
    /// All messages of the template.
    case template
    /// All messages of the business account.
    case account
  }
}

/// WhatsApp's word for a refusal.
package struct CloudError: Sendable, Equatable {
  /// The error's number; decisions are made by it alone, never by texts. 0 where the answer had none.
  package let code: Int
  /// The HTTP status it came with.
  package let httpStatus: Int
  /// True where the provider says that the same may succeed later.
  package let isTransient: Bool

  /// Takes what the answer said.
  package init(code: Int, httpStatus: Int, isTransient: Bool = false) {
    self.code = code
    self.httpStatus = httpStatus
    self.isTransient = isTransient
  }

  /// What to do.
  ///
  /// - Parameter repeats: how often this message was refused with the same code just before; pauses grow by it.
  /// - Parameter isMarketing: whether the message is a marketing template.
  package func policy(repeats: Int = 0, isMarketing: Bool = false) -> ErrorPolicy {
    switch code {
    case 190: .suspend(.account, probeAfter: .minutes(1))  // an expired token: mended by a new one
    // Without a code it is a gateway that speaks, or a proxy, and never about the one message.
    case 0 where [408, 425, 429].contains(httpStatus): .retryAfter(.minutes(1), .account)
    case 0 where httpStatus < 500: .suspend(.account, probeAfter: .minutes(1))
    case 3, 10, 200...299, 131005, 368, 131031, 131042, 134011: .suspend(.account, probeAfter: .minutes(15))
    case 1: .retry(atMost: 3)
    case 2, 131000, 131016, 133004: .retry(atMost: nil)
    case 4, 80007: .retryAfter(.minutes(15), .account)
    case 33, 131037, 131045, 133010, 133006: .suspend(.number, probeAfter: .minutes(15))
    case 131048: .suspend(.number, probeAfter: .minutes(24 * 60))
    case 130429: .retryAfter(.seconds(min(60, 1 << min(repeats, 6))), .number)
    case 131056: .retryAfter(.seconds(min(4_096, 1 << (2 * min(repeats, 6)))), .pair)  // 4^x seconds
    case 131057: .retryAfter(.minutes(1), .number)
    case 133015, 133016: .retryAfter(.minutes(5), .number)
    case 131026: .undeliverable
    // A cap on marketing, not a refusal of the recipient: it must not be taken for 131050.
    case 131049: isMarketing ? .retryAfter(.minutes(24 * 60), .message) : .permanent(needsAttention: false)
    case 131050: .suppress
    case 131053: .retry(atMost: 2)
    case 135000: .retry(atMost: 1)
    case 132001, 132007, 132068: .suspend(.template, probeAfter: .minutes(15))
    case 132015: .suspend(.template, probeAfter: .minutes(60))
    case 132016: .suspend(.template, probeAfter: .minutes(24 * 60))
    case 131064: .suspend(.template, probeAfter: .minutes(24 * 60))
    case 132069: .retryAfter(.minutes(60), .template)
    case 132000, 132005, 132012, 132018: .permanent(needsAttention: true)
    case 100, 131008, 131009: .permanent(needsAttention: true)
    case 130472, 130497, 131021, 131030, 131047, 131051, 131052, 131062, 131063, 137000:
      .permanent(needsAttention: false)
    default: isTransient || httpStatus >= 500 ? .retry(atMost: nil) : .permanent(needsAttention: true)
    }
  }
}

extension Duration {
  fileprivate static func minutes(_ minutes: Int) -> Duration { .seconds(minutes * 60) }
}
