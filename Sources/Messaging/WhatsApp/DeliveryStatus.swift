package import Foundation

/// What a status webhook says of a sent message. The raw values are the provider's words.
package enum DeliveryStatus: String, Sendable, Codable, CaseIterable {
  case sent, delivered, read
  /// A voice message was listened to.
  case played
  case failed

  /// Later stations of a delivery rank higher; `failed` is none of them.
  private var rank: Int {
    switch self {
    case .failed: 0
    case .sent: 1
    case .delivered: 2
    case .read: 3
    case .played: 4
    }
  }

  /// Where a message stands, given all that was said of it, in whatever order it came, and however often.
  ///
  /// The furthest station counts. A failure counts more than any of them, unless the message was delivered before it:
  /// then the failure is another device's.
  package static func summary(of reports: some Sequence<(status: DeliveryStatus, at: Date)>) -> DeliveryStatus? {
    var furthest: DeliveryStatus?
    var firstDelivered: Date?
    var firstFailed: Date?
    for (status, at) in reports {
      if status == .failed {
        firstFailed = min(firstFailed ?? at, at)
      } else {
        if status.rank > (furthest?.rank ?? 0) { furthest = status }
        if status.rank >= DeliveryStatus.delivered.rank { firstDelivered = min(firstDelivered ?? at, at) }
      }
    }
    guard let firstFailed else { return furthest }
    if let firstDelivered, firstDelivered <= firstFailed { return furthest }
    return .failed
  }
}
