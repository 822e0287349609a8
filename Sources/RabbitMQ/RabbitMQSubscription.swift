internal import Logging
internal import Synchronization
internal import Wires

/// A queue being consumed, through any number of lost connections.
public final class RabbitMQSubscription: Sendable {
  /// The queue's name.
  public let queue: String
  /// What arrives, in the broker's order; for one reader. It ends when the subscription was cancelled.
  public let deliveries: AsyncStream<[RabbitMQDelivery]>

  private let logger: Logger
  private let output: AsyncStream<[RabbitMQDelivery]>.Continuation
  private let (events, incoming) = AsyncStream.makeStream(of: Event.self)
  private let state: Mutex<State>

  private enum Event: Sendable {
    case wishChanged
    case lost(RabbitMQError, generation: Int)
  }

  private struct State {
    var prefetch: Int
    var isCancelled = false
    var generation = 0
    /// The consumer the broker knows of, and the prefetch it was made with.
    var consumer: (tag: String, prefetch: Int)?
    var hasChannel = false
    /// The consumer being made: the broker may cancel it before it says that it exists.
    var comingTag: String?
  }

  init(queue: String, prefetch: Int, logger: Logger) {
    self.queue = queue
    self.logger = logger
    (deliveries, output) = AsyncStream.makeStream()
    state = Mutex(State(prefetch: prefetch))
  }

  /// True while the broker knows the consumer, or none is wanted.
  public var isAttached: Bool { state.withLock { $0.hasChannel && ($0.consumer != nil) == ($0.prefetch > 0) } }

  /// Changes how many deliveries may be unsettled; 0 stops delivery. It takes effect soon, and deliveries under way
  /// stay valid.
  ///
  /// A quorum queue's consumer cannot change its prefetch, so a second one is made before the first is cancelled.
  public func setPrefetch(_ prefetch: Int) {
    state.withLock { if !$0.isCancelled { $0.prefetch = prefetch } }
    incoming.yield(.wishChanged)
  }

  /// Stops delivery for good; what was delivered can still be settled.
  public func cancel() {
    let hasChannel = state.withLock { state in
      state.prefetch = 0
      state.isCancelled = true
      return state.hasChannel
    }
    // Without a channel nothing can arrive any more; with one, what is on its way still does.
    if hasChannel { incoming.yield(.wishChanged) } else { output.finish() }
  }

  /// Rebuilds channel and consumer: what was unsettled is delivered again.
  public func restart() {
    let generation = state.withLock { $0.generation }
    incoming.yield(.lost(.channelClosed(code: 0, reason: "restarted"), generation: generation))
  }

  /// Attaches to whatever connection there is, again and again, until the task is cancelled.
  func serve(_ connection: () async throws -> RabbitMQConnection) async {
    var backoff = Backoff()
    defer {
      output.finish()
      state.withLock { $0.hasChannel = false }
    }
    while !Task.isCancelled {
      do {
        let live = try await connection()
        try await serve(on: live, &backoff)
        return
      } catch {
        state.withLock { state in
          state.consumer = nil
          state.hasChannel = false
        }
        if Task.isCancelled || state.withLock({ $0.isCancelled }) { return }
        logger.warning("consumer was lost; consuming again", metadata: ["queue": "\(queue)", "error": "\(error)"])
      }
      try? await Task.sleep(for: backoff.next())
    }
  }

  private func serve(on connection: RabbitMQConnection, _ backoff: inout Backoff) async throws {
    let generation = state.withLock { state in
      state.generation += 1
      return state.generation
    }
    let channel = try await connection.openChannel(Sink(subscription: self, generation: generation))
    state.withLock { $0.hasChannel = true }
    try await fulfilWish(on: channel)
    backoff.reset()
    for await event in events {
      switch event {
      case .wishChanged: try await fulfilWish(on: channel)
      case .lost(let error, let lostGeneration) where lostGeneration == generation:
        _ = try? await channel.call(.closeChannel)
        throw error
      case .lost: continue
      }
      if state.withLock({ $0.isCancelled }) { output.finish() }
    }
    throw CancellationError()
  }

  private func fulfilWish(on channel: RabbitMQChannel) async throws {
    let (wanted, old, generation) = state.withLock { ($0.prefetch, $0.consumer, $0.generation) }
    guard wanted != old?.prefetch ?? 0 else { return }
    if wanted > 0 {
      let tag = "\(queue)-\(generation)-\(wanted)-\(UInt32.random(in: 0 ... .max))"
      state.withLock { $0.comingTag = tag }
      try await channel.call(.setPrefetch(wanted))
      try await channel.call(.consume(queue: queue, consumerTag: tag))
      state.withLock { $0.consumer = (tag, wanted) }
    } else {
      state.withLock { $0.consumer = nil }
    }
    if let old { try await channel.call(.cancelConsumer(tag: old.tag)) }
  }

  /// The channel's voice; it outlives no generation.
  private struct Sink: RabbitMQChannelSink {
    let subscription: RabbitMQSubscription
    let generation: Int

    func received(_ deliveries: [RabbitMQDelivery]) { subscription.output.yield(deliveries) }

    func consumerCancelled(tag: String) {
      guard subscription.state.withLock({ $0.consumer?.tag == tag || $0.comingTag == tag }) else { return }
      let error = RabbitMQError.channelClosed(code: 0, reason: "the broker cancelled the consumer")
      subscription.incoming.yield(.lost(error, generation: generation))
    }

    func closed(_ error: RabbitMQError) { subscription.incoming.yield(.lost(error, generation: generation)) }
  }
}
