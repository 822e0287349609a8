package import Foundation
package import Jobs
internal import Synchronization

/// A broker in memory, for tests of the engine.
///
/// Retried jobs wait until the test says ``releaseRetries()``. Troubles come when a test asks for them:
/// ``fail(next:with:where:)``, ``dropConnection()`` and ``isReady``.
package final class InMemoryBroker: JobBroker {
  /// What can go wrong with an enqueued job.
  package enum EnqueueFault: Sendable, Equatable {
    /// As if its pool did not exist.
    case unroutable
    /// As if the broker could not be reached.
    case unavailable
    /// The answer is lost; the job was kept, or not.
    case inDoubt(isEnqueued: Bool)
  }

  private let state: Mutex<BrokerState>

  /// A broker with these pools, and these retry tiers; without tiers it keeps a job for any pause.
  package init(pools: [PoolName], tiers: [Duration]? = nil) {
    state = Mutex(BrokerState(pools: Set(pools), tiers: tiers.map { Set($0) }))
  }

  /// True while jobs can be enqueued; a test sets it to false to take the broker away from those who enqueue.
  package var isReady: Bool {
    get { state.withLock { $0.isReady } }
    set { state.withLock { $0.isReady = newValue } }
  }

  /// Answers at once, with the faults that were planned.
  package func enqueue(_ jobs: [OutgoingJob], deadline: ContinuousClock.Instant) async -> [EnqueueResult] {
    state.withLock { state in
      let outcomes = jobs.map { state.enqueue($0) }
      handOut(&state)
      return outcomes
    }
  }

  /// Consumes a pool's queue; a pool that does not exist has no jobs.
  package func subscribe(pool: PoolName, capacity: Int) -> any JobSubscription { subscribe(to: .jobs(pool), capacity) }

  /// Consumes a pool's dead letters.
  package func subscribeToDeadLetters(of pool: PoolName, capacity: Int) -> any JobSubscription {
    subscribe(to: .dead(pool), capacity)
  }

  private func subscribe(to queue: BrokerState.Queue, _ capacity: Int) -> any JobSubscription {
    let (stream, output) = AsyncStream.makeStream(of: [JobDelivery].self)
    let id = state.withLock { state in
      let id = state.nextNumber()
      state.consumers[id] = BrokerState.Consumer(queue: queue, output: output, capacity: capacity)
      handOut(&state)
      return id
    }
    return InMemorySubscription(broker: self, id: id, stream: stream)
  }

  // MARK: What a test does to it

  /// Makes the next jobs that match fail in this way.
  package func fail(
    next times: Int = 1, with fault: EnqueueFault,
    where matches: @escaping @Sendable (OutgoingJob) -> Bool = { _ in true }
  ) {
    state.withLock { $0.faults.append(BrokerState.Fault(fault: fault, matches: matches, times: times)) }
  }

  /// Ends the pauses of all retried jobs: they go to their pools.
  package func releaseRetries() {
    state.withLock { state in
      state.releaseRetries()
      handOut(&state)
    }
  }

  /// Loses the consumers' connection, which comes back at once: all that is unsettled comes again, redelivered, and
  /// settling what was delivered before does nothing.
  package func dropConnection() {
    state.withLock { state in
      for id in state.consumers.keys.sorted() { _ = state.takeBack(from: id) }
      handOut(&state)
    }
  }

  /// The subscriptions of a pool get nothing more until they are rebuilt, though jobs wait: as happens to consumers
  /// of a broker that has forgotten them.
  package func stall(_ pool: PoolName) {
    state.withLock { state in
      for (id, consumer) in state.consumers where consumer.queue == .jobs(pool) {
        state.consumers[id]?.isStalled = true
      }
    }
  }

  /// How often subscriptions of a pool were rebuilt.
  package func restarts(of pool: PoolName) -> Int { state.withLock { $0.restarts[.jobs(pool), default: 0] } }

  /// Takes back what cancelled subscriptions have not settled, as when the process they belonged to dies.
  package func forgetCancelled() {
    state.withLock { state in
      for (id, consumer) in state.consumers where consumer.isCancelled {
        _ = state.takeBack(from: id)
        state.consumers[id] = nil
      }
      handOut(&state)
    }
  }

  /// Puts a message into a pool's queue as it is: unreadable, for one, or redelivered.
  package func put(_ content: JobDelivery.Content, body: Data, into pool: PoolName, redelivered: Bool = false) {
    state.withLock { state in
      state.put(content, body: body, into: .jobs(pool), deadLetterInfo: nil, isRedelivered: redelivered)
      handOut(&state)
    }
  }

  // MARK: What a test sees of it

  /// The jobs that wait in a pool's queue.
  package func queued(in pool: PoolName) -> [JobEnvelope] {
    state.withLock { $0.queued[.jobs(pool), default: []].compactMap(\.envelope) }
  }

  /// The letters that wait in a pool's dead letters.
  package func dead(of pool: PoolName) -> [(envelope: JobEnvelope, deadLetterInfo: DeadLetterInfo?)] {
    state.withLock { state in
      state.queued[.dead(pool), default: []].compactMap { message in
        message.envelope.map { (envelope: $0, deadLetterInfo: message.deadLetterInfo) }
      }
    }
  }

  /// How many messages of a pool were handed out and are not settled.
  package func unsettledCount(in pool: PoolName) -> Int { state.withLock { $0.unsettledCount(.jobs(pool)) } }

  /// How many dead letters of a pool were handed out and are not settled.
  package func unsettledDeadLetterCount(of pool: PoolName) -> Int { state.withLock { $0.unsettledCount(.dead(pool)) } }

  /// True where a pool has neither waiting nor unsettled messages.
  package func isEmpty(_ pool: PoolName) -> Bool {
    state.withLock { $0.queued[.jobs(pool), default: []].isEmpty && $0.unsettledCount(.jobs(pool)) == 0 }
  }

  /// The jobs that wait for their retry, in order of arrival.
  package var retries: [OutgoingJob] { state.withLock { $0.retries } }

  /// The retried jobs whose pool was gone when they returned.
  package var unroutable: [JobEnvelope] { state.withLock { $0.unroutable } }

  /// The jobs that were acknowledged, dead letters included, in order.
  package var acknowledged: [JobRun] { state.withLock { $0.acknowledged } }

  /// The jobs of which the broker said anything but that it keeps them, in order; those enqueued again stand again.
  package var notEnqueued: [OutgoingJob] { state.withLock { $0.notEnqueued } }

  // MARK: Subscriptions

  func change(_ id: Int, _ body: (inout BrokerState.Consumer) -> Void) {
    state.withLock { state in
      guard var consumer = state.consumers[id] else { return }
      body(&consumer)
      state.consumers[id] = consumer
      handOut(&state)
    }
  }

  func queuedCount(_ id: Int) -> Int? {
    state.withLock { state in state.consumers[id].map { state.queued[$0.queue, default: []].count } }
  }

  func restart(_ id: Int) {
    state.withLock { state in
      if let queue = state.takeBack(from: id) { state.restarts[queue, default: 0] += 1 }
      state.consumers[id]?.isStalled = false
      handOut(&state)
    }
  }

  private func settle(consumer: Int, tag: Int, isAcknowledged: Bool) {
    state.withLock { state in
      if state.settle(consumer: consumer, tag: tag, isAcknowledged: isAcknowledged) != nil { handOut(&state) }
    }
  }

  private func isUnsettled(consumer: Int, tag: Int) -> Bool {
    state.withLock { $0.consumers[consumer]?.unsettled[tag] != nil }
  }

  /// Gives what is queued to whoever has room; called with the lock held.
  private func handOut(_ state: inout BrokerState) {
    // In an order of its own, not a dictionary's: simulations must do the same again.
    for queue in state.queued.keys.sorted() {
      for (consumer, messages) in state.assign(queue).sorted(by: { $0.key < $1.key }) {
        let deliveries = messages.map { tag, message in
          JobDelivery(
            content: message.content, body: message.body, redelivered: message.isRedelivered,
            deadLetterInfo: message.deadLetterInfo, isStillHeld: { self.isUnsettled(consumer: consumer, tag: tag) }
          ) { isAcknowledged in self.settle(consumer: consumer, tag: tag, isAcknowledged: isAcknowledged) }
        }
        state.consumers[consumer]?.output.yield(deliveries)
      }
    }
  }
}

/// A pool's queue, or its dead letters, being consumed in memory.
struct InMemorySubscription: JobSubscription {
  let broker: InMemoryBroker
  let id: Int
  let stream: AsyncStream<[JobDelivery]>

  var deliveries: any AsyncSequence<[JobDelivery], Never> & Sendable { stream }
  var isConsuming: Bool { broker.isReady }

  func setCapacity(_ capacity: Int) { broker.change(id) { $0.capacity = capacity } }

  func queuedCount() async throws -> Int? {
    guard broker.isReady else { throw BrokerAway() }
    return broker.queuedCount(id)
  }

  func restart() { broker.restart(id) }

  private struct BrokerAway: Error {}

  func cancel() {
    broker.change(id) { consumer in
      consumer.isCancelled = true
      consumer.output.finish()
    }
  }
}
