internal import Jobs

/// Who waits for a pool's rate limit, by key: a state machine without I/O.
struct ThrottleState {
  private struct Key {
    var waiting = 0
    var lastSeen: ContinuousClock.Instant
    /// When the job that was snoozed last may come back.
    var lastTurn: ContinuousClock.Instant?
  }

  var workers = 1
  /// How many nodes share the limit.
  var nodes = 1
  var isDraining = false
  private var keys: [String: Key] = [:]

  /// A key that was not seen for this long does not count as one that others share the workers with.
  private static let keyAge = Duration.seconds(60)
  /// Above this many, keys that were not seen for long are forgotten.
  private static let keysMax = 1_000
  /// The longest a job is snoozed for its turn.
  private static let turnMax = Duration.seconds(3_600)

  /// A job asks; true: it may wait in its worker, until ``leave(_:)``.
  mutating func enter(_ key: String, now: ContinuousClock.Instant) -> Bool {
    if keys.count >= Self.keysMax {
      keys = keys.filter { $0.value.waiting > 0 || now - $0.value.lastSeen < Self.keyAge }
    }
    var entry = keys[key] ?? Key(lastSeen: now)
    entry.lastSeen = now
    let isAlone = !keys.contains { $0.key != key && now - $0.value.lastSeen < Self.keyAge }
    let mayWait = isAlone || entry.waiting < max(1, workers / 2)
    if mayWait { entry.waiting += 1 }
    keys[key] = entry
    return mayWait
  }

  mutating func leave(_ key: String) { keys[key]?.waiting -= 1 }

  /// How long to snooze a job of the key: until the limit allows one more than those that were snoozed before it.
  ///
  /// - Parameter delay: when the next token is available.
  /// - Parameter interval: between two tokens, for all nodes together.
  mutating func turn(
    _ key: String, after delay: Duration, _ interval: Duration, now: ContinuousClock.Instant
  ) -> Duration {
    let next = max(keys[key]?.lastTurn.map { $0 + interval * nodes } ?? now, now + delay)
    keys[key]?.lastTurn = next
    return min(next - now, max(delay, Self.turnMax))
  }
}
