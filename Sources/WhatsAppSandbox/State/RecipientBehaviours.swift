internal import Synchronization

/// How often each message was tried; the 100,000 tried last are known.
final class AttemptCounter: Sendable {
  private let counts = Mutex(RecentDictionary<String, Int>(max: 200_000))

  /// Counts one more try and returns how many there were before.
  func next(_ message: String) -> Int {
    counts.withLock { counts in
      let before = counts[message] ?? 0
      counts[message] = before + 1
      return before
    }
  }
}

/// Who may be written to freely: whoever wrote to the business in the last 24 hours. The last 100,000 are known.
final class CustomerServiceWindows: Sendable {
  private let ends = Mutex(RecentDictionary<String, ContinuousClock.Instant>(max: 200_000))

  private static let length = Duration.seconds(86_400)

  /// A message from that number came in.
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

/// What tests laid down for single recipients.
final class RecipientBehaviours: Sendable {
  private let lists = Mutex<[String: [SandboxBehaviour]]>([:])

  /// As many recipients may have behaviours of their own at a time.
  private static let max = 100_000

  /// Lays down what happens to the recipient's next requests, one after the other; the last one stays. False where
  /// there are too many recipients already.
  func set(_ behaviours: [SandboxBehaviour], for recipient: String) -> Bool {
    lists.withLock { lists in
      guard lists.count < Self.max || lists[recipient] != nil else { return false }
      lists[recipient] = behaviours
      return true
    }
  }

  /// Back to normal.
  func clear(_ recipient: String) { lists.withLock { $0[recipient] = nil } }

  /// What is to happen to the recipient's request now; nil where nothing was laid down.
  func next(for recipient: String) -> SandboxBehaviour? {
    lists.withLock { lists in
      guard let list = lists[recipient], let first = list.first else { return nil }
      if list.count > 1 { lists[recipient] = Array(list.dropFirst()) }
      return first
    }
  }
}
