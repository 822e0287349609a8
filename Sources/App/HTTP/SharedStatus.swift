internal import ClientLoop
internal import JobOperations
internal import Synchronization

/// The platform's status as Prometheus reads it: collected by one reading at a time, and shared by all who ask.
///
/// A reading costs the broker a connection and PostgreSQL a count of whole tables, and anybody may ask: three hundred
/// scrapers at once must cost what one does.
final class SharedStatus: Sendable {
  private struct State {
    var last: (text: String, freshUntil: ContinuousClock.Instant)?
    var reading: Promise<String>?
  }

  private let source: any PlatformStatusSource
  private let state = Mutex(State())
  /// Of those who wait for a reading.
  private let waiters: ConcurrencyLimit

  /// How long a reading is shared. One that took long is shared for longer, so that collecting takes a tenth of the
  /// time at most.
  private static let freshFor = Duration.seconds(2)
  private static let freshMax = Duration.seconds(60)
  /// How long a reading may take. Prometheus waits ten seconds by default.
  private static let timeout = Duration.seconds(6)

  init(_ source: any PlatformStatusSource, waitersMax: Int = 64) {
    self.source = source
    waiters = ConcurrencyLimit(max: waitersMax, name: "metrics")
  }

  /// The last reading where it is fresh, or else the one under way. Throws a 503 where too many wait for it.
  func exposition() async throws -> String {
    if let text = state.withLock({ Self.fresh($0) }) { return text }
    guard waiters.tryAcquire() else {
      throw Problem.unavailable("too many are waiting for the platform's status; ask again", retryAfter: 2)
    }
    defer { waiters.release() }
    return try await reading().wait()
  }

  private static func fresh(_ state: State) -> String? {
    guard let last = state.last, ContinuousClock.now < last.freshUntil else { return nil }
    return last.text
  }

  /// The reading under way; begins one where there is none.
  private func reading() -> Promise<String> {
    let (promise, begins) = state.withLock { state in
      if let text = Self.fresh(state) {
        let known = Promise<String>()
        known.resolve(.success(text))
        return (known, false)
      }
      if let reading = state.reading { return (reading, false) }
      let fresh = Promise<String>()
      state.reading = fresh
      return (fresh, true)
    }
    // In a task of its own: whoever began it may go away while others wait.
    if begins { Task { await self.read(promise) } }
    return promise
  }

  private func read(_ promise: Promise<String>) async {
    let begun = ContinuousClock.now
    var status: PlatformStatus
    do {
      status = try await withDeadline(begun + Self.timeout) { [source] in await source.status() }
    } catch {
      status = PlatformStatus()
      status.errors = ["the status was not collected within \(Self.timeout)"]
    }
    let end = ContinuousClock.now
    let text = status.exposition()
    state.withLock { state in
      state.last = (text, end + min(max(Self.freshFor, (end - begun) * 9), Self.freshMax))
      state.reading = nil
    }
    promise.resolve(.success(text))
  }
}
