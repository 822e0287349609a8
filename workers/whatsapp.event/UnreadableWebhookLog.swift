internal import Jobs
internal import Logging
internal import Messaging
internal import Synchronization
internal import WhatsApp

/// Tells of webhooks that were signed and stored, and whose content could not be read: once a minute at most, with
/// their number.
final class UnreadableWebhookLog: Sendable {
  private struct State {
    var loggedAt: ContinuousClock.Instant?
    var unlogged = 0
  }

  private let logger: Logger?
  private let state = Mutex(State())

  private static let interval = Duration.seconds(60)

  /// - Parameter logger: nil: they are counted only.
  init(_ logger: Logger?) { self.logger = logger }

  func note(_ events: [WebhookBatch.Item<ProviderEvent>], at now: ContinuousClock.Instant = .now) {
    let fields: Set = [WebhookParser.unreadableField, WebhookParser.unknownField]
    let unreadable = events.filter { fields.contains($0.received.update.field) }
    guard let last = unreadable.last else { return }
    for event in unreadable { WorkerMetrics.unreadable(event.received.update.field) }
    let count: Int? = state.withLock { state in
      state.unlogged += unreadable.count
      if let loggedAt = state.loggedAt, loggedAt + Self.interval > now { return nil }
      state.loggedAt = now
      defer { state.unlogged = 0 }
      return state.unlogged
    }
    guard let count else { return }
    logger?.warning(
      "webhooks with a valid signature could not be read; they are stored and have no effect: vluma trace KEY shows one",
      metadata: [
        "count": "\(count)", "reason": "\(last.received.update.field)", "key": "\(last.received.update.key)",
        "job": "\(last.cause.jobRun)",
      ])
  }
}
