package import Foundation

/// A customer's answer by a button of a message.
package enum QuickReply: Sendable, Equatable {
  /// The customer will come.
  case confirm(booking: UUID)
  /// The customer will not come.
  case cancel(booking: UUID)

  /// What the button sends back, such as `confirm:3f0c…`.
  package var payload: String {
    switch self {
    case .confirm(let booking): "confirm:\(booking.uuidString.lowercased())"
    case .cancel(let booking): "cancel:\(booking.uuidString.lowercased())"
    }
  }

  /// Nil: not one of our payloads.
  package init?(payload: String) {
    let parts = payload.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let booking = UUID(uuidString: String(parts[1])) else { return nil }
    switch parts[0] {
    case "confirm": self = .confirm(booking: booking)
    case "cancel": self = .cancel(booking: booking)
    default: return nil
    }
  }

  package var booking: UUID {
    switch self {
    case .confirm(let booking), .cancel(let booking): booking
    }
  }
}
