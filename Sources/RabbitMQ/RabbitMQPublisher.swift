public import Logging
internal import Synchronization
internal import Wires

/// Publishes messages and says of each what became of it; the connection comes back by itself.
///
/// Every message is persistent and mandatory, and resolves exactly once: ``PublishOutcome``. Call ``run()`` in a task
/// of its own.
public final class RabbitMQPublisher: Sendable {
  private let configuration: RabbitMQConfiguration
  private let name: String
  private let logger: Logger
  private let desk = PublisherDesk()

  /// Prepares a publisher; `name` is what the broker shows for its connection.
  public init(_ configuration: RabbitMQConfiguration, name: String, logger: Logger) {
    self.configuration = configuration
    self.name = name
    self.logger = logger
  }

  /// True while messages can be written: connected, and not blocked by an alarm of the broker.
  public var isReady: Bool { desk.isReady }

  /// Publishes the messages and waits for the broker's word on each, until the deadline.
  ///
  /// Outcomes stand in the order of the messages. While there is no connection the messages wait for one.
  public func publish(_ messages: [RabbitMQMessage], deadline: ContinuousClock.Instant) async -> [PublishOutcome] {
    guard !messages.isEmpty else { return [] }
    // What the protocol cannot carry would close the channel under everybody else's messages.
    guard messages.allSatisfy(\.isPublishable) else {
      let others = messages.filter(\.isPublishable)
      var outcomes = await publish(others, deadline: deadline).makeIterator()
      return messages.map { $0.isPublishable ? outcomes.next() ?? .inDoubt : .refused }
    }
    return await withCheckedContinuation { desk.add(messages, deadline: deadline, $0) }
  }

  /// Keeps a connection until the task is cancelled; then what is unresolved is told so and the connection closed.
  public func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.keepTime() }
      await keepConnected()
      group.cancelAll()
    }
    desk.stop()
  }

  private func keepConnected() async {
    var backoff = Backoff()
    while !Task.isCancelled {
      do {
        let connection = try await RabbitMQConnection.open(configuration, name: name)
        let sink = PublisherSink(desk: desk, session: desk.nextSession())
        let channel = try await connection.openChannel(sink)
        try await channel.call(.selectConfirms)
        backoff.reset()
        desk.connected(connection, channel, session: sink.session)
        logger.debug("publishing connection is open")
        let end: RabbitMQError
        do { end = try await connection.waitUntilClosed() } catch {
          await connection.close()
          return
        }
        logger.warning("publishing connection was lost; connecting again", metadata: ["error": "\(end)"])
      } catch {
        if Task.isCancelled { return }
        logger.warning("cannot publish; trying again", metadata: ["error": "\(error)"])
      }
      try? await Task.sleep(for: backoff.next())
    }
  }

  /// Deadlines and the watch over stuck writes hang on this clock, not on the connection's thread, which may be the one
  /// that is stuck.
  private func keepTime() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(50))
      desk.expire(.now)
    }
  }
}

/// Where callers, the connection's thread and the clock meet: a lock around the ledger and the callers' batches.
final class PublisherDesk: Sendable {
  /// A caller's messages under way.
  private struct Batch {
    var outcomes: [PublishOutcome?]
    var missing: Int
    let continuation: CheckedContinuation<[PublishOutcome], Never>
  }

  private struct State {
    var ledger = PublishLedger()
    var batches: [Int: Batch] = [:]
    var nextBatch = 0
    var connection: RabbitMQConnection?
    var channel: RabbitMQChannel?
    /// The connections are numbered; one that was lost before it was taken into use is never used.
    var lastSession = 0
    var session: Int?
    var lostSession = 0
    var isStopped = false
  }

  private let state = Mutex(State())
  /// More messages than this waiting is overload: further ones are told at once that they were not sent.
  private static let messagesMax = 20_000
  /// A write that lasts longer than this is stuck (an alarm whose notice did not come in time): the connection is
  /// broken.
  private static let writeMax = Duration.seconds(5)

  var isReady: Bool { state.withLock { $0.channel != nil && !$0.ledger.isBlocked } }

  func add(
    _ messages: [RabbitMQMessage], deadline: ContinuousClock.Instant,
    _ continuation: CheckedContinuation<[PublishOutcome], Never>
  ) {
    let (isTaken, channel) = state.withLock { state in
      guard !state.isStopped, state.ledger.count + messages.count <= Self.messagesMax else {
        return (false, RabbitMQChannel?.none)
      }
      state.nextBatch += 1
      let batch = state.nextBatch
      state.batches[batch] = Batch(
        outcomes: Array(repeating: nil, count: messages.count), missing: messages.count, continuation: continuation)
      for (index, message) in messages.enumerated() {
        state.ledger.add(.init(ticket: .init(batch: batch, index: index), message: message, deadline: deadline))
      }
      return (true, state.channel)
    }
    guard isTaken else { return continuation.resume(returning: messages.map { _ in .notSent }) }
    channel?.wakeForPublishing()
  }

  func nextSession() -> Int {
    state.withLock { state in
      state.lastSession += 1
      return state.lastSession
    }
  }

  /// Confirms are on: messages may be written.
  func connected(_ connection: RabbitMQConnection, _ channel: RabbitMQChannel, session: Int) {
    state.withLock { state in
      guard state.lostSession < session else { return }
      state.session = session
      state.connection = connection
      state.channel = channel
    }
    channel.wakeForPublishing()
  }

  func expire(_ now: ContinuousClock.Instant) {
    let connection = state.withLock { $0.connection }
    connection?.abortIfWriting(longerThan: Self.writeMax)
    change { $0.expire(now) }
  }

  /// Nothing will be written any more: everybody is told, now and from now on.
  func stop() {
    state.withLock { $0.isStopped = true }
    change { $0.expire(nil) }
  }

  func nextMessage(_ session: Int) -> RabbitMQMessage? {
    state.withLock { $0.session == session ? $0.ledger.next() : nil }
  }

  func confirmed(_ tag: UInt64, multiple: Bool, positive: Bool) {
    change { $0.confirmed(tag, multiple: multiple, positive: positive) }
  }

  func returned(_ message: FrameAssembler.Content) { state.withLock { $0.ledger.returned(message) } }

  func blocked(_ isBlocked: Bool) { state.withLock { $0.ledger.isBlocked = isBlocked } }

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
    // The broker closes a channel for one message's fault; a broken connection is nobody's.
    if case .channelClosed = error { change { $0.channelClosed() } } else { change { $0.connectionLost() } }
    connection.abort()
  }

  /// Applies a change of the ledger and answers the callers whose last message it resolved.
  private func change(_ body: (inout PublishLedger) -> [PublishLedger.Resolution]) {
    let done = state.withLock { state in
      var done: [Batch] = []
      for resolution in body(&state.ledger) {
        guard var batch = state.batches[resolution.ticket.batch] else { continue }
        batch.outcomes[resolution.ticket.index] = resolution.outcome
        batch.missing -= 1
        state.batches[resolution.ticket.batch] = batch.missing == 0 ? nil : batch
        if batch.missing == 0 { done.append(batch) }
      }
      return done
    }
    for batch in done { batch.continuation.resume(returning: batch.outcomes.map { $0 ?? .inDoubt }) }
  }
}

/// The desk's ear at one connection.
struct PublisherSink: RabbitMQChannelSink {
  let desk: PublisherDesk
  let session: Int

  func nextMessage() -> RabbitMQMessage? { desk.nextMessage(session) }
  func confirmed(_ tag: UInt64, multiple: Bool, positive: Bool) {
    desk.confirmed(tag, multiple: multiple, positive: positive)
  }
  func returned(_ message: FrameAssembler.Content) { desk.returned(message) }
  func blocked(_ isBlocked: Bool) { desk.blocked(isBlocked) }
  func closed(_ error: RabbitMQError) { desk.closed(error, session: session) }
}
