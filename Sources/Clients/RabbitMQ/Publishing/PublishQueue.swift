internal import Logging
internal import Synchronization

/// The publisher's messages between callers, connection thread and timer: a lock around ``ConfirmTracker`` and the
/// callers' batches.
final class PublishQueue: Sendable {
  private struct Batch {
    var results: [PublishResult?]
    var missing: Int
    let continuation: CheckedContinuation<[PublishResult], Never>
  }

  private struct State {
    var tracker = ConfirmTracker()
    var batches: [Int: Batch] = [:]
    var nextBatch = 0
    var connection: RabbitMQConnection?
    var channel: RabbitMQChannel?
    /// The connections are numbered; one that was lost before ``connected(_:_:session:)`` is never used.
    var lastSession = 0
    var session: Int?
    var lostSession = 0
    /// Destinations whose last confirm was a nack.
    var nackBreakers: [ConfirmTracker.Destination: NackBreaker] = [:]
    var isStopped = false
  }

  private let state = Mutex(State())
  private let logger: Logger
  /// A write that lasts longer than this is stuck (in an alarm, before `connection.blocked` arrived): the connection is
  /// aborted.
  private static let writeMax = Duration.seconds(5)
  /// How long after its deadline an unconfirmed message may hold up the others.
  private static let confirmMax = Duration.seconds(5)

  init(logger: Logger) { self.logger = logger }

  var isReady: Bool { state.withLock { $0.channel != nil && !$0.tracker.isBlocked } }

  func add(
    _ messages: [RabbitMQMessage], deadline: ContinuousClock.Instant,
    _ continuation: CheckedContinuation<[PublishResult], Never>
  ) {
    enum Admission {
      case taken(ended: [Batch], RabbitMQChannel?)
      case refused(isFull: Bool)
    }
    let admission: Admission = state.withLock { state in
      guard !state.isStopped, !state.tracker.isFull else { return .refused(isFull: !state.isStopped) }
      state.nextBatch += 1
      let batch = state.nextBatch
      state.batches[batch] = Batch(
        results: Array(repeating: nil, count: messages.count), missing: messages.count, continuation: continuation)
      let resolutions = messages.enumerated().compactMap { index, message in
        state.tracker.add(.init(position: .init(batch: batch, index: index), message: message, deadline: deadline))
      }
      return .taken(ended: Self.resolve(resolutions, &state), state.channel)
    }
    switch admission {
    case .taken(let ended, let channel):
      Self.answer(ended)
      channel?.wakeForPublishing()
    case .refused(let isFull):
      if isFull { RabbitMQMetrics.publishRefused(messages.count) }
      continuation.resume(returning: messages.map { _ in .expired })
    }
  }

  func nextSession() -> Int {
    state.withLock { state in
      state.lastSession += 1
      return state.lastSession
    }
  }

  /// Starts writing on a channel that has confirms on. False where the channel was lost in the meantime.
  func connected(_ connection: RabbitMQConnection, _ channel: RabbitMQChannel, session: Int) -> Bool {
    var isTaken = false
    change { state in
      guard state.lostSession < session else { return [] }
      isTaken = true
      state.session = session
      for destination in state.nackBreakers.keys { state.nackBreakers[destination]?.reset() }
      state.connection = connection
      state.channel = channel
      return state.tracker.connected(frameMax: connection.frameMax)
    }
    if isTaken { channel.wakeForPublishing() }
    return isTaken
  }

  func expire(_ now: ContinuousClock.Instant) {
    change { $0.tracker.expire(now) }
    let (connection, isStuck) = state.withLock { ($0.connection, $0.tracker.isStuck(now, timeout: Self.confirmMax)) }
    if isStuck { connection?.abort() } else { connection?.abortIfWriting(longerThan: Self.writeMax) }
  }

  /// Resolves all messages, and those that are added from now on, without writing them.
  func stop() {
    state.withLock { $0.isStopped = true }
    change { $0.tracker.expire(nil) }
  }

  func nextMessage(_ session: Int) -> RabbitMQMessage? {
    state.withLock { $0.session == session ? $0.tracker.next() : nil }
  }

  func confirmed(_ tag: UInt64, multiple: Bool, positive: Bool) {
    let tripped = state.withLock { state in
      // The usual case needs no search for destinations.
      if positive, state.nackBreakers.isEmpty { return RabbitMQConnection?.none }
      var isTripped = false
      for destination in state.tracker.destinations(tag, multiple: multiple) {
        if positive {
          state.nackBreakers[destination] = nil
        } else if state.nackBreakers[destination, default: NackBreaker()].nacked(at: .now) {
          isTripped = true
        }
      }
      return isTripped ? state.connection : nil
    }
    change { $0.tracker.confirmed(tag, multiple: multiple, positive: positive) }
    tripped?.abort()
  }

  func returned(_ message: FrameAssembler.Content) { state.withLock { $0.tracker.returned(message) } }

  func blocked(_ isBlocked: Bool) { state.withLock { $0.tracker.isBlocked = isBlocked } }

  func closed(_ error: RabbitMQError, session: Int) {
    let connection = state.withLock { state in
      state.lostSession = max(state.lostSession, session)
      guard state.session == session else { return RabbitMQConnection?.none }
      state.session = nil
      state.channel = nil
      defer { state.connection = nil }
      return state.connection
    }
    guard let connection else { return }
    // The broker closes a channel, and with some codes the connection, because of one message; for a broken connection
    // no message is to blame.
    switch error {
    case .channelClosed(let code, let reason):
      logger.warning(
        """
        RabbitMQ closed the channel over a message; the others are sent again. Where an exchange is missing, messages \
        to it are refused until it is declared again
        """, metadata: ["error": "\(error)"])
      change { $0.tracker.channelClosed(code: code, reason: reason, at: .now) }
    case .connectionClosed(let code, let reason) where RabbitMQError.messageFaults.contains(code):
      change { $0.tracker.channelClosed(code: code, reason: reason, at: .now) }
    default:
      change { state in
        state.tracker.connectionLost()
        return []
      }
    }
    connection.abort()
  }

  /// Missing exchanges to look for now, and the connection to ask; nil: there is none.
  func exchangesToLookFor(_ now: ContinuousClock.Instant) -> (RabbitMQConnection, [String])? {
    state.withLock { state in
      guard let connection = state.connection else { return nil }
      return (connection, state.tracker.exchangesToLookFor(now))
    }
  }

  /// Messages to the exchange are written again.
  func found(exchange: String) {
    state.withLock { $0.tracker.found(exchange: exchange) }
    logger.notice("exchange exists again; messages to it are sent", metadata: ["exchange": "\(exchange)"])
  }

  /// Sets the gauges.
  func report() {
    let (waiting, inFlight) = state.withLock { state in
      let tracker = state.tracker
      return ((tracker.waitingCount, tracker.waitingBytes), (tracker.inFlightCount, tracker.inFlightBytes))
    }
    RabbitMQMetrics.publishing(waiting: waiting, inFlight: inFlight)
  }

  /// Changes the state and answers the callers whose last message that resolved.
  private func change(_ body: (inout State) -> [ConfirmTracker.Resolution]) {
    Self.answer(
      state.withLock { state in
        let resolutions = body(&state)
        return Self.resolve(resolutions, &state)
      })
  }

  /// Notes the results; returns the batches that are complete.
  private static func resolve(_ resolutions: [ConfirmTracker.Resolution], _ state: inout State) -> [Batch] {
    var done: [Batch] = []
    for resolution in resolutions {
      guard var batch = state.batches[resolution.position.batch] else { continue }
      batch.results[resolution.position.index] = resolution.result
      batch.missing -= 1
      state.batches[resolution.position.batch] = batch.missing == 0 ? nil : batch
      if batch.missing == 0 { done.append(batch) }
    }
    return done
  }

  private static func answer(_ batches: [Batch]) {
    for batch in batches { batch.continuation.resume(returning: batch.results.map { $0 ?? .lost }) }
  }
}
