internal import Logging
internal import NIOCore
internal import Synchronization

/// Says at most once a minute what went wrong with clients' connections, in numbers: they are many, and must not be
/// able to fill the log.
final class ConnectionLog: Sendable {
  private struct State {
    var counts: [String: Int] = [:]
    var reported: NIODeadline?
  }

  private static let interval = TimeAmount.seconds(60)

  private let logger: Logger
  private let state = Mutex(State())

  init(logger: Logger) { self.logger = logger }

  func note(_ reason: CloseReason) { note(reason.rawValue) }

  /// What clients alone are to blame for is left to the metrics.
  func note(_ reason: Refusal.Reason) { if reason == .bodiesFull { note(reason.rawValue) } }

  private func note(_ name: String) { state.withLock { $0.counts[name, default: 0] += 1 } }

  func report(at now: NIODeadline) {
    let counts: [String: Int] = state.withLock { state in
      guard !state.counts.isEmpty, state.reported.map({ now >= $0 + Self.interval }) ?? true else { return [:] }
      defer { state = State(reported: now) }
      return state.counts
    }
    guard !counts.isEmpty else { return }
    logger.warning(
      """
      clients were cut off: places or memory were short (crowded, bodies_full), they did not take their answers \
      (unread), or we did not answer in time (unanswered); see vluma_http_connections and the load balancer's limits
      """,
      metadata: counts.mapValues { "\($0)" })
  }
}
