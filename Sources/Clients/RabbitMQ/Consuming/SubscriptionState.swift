/// One subscription, between what its reader wishes and what the broker knows: a state machine without I/O.
///
/// Its driver opens a channel for each generation, does one ``Step`` after the other until there is none, and reports
/// what came of them; wishes, losses and cancellations come in between, from anywhere. A generation is a channel's
/// life: what is told of an older one is ignored.
struct SubscriptionState {
  /// A consumer at the broker.
  struct Consumer: Equatable, Sendable {
    /// Never used twice: the broker's word on one consumer must not be taken for one on its successor.
    let tag: String
    let prefetch: Int
  }

  /// What its driver and the broker report.
  enum Event: Sendable, Equatable {
    /// The reader wants at most so many deliveries unsettled; 0: none are delivered.
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
    /// The reader wants all that is unsettled delivered again.
    case restartRequested
    /// The driver has given the channel up.
    case detached
    /// The reader wants no more deliveries, for good.
    case cancelled
  }

  /// What the driver is to do.
  enum Step: Equatable {
    /// Set the prefetch (`basic.qos`), then consume under this tag; then report `consumerCreated`.
    case create(Consumer)
    /// Cancel the consumer; what it delivered stays valid. Then report `consumerCancelled`.
    case cancel(tag: String)
    /// Close the channel and attach another: the error says why.
    case rebuild(RabbitMQError)
    /// Tell the reader that nothing more comes. What was delivered can be settled for as long as the channel stands.
    case finish
  }

  let queue: String
  private(set) var prefetch: Int
  private(set) var isCancelled = false
  private var generation = 0
  private var hasChannel = false
  /// The consumer that the broker knows and that delivers.
  private var consumer: Consumer?
  /// The consumer being made: the broker may cancel it before it has confirmed it.
  private var pending: Consumer?
  /// A consumer that its successor, or a wish for none, has made useless.
  private var outgoing: Consumer?
  /// Why the channel is of no use any more.
  private var loss: RabbitMQError?
  private var isFinished = false

  init(queue: String, prefetch: Int) {
    self.queue = queue
    self.prefetch = max(0, prefetch)
  }

  /// True while the broker knows the consumer, or none is wanted.
  var isAttached: Bool { hasChannel && loss == nil && (consumer != nil) == (prefetch > 0) }

  /// True where nothing can arrive any more and nobody waits for anything.
  var isTerminated: Bool { isCancelled && !hasChannel }

  /// Begins a new generation, and forgets all that an older one knew.
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
      // One that is outgoing anyway is no loss.
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

  /// What is to be done now; nil: nothing, until the next event. The same step is named until it is reported done.
  ///
  /// The prefetch of a live consumer cannot be changed (a quorum queue keeps that of its `basic.consume`): a second one
  /// is made, and only then the first one is cancelled, so that deliveries go on.
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
