internal import Synchronization

/// How often each message was sent, for the 100,000 sent last.
final class AttemptCounter: Sendable {
  private let counts = Mutex(RecentDictionary<String, Int>(max: 200_000))

  /// Counts an attempt and returns how many there were before.
  func next(_ message: String) -> Int {
    counts.withLock { counts in
      let before = counts[message] ?? 0
      counts[message] = before + 1
      return before
    }
  }
}
