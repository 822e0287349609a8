package import Foundation
package import Jobs
internal import Synchronization

/// A broker in memory, for tests of the engine.
///
/// Retrying jobs stay in their tier until ``releaseRetries()``. Faults happen on request: ``fail(next:with:where:)``,
/// ``dropConnection()``, ``stall(_:)`` and ``isReady``.
package final class InMemoryBroker: JobBroker {
  package enum EnqueueFault: Sendable, Equatable {
    case unroutable
    case unavailable
    case refused
    /// The confirmation is lost; `isEnqueued` says whether the broker holds the job.
    case inDoubt(isEnqueued: Bool)
  }

  private let state: Mutex<BrokerState>

  /// - Parameter tiers: the retry tiers it has; nil: a tier for every delay.
  package init(pools: [PoolName], tiers: [Duration]? = nil) {
    state = Mutex(BrokerState(pools: Set(pools), tiers: tiers.map { Set($0) }))
  }

  /// False: enqueueing fails as unavailable.
  package var isReady: Bool {
    get { state.withLock { $0.isReady } }
    set { state.withLock { $0.isReady = newValue } }
  }

  package func enqueue(_ jobs: [OutgoingJob], deadline: ContinuousClock.Instant) async -> [EnqueueResult] {
    state.withLock { state in
      let results = jobs.map { state.enqueue($0) }
      deliver(&state)
      return results
    }
  }

  /// A pool that does not exist has no jobs.
  package func subscribe(pool: PoolName, capacity: Int) -> any JobSubscription { subscribe(to: .jobs(pool), capacity) }

  package func subscribeToDeadLetters(of pool: PoolName, capacity: Int) -> any JobSubscription {
    subscribe(to: .dead(pool), capacity)
  }

  private func subscribe(to queue: BrokerState.Queue, _ capacity: Int) -> any JobSubscription {
    let (stream, output) = AsyncStream.makeStream(of: [JobDelivery].self)
    let id = state.withLock { state in
      let id = state.nextNumber()
      state.consumers[id] = BrokerState.Consumer(queue: queue, output: output, capacity: capacity)
      deliver(&state)
      return id
    }
    return InMemorySubscription(broker: self, id: id, stream: stream)
  }

  // MARK: Faults and control

  /// Makes the next `times` jobs that match fail.
  package func fail(
    next times: Int = 1, with fault: EnqueueFault,
    where matches: @escaping @Sendable (OutgoingJob) -> Bool = { _ in true }
  ) {
    state.withLock { $0.faults.append(BrokerState.Fault(fault: fault, matches: matches, times: times)) }
  }

  /// Moves all retrying jobs to their pools.
  package func releaseRetries() {
    state.withLock { state in
      state.releaseRetries()
      deliver(&state)
    }
  }

  /// Loses the consumers' connection, which returns at once: what is unsettled is redelivered, and settling the old
  /// deliveries does nothing.
  package func dropConnection() {
    state.withLock { state in
      for id in state.consumers.keys.sorted() { _ = state.requeueUnsettled(of: id) }
      deliver(&state)
    }
  }

  /// Delivers nothing to the subscriptions of a pool until they are restarted, although jobs are queued.
  package func stall(_ pool: PoolName) {
    state.withLock { state in
      for (id, consumer) in state.consumers where consumer.queue == .jobs(pool) {
        state.consumers[id]?.isStalled = true
      }
    }
  }

  /// How often subscriptions of a pool were restarted.
  package func restarts(of pool: PoolName) -> Int { state.withLock { $0.restarts[.jobs(pool), default: 0] } }

  /// Requeues what cancelled subscriptions have not settled, as when their process dies.
  package func forgetCancelled() {
    state.withLock { state in
      for (id, consumer) in state.consumers where consumer.isCancelled {
        _ = state.requeueUnsettled(of: id)
        state.consumers[id] = nil
      }
      deliver(&state)
    }
  }

  /// Puts any message into a pool's queue, such as an unreadable or a redelivered one.
  package func put(_ content: JobDelivery.Content, body: Data, into pool: PoolName, redelivered: Bool = false) {
    state.withLock { state in
      state.put(content, body: body, into: .jobs(pool), deadLetterInfo: nil, isRedelivered: redelivered)
      deliver(&state)
    }
  }

  // MARK: Observation

  package func queued(in pool: PoolName) -> [JobEnvelope] {
    state.withLock { $0.queued[.jobs(pool), default: []].compactMap(\.envelope) }
  }

  /// The dead letters in a pool's queue of dead letters.
  package func dead(of pool: PoolName) -> [(envelope: JobEnvelope, deadLetterInfo: DeadLetterInfo?)] {
    state.withLock { state in
      state.queued[.dead(pool), default: []].compactMap { message in
        message.envelope.map { (envelope: $0, deadLetterInfo: message.deadLetterInfo) }
      }
    }
  }

  package func unsettledCount(in pool: PoolName) -> Int { state.withLock { $0.unsettledCount(.jobs(pool)) } }

  package func unsettledDeadLetterCount(of pool: PoolName) -> Int { state.withLock { $0.unsettledCount(.dead(pool)) } }

  /// True: the pool has neither queued nor unsettled messages.
  package func isEmpty(_ pool: PoolName) -> Bool {
    state.withLock { $0.queued[.jobs(pool), default: []].isEmpty && $0.unsettledCount(.jobs(pool)) == 0 }
  }

  /// The retrying jobs, in order of arrival.
  package var retries: [OutgoingJob] { state.withLock { $0.retries } }

  /// Retried jobs whose pool was gone when they returned.
  package var unroutable: [JobEnvelope] { state.withLock { $0.unroutable } }

  /// In order, dead letters included.
  package var acknowledged: [JobRun] { state.withLock { $0.acknowledged } }

  /// Every result but `enqueued`, in order; a job that was enqueued again and failed again is listed again.
  package var notEnqueued: [OutgoingJob] { state.withLock { $0.notEnqueued } }

  // MARK: Subscriptions

  func change(_ id: Int, _ body: (inout BrokerState.Consumer) -> Void) {
    state.withLock { state in
      guard var consumer = state.consumers[id] else { return }
      body(&consumer)
      state.consumers[id] = consumer
      deliver(&state)
    }
  }

  func queuedCount(_ id: Int) -> Int? {
    state.withLock { state in state.consumers[id].map { state.queued[$0.queue, default: []].count } }
  }

  func restart(_ id: Int) {
    state.withLock { state in
      if let queue = state.requeueUnsettled(of: id) { state.restarts[queue, default: 0] += 1 }
      state.consumers[id]?.isStalled = false
      deliver(&state)
    }
  }

  private func settle(consumer: Int, tag: Int, isAcknowledged: Bool) {
    state.withLock { state in
      if state.settle(consumer: consumer, tag: tag, isAcknowledged: isAcknowledged) != nil { deliver(&state) }
    }
  }

  private func isUnsettled(consumer: Int, tag: Int) -> Bool {
    state.withLock { $0.consumers[consumer]?.unsettled[tag] != nil }
  }

  /// Called with the lock held.
  private func deliver(_ state: inout BrokerState) {
    // Sorted, because a simulation must repeat itself and the order of a dictionary does not.
    for queue in state.queued.keys.sorted() {
      for (consumer, messages) in state.assign(queue).sorted(by: { $0.key < $1.key }) {
        let deliveries = messages.map { tag, message in
          JobDelivery(
            content: message.content, body: message.body, redelivered: message.isRedelivered,
            deadLetterInfo: message.deadLetterInfo, contentID: { message.contentID(in: queue) },
            isStillHeld: { self.isUnsettled(consumer: consumer, tag: tag) }
          ) { isAcknowledged in self.settle(consumer: consumer, tag: tag, isAcknowledged: isAcknowledged) }
        }
        state.consumers[consumer]?.output.yield(deliveries)
      }
    }
  }
}
