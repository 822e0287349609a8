/// WhatsApp's error for a refused message.
package struct CloudError: Sendable, Equatable {
  /// The error's number: decisions depend on it, never on texts. 0: the answer had none.
  package let code: Int
  package let httpStatus: Int
  /// The provider says that the same request may succeed later.
  package let isTransient: Bool

  package init(code: Int, httpStatus: Int, isTransient: Bool = false) {
    self.code = code
    self.httpStatus = httpStatus
    self.isTransient = isTransient
  }

  /// The recipient's number is not on WhatsApp, or cannot receive the message.
  package static let undeliverableCode = 131026

  /// The codes are those of the provider's documentation (Cloud API error codes).
  ///
  /// - Parameter repeats: how often in a row this message was refused with the same code before; delays grow with it.
  package func policy(repeats: Int = 0) -> ErrorPolicy {
    switch code {
    case 190: .suspend(.account, probeAfter: .minutes(1))  // an expired token
    // An answer without a code comes from a gateway or proxy, and is never about the one message.
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
    case Self.undeliverableCode: .undeliverable
    // A limit on marketing messages. Unlike 131050, the recipient has not opted out.
    case 131049: .permanent(needsAttention: false)
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
