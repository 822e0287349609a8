internal import ClientLoop
internal import Logging
internal import Synchronization

/// A queue being consumed, through any number of lost connections.
package final class RabbitMQSubscription: Sendable {
  /// The queue's name.
  package let queue: String
  /// What arrives, in the broker's order; for one reader. It ends when the subscription was cancelled.
  package let deliveries: AsyncStream<[RabbitMQDelivery]>

  private let logger: Logger
  private let output: AsyncStream<[RabbitMQDelivery]>.Continuation
  private let state: Mutex<SubscriptionState>
  /// Tells the driver that the state has changed; several changes before it looks are one.
  private let (changes, changeContinuation) = AsyncStream.makeStream(
    of: Void.self, bufferingPolicy: .bufferingNewest(1))

  init(queue: String, prefetch: Int, logger: Logger) {
    self.queue = queue
    self.logger = logger
    (deliveries, output) = AsyncStream.makeStream()
    state = Mutex(SubscriptionState(queue: queue, prefetch: prefetch))
  }

  /// True while the broker knows the consumer, or none is wanted.
  package var isAttached: Bool { state.withLock { $0.isAttached } }

  /// Changes how many deliveries may be unsettled; 0 stops delivery. It takes effect soon, and deliveries under way
  /// stay valid.
  ///
  /// A quorum queue's consumer cannot change its prefetch, so a second one is made before the first is cancelled.
  package func setPrefetch(_ prefetch: Int) { report(.prefetchChanged(prefetch: prefetch)) }

  /// Stops delivery for good; what was delivered can still be settled.
  package func cancel() {
    report(.cancelled)
    // Without a channel nothing can arrive any more; with one, what is on its way still does.
    if state.withLock({ $0.isTerminated }) { output.finish() }
  }

  /// Rebuilds channel and consumer: what was unsettled is delivered again.
  package func restart() { report(.restartRequested) }

  private func report(_ event: SubscriptionState.Event) {
    state.withLock { $0.handle(event) }
    changeContinuation.yield()
  }

  /// Attaches to whatever connection there is, again and again, until the task is cancelled.
  func serve(_ connection: () async throws -> RabbitMQConnection) async {
    var backoff = Backoff()
    defer {
      state.withLock { $0.handle(.detached) }
      output.finish()
    }
    while !Task.isCancelled {
      do {
        let live = try await connection()
        if state.withLock({ $0.isCancelled }) { return }
        try await serve(on: live, &backoff)
        return
      } catch {
        let isCancelled = state.withLock { state in
          state.handle(.detached)
          return state.isCancelled
        }
        if Task.isCancelled || isCancelled { return }
        logger.warning("consumer was lost; consuming again", metadata: ["queue": "\(queue)", "error": "\(error)"])
      }
      try? await Task.sleep(for: backoff.next())
    }
  }

  private func serve(on connection: RabbitMQConnection, _ backoff: inout Backoff) async throws {
    let generation = state.withLock { $0.nextGeneration() }
    let channel = try await connection.openChannel(SubscriptionDelegate(subscription: self, generation: generation))
    state.withLock { $0.handle(.attached(generation: generation)) }
    try await performSteps(on: channel)
    backoff.reset()
    for await _ in changes { try await performSteps(on: channel) }
    throw CancellationError()
  }

  /// Does what the state asks for, until it asks for nothing more.
  private func performSteps(on channel: RabbitMQChannel) async throws {
    while let step = nextStep() {
      switch step {
      case .create(let consumer):
        try await channel.call(.setPrefetch(consumer.prefetch))
        try await channel.call(.consume(queue: queue, consumerTag: consumer.tag))
        state.withLock { $0.handle(.consumerCreated(tag: consumer.tag)) }
      case .cancel(let tag):
        try await channel.call(.cancelConsumer(tag: tag))
        state.withLock { $0.handle(.consumerCancelled(tag: tag)) }
      case .rebuild(let error):
        _ = try? await channel.call(.closeChannel)
        throw error
      case .finish: output.finish()
      }
    }
  }

  private func nextStep() -> SubscriptionState.Step? {
    state.withLock { state in
      var random = SystemRandomNumberGenerator()
      return state.nextStep(using: &random)
    }
  }

  /// The channel's voice; it outlives no generation.
  private struct SubscriptionDelegate: ChannelDelegate {
    let subscription: RabbitMQSubscription
    let generation: Int

    func received(_ deliveries: [RabbitMQDelivery]) { subscription.output.yield(deliveries) }

    func consumerCancelled(tag: String) {
      subscription.report(.consumerCancelledByBroker(tag: tag, generation: generation))
    }

    func closed(_ error: RabbitMQError) { subscription.report(.channelLost(error, generation: generation)) }
  }
}
