package import Foundation

/// The status of a sent message in a status webhook. The raw values are the provider's.
package enum DeliveryStatus: String, Sendable, Codable, CaseIterable {
  case sent, delivered, read
  /// A voice message was listened to.
  case played
  case failed

  /// Later steps of a delivery rank higher; `failed` is not one of them.
  private var rank: Int {
    switch self {
    case .failed: 0
    case .sent: 1
    case .delivered: 2
    case .read: 3
    case .played: 4
    }
  }

  /// The status of a message from all its reports, in any order, with repeats.
  ///
  /// The latest step counts. A failure counts more than any step, unless the message was delivered before: then another
  /// device has failed.
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
