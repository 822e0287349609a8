internal import ClientLoop
internal import Logging
internal import Synchronization

/// Logs an outage when it begins, every 30 s while it lasts, and when it is over, instead of every call that fails.
final class OutageLog: Sendable {
  private struct State {
    var since: ContinuousClock.Instant?
    var loggedAt: ContinuousClock.Instant?
  }

  private let what: Logger.Message
  private let logger: Logger
  private let state = Mutex(State())

  /// How often a lasting outage is logged again.
  private static let reminderInterval = Duration.seconds(30)

  /// - Parameter what: the failure and what it means, such as "outbox relay failed".
  init(_ what: Logger.Message, logger: Logger) {
    self.what = what
    self.logger = logger
  }

  func failed(_ error: any Error) {
    let isDue = state.withLock { state in
      state.since = state.since ?? TimeSource.now
      if let loggedAt = state.loggedAt, loggedAt + Self.reminderInterval > TimeSource.now { return false }
      state.loggedAt = TimeSource.now
      return true
    }
    if isDue { logger.warning(what, metadata: ["error": "\(ErrorDescription(error).detail)"]) }
  }

  func succeeded() {
    let since = state.withLock { state in
      defer { state = State() }
      return state.since
    }
    if let since {
      logger.info("recovered: \(what)", metadata: ["duration": "\((TimeSource.now - since).components.seconds)s"])
    }
  }
}
