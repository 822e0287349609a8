internal import ClientLoop
internal import Logging
internal import Synchronization

/// Logs an outage when it begins, now and then while it lasts, and when it is over, instead of every attempt that
/// fails.
final class OutageLog: Sendable {
  private struct State {
    var since: ContinuousClock.Instant?
    var loggedAt: ContinuousClock.Instant?
  }

  private let what: Logger.Message
  private let logger: Logger
  private let state = Mutex(State())

  /// While an outage lasts it is mentioned again this often.
  private static let reminderInterval = Duration.seconds(30)

  /// `what` says what cannot be done, such as "the outbox cannot be swept".
  init(_ what: Logger.Message, logger: Logger) {
    self.what = what
    self.logger = logger
  }

  /// An attempt failed.
  func failed(_ error: any Error) {
    let isDue = state.withLock { state in
      state.since = state.since ?? TimeSource.now
      if let loggedAt = state.loggedAt, loggedAt + Self.reminderInterval > TimeSource.now { return false }
      state.loggedAt = TimeSource.now
      return true
    }
    if isDue { logger.warning(what, metadata: ["error": "\(ErrorDescription(error).detail)"]) }
  }

  /// An attempt succeeded.
  func succeeded() {
    let since = state.withLock { state in
      defer { state = State() }
      return state.since
    }
    if let since {
      logger.info("it is over: \(what)", metadata: ["lasted": "\((TimeSource.now - since).components.seconds)s"])
    }
  }
}
