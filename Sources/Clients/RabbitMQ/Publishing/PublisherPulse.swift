internal import Synchronization

/// Asks the broker for an answer once a second, on the publishing connection: a broker that is frozen, or behind a
/// network that swallows everything, is noticed long before its heartbeats are missed.
final class PublisherPulse: Sendable {
  private struct State {
    var channel: RabbitMQChannel?
    /// When the question was asked that is not answered yet; nil: all are.
    var askedAt: ContinuousClock.Instant?
  }

  private let state = Mutex(State())

  private static let interval = Duration.seconds(1)
  /// How long an answer may take before the broker counts as silent.
  private static let silentAfter = Duration.seconds(2)
  /// An exchange that every broker has; declaring it passively needs no rights and changes nothing.
  private static let question = AMQPMethod.declareExchange(
    name: "amq.direct", type: "direct", passive: true, arguments: [:])

  /// True while the broker owes an answer for too long.
  var isSilent: Bool {
    state.withLock { $0.askedAt.map { $0 + Self.silentAfter < .now } ?? false }
  }

  /// Asks on this channel from now on. It is the pulse's own: its delegate does nothing.
  func attach(_ channel: RabbitMQChannel) { state.withLock { $0 = State(channel: channel) } }

  /// The connection is lost.
  func detach() { state.withLock { $0 = State() } }

  /// Asks until the task is cancelled. A broker that blocks its publishers answers nothing, and is not asked.
  func run(isBlocked: @Sendable () -> Bool) async {
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.interval)
      guard !isBlocked(), let channel = state.withLock({ $0.channel }), channel.isOpen else { continue }
      await ask(channel)
    }
  }

  private func ask(_ channel: RabbitMQChannel) async {
    state.withLock { if $0.channel === channel { $0.askedAt = .now } }
    // A failure means that the connection has ended, or is ended by this: the supervisor notices.
    _ = try? await channel.call(Self.question)
    state.withLock { if $0.channel === channel { $0.askedAt = nil } }
  }
}
