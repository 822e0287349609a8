internal import Jobs
internal import Logging
internal import Synchronization

/// A row of outbox or scheduled jobs whose envelope cannot be read. The reason names fields, never values.
struct UnreadableRow: Error {
  let jobRun: JobRun
  let reason: String
}

/// Logs unreadable rows, at most once a minute: a relay finds the same ones every few seconds.
final class UnreadableRowLog: Sendable {
  private let logger: Logger
  private let loggedAt = Mutex<ContinuousClock.Instant?>(nil)

  private static let interval = Duration.seconds(60)
  /// Jobs that one line names.
  private static let namedMax = 10

  init(logger: Logger) { self.logger = logger }

  func note(_ rows: [UnreadableRow]) {
    guard let first = rows.first else { return }
    let isDue = loggedAt.withLock { loggedAt in
      if let at = loggedAt, at + Self.interval > .now { return false }
      loggedAt = .now
      return true
    }
    guard isDue else { return }
    logger.error(
      """
      jobs in the outbox cannot be read; they stay there and are not enqueued, the others go on. Repair their envelopes \
      in jobs.outbox, or delete their rows
      """,
      metadata: [
        "jobs": "\(rows.prefix(Self.namedMax).map { "\($0.jobRun)" }.joined(separator: " "))",
        "count": "\(rows.count)", "error": "\(first.reason)",
      ])
  }
}
