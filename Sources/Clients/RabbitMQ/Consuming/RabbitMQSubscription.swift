internal import ClientLoop
internal import Logging
internal import Synchronization

/// A queue being consumed, across lost connections.
package final class RabbitMQSubscription: Sendable {
  package let queue: String
  /// The deliveries in the broker's order, for one reader. The stream ends when the subscription is cancelled.
  package let deliveries: AsyncStream<[RabbitMQDelivery]>

  private let logger: Logger
  private let output: AsyncStream<[RabbitMQDelivery]>.Continuation
  private let state: Mutex<SubscriptionState>
  /// Signals that the state has changed; several changes before it is read are one signal.
  private let (changes, changeContinuation) = AsyncStream.makeStream(
    of: Void.self, bufferingPolicy: .bufferingNewest(1))

  init(queue: String, prefetch: Int, logger: Logger) {
    self.queue = queue
    self.logger = logger
    (deliveries, output) = AsyncStream.makeStream()
    state = Mutex(SubscriptionState(queue: queue, prefetch: prefetch))
  }

  /// True while the broker has the consumer, or none is wanted (prefetch 0).
  package var isAttached: Bool { state.withLock { $0.isAttached } }

  /// Changes how many deliveries may be unsettled; 0 stops delivery. It takes effect soon, and unsettled deliveries
  /// stay valid.
  ///
  /// A quorum queue's consumer cannot change its prefetch, so a second one is made before the first is cancelled.
  package func setPrefetch(_ prefetch: Int) { report(.prefetchChanged(prefetch: prefetch)) }

  /// Stops delivery for good; what was delivered can still be settled.
  package func cancel() {
    report(.cancelled)
    // With a channel, deliveries may still arrive: `.finish` ends the stream.
    if state.withLock({ $0.isTerminated }) { output.finish() }
  }

  /// Rebuilds channel and consumer: what was unsettled is delivered again.
  package func restart() { report(.restartRequested) }

  private func report(_ event: SubscriptionState.Event) {
    state.withLock { $0.handle(event) }
    changeContinuation.yield()
  }

  /// Consumes on the present connection, and on the next one after each loss, until the task or the subscription is
  /// cancelled.
  func serve(_ connection: () async throws -> RabbitMQConnection) async {
    defer {
      state.withLock { $0.handle(.detached) }
      output.finish()
    }
    try? await retrying(decide: handleLoss) { backoff in
      let live = try await connection()
      if state.withLock({ $0.isCancelled }) { return }
      try await serve(on: live, &backoff)
    }
  }

  private func handleLoss(_ error: any Error) -> RetryStep {
    let isCancelled = state.withLock { state in
      state.handle(.detached)
      return state.isCancelled
    }
    if isCancelled { return .giveUp }
    logger.warning("consumer lost; resubscribing", metadata: ["queue": "\(queue)", "error": "\(error)"])
    return .retry
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

  /// Performs the state's steps until there are none.
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

  /// Forwards one generation's channel events to the subscription.
  private struct SubscriptionDelegate: ChannelDelegate {
    let subscription: RabbitMQSubscription
    let generation: Int

    func received(_ deliveries: [RabbitMQDelivery]) {
      guard case .terminated = subscription.output.yield(deliveries) else { return }
      // Nobody reads any more. The broker keeps what a cancelled consumer was sent until it is settled or the
      // connection ends, which may be long after: it is given back now, and no more is asked for.
      subscription.report(.cancelled)
      for delivery in deliveries { delivery.requeue() }
    }

    func consumerCancelled(tag: String) {
      subscription.report(.consumerCancelledByBroker(tag: tag, generation: generation))
    }

    func closed(_ error: RabbitMQError) { subscription.report(.channelLost(error, generation: generation)) }
  }
}
