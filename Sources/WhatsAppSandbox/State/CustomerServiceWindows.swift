internal import Synchronization

/// Which customers may be sent free text: those who wrote to the business in the last 24 hours. The last 100,000 are
/// kept.
final class CustomerServiceWindows: Sendable {
  private let ends = Mutex(RecentDictionary<String, ContinuousClock.Instant>(max: 200_000))

  private static let length = Duration.seconds(86_400)

  func open(from digits: String, to phoneNumberID: String) {
    let end = ContinuousClock.now + Self.length
    ends.withLock { $0[Self.key(digits, phoneNumberID)] = end }
  }

  func isOpen(_ digits: String, at phoneNumberID: String) -> Bool {
    guard let end = ends.withLock({ $0[Self.key(digits, phoneNumberID)] }) else { return false }
    return ContinuousClock.now < end
  }

  private static func key(_ digits: String, _ phoneNumberID: String) -> String {
    "\(phoneNumberID)|\(PhoneDigits.account(digits))"
  }
}
