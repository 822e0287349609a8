/// The state of one subscription, a state machine without I/O: it brings the consumer at the broker in line with what
/// the reader requested.
///
/// Its driver opens a channel for each generation, does one ``Step`` after the other until there is none, and reports
/// their results; requests, losses and cancellations come in between, from any thread. There is one generation for each
/// channel: events of an older one are ignored.
struct SubscriptionState {
  struct Consumer: Equatable, Sendable {
    /// Never used twice: an event of one consumer must not be taken for one of its successor.
    let tag: String
    let prefetch: Int
  }

  enum Event: Sendable, Equatable {
    /// The reader requested this limit of unsettled deliveries; 0: none are delivered.
    case prefetchChanged(prefetch: Int)
    /// The channel of a generation is open.
    case attached(generation: Int)
    /// The broker confirmed the consumer of ``Step/create(_:)``.
    case consumerCreated(tag: String)
    /// The broker confirmed ``Step/cancel(tag:)``.
    case consumerCancelled(tag: String)
    /// The broker cancelled a consumer (`basic.cancel`): its queue was deleted or lost its leader.
    case consumerCancelledByBroker(tag: String, generation: Int)
    case channelLost(RabbitMQError, generation: Int)
    /// The reader requested that all unsettled deliveries are delivered again.
    case restartRequested
    /// The driver no longer uses the channel.
    case detached
    /// The reader wants no more deliveries.
    case cancelled
  }

  /// What the driver does next.
  enum Step: Equatable {
    /// Set the prefetch (`basic.qos`), then consume under this tag; then report `consumerCreated`.
    case create(Consumer)
    /// Cancel the consumer; what it delivered stays valid. Then report `consumerCancelled`.
    case cancel(tag: String)
    /// Close the channel and open another, because of the error.
    case rebuild(RabbitMQError)
    /// End the reader's stream. What was delivered can be settled while the channel is open.
    case finish
  }

  let queue: String
  private(set) var prefetch: Int
  private(set) var isCancelled = false
  private var generation = 0
  private var hasChannel = false
  /// The consumer that delivers.
  private var consumer: Consumer?
  /// The consumer being created: the broker may cancel it before it has confirmed it.
  private var pending: Consumer?
  /// A consumer to be cancelled: its successor delivers, or none is wanted.
  private var outgoing: Consumer?
  /// Why the channel must be replaced.
  private var loss: RabbitMQError?
  private var isFinished = false

  init(queue: String, prefetch: Int) {
    self.queue = queue
    self.prefetch = max(0, prefetch)
  }

  /// True while the broker has the consumer, or none is wanted.
  var isAttached: Bool { hasChannel && loss == nil && (consumer != nil) == (prefetch > 0) }

  /// True where no delivery can arrive any more.
  var isTerminated: Bool { isCancelled && !hasChannel }

  mutating func nextGeneration() -> Int {
    detach()
    generation += 1
    return generation
  }

  mutating func handle(_ event: Event) {
    switch event {
    case .prefetchChanged(let prefetch): if !isCancelled { self.prefetch = max(0, prefetch) }
    case .attached(let generation): if generation == self.generation { hasChannel = true }
    case .consumerCreated(let tag):
      guard let pending, pending.tag == tag else { return }
      outgoing = consumer
      consumer = pending
      self.pending = nil
    case .consumerCancelled(let tag): if outgoing?.tag == tag { outgoing = nil }
    case .consumerCancelledByBroker(let tag, let generation):
      // The end of an outgoing consumer is no loss.
      guard consumer?.tag == tag || pending?.tag == tag else { return }
      lose(.channelClosed(code: 0, reason: "the broker cancelled the consumer"), generation)
    case .channelLost(let error, let generation): lose(error, generation)
    case .restartRequested:
      // Without a channel nothing is unsettled.
      if hasChannel { lose(.channelClosed(code: 0, reason: "restarted"), generation) }
    case .detached: detach()
    case .cancelled:
      prefetch = 0
      isCancelled = true
    }
  }

  /// The next step; nil: none until the next event. The same step is returned until its result is reported.
  ///
  /// The prefetch of a live consumer cannot be changed (a quorum queue keeps that of its `basic.consume`): a second one
  /// is created, and only then the first one is cancelled, so that deliveries continue.
  mutating func nextStep(using random: inout some RandomNumberGenerator) -> Step? {
    guard hasChannel else { return nil }
    if let loss { return .rebuild(loss) }
    if let pending { return .create(pending) }
    if let outgoing { return .cancel(tag: outgoing.tag) }
    if prefetch > 0, prefetch != consumer?.prefetch {
      let salt = UInt32.random(in: 0 ... .max, using: &random)
      let next = Consumer(tag: "\(queue)-\(generation)-\(prefetch)-\(salt)", prefetch: prefetch)
      pending = next
      return .create(next)
    }
    if prefetch == 0, let consumer {
      outgoing = consumer
      self.consumer = nil
      return .cancel(tag: consumer.tag)
    }
    guard isCancelled, !isFinished else { return nil }
    isFinished = true
    return .finish
  }

  private mutating func lose(_ error: RabbitMQError, _ lostGeneration: Int) {
    if lostGeneration == generation, loss == nil { loss = error }
  }

  private mutating func detach() {
    hasChannel = false
    consumer = nil
    pending = nil
    outgoing = nil
    loss = nil
  }
}
