internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization
internal import Wires

/// Runs one pool on this node: takes jobs while there is room, begins as many as its share allows, and drains when
/// told.
final class PoolRunner<Ledger: JobLedger>: Sendable {
  let pool: PoolConfiguration
  private let attempt: JobAttempt<Ledger>
  private let subscription: any JobSubscription
  private let state: Mutex<State>
  private let signal = Signal()
  private let watchdog: FlowWatchdog

  private struct State {
    var intake: JobIntake
    var capacity: IntakeCapacity
    var lastTakenEnqueuedAt: Date?

    /// The broker has been asked for more than is in hand.
    var wantsMore: Bool { !intake.isDraining && intake.inHand < capacity.current }
  }

  /// Begins with a share of zero; ``resize(to:)`` sets it going.
  init(pool: PoolConfiguration, attempt: JobAttempt<Ledger>, broker: any JobBroker, silence: Duration) {
    self.pool = pool
    self.attempt = attempt
    let batchKinds = pool.batch == nil ? [] : attempt.workers.filter { $0.value.takesBatches }.map(\.key)
    let intake = JobIntake(
      size: 0, batchKinds: Set(batchKinds), batchSize: pool.batch?.size ?? 1, batchWait: pool.batch?.wait ?? .zero)
    state = Mutex(State(intake: intake, capacity: IntakeCapacity(batchSize: pool.batch?.size ?? 1)))
    subscription = broker.subscribe(pool: pool.name, capacity: 0)
    watchdog = FlowWatchdog(subscription, pool: pool.name, silence: silence, logger: attempt.logger)
  }

  /// True while the broker hands out jobs as wished.
  var isFlowing: Bool { subscription.isFlowing && !watchdog.isStalled }

  /// What this node tells the others of the pool.
  var report: PoolReport {
    state.withLock {
      PoolReport(share: $0.intake.size, inHand: $0.intake.inHand, lastTakenEnqueuedAt: $0.lastTakenEnqueuedAt)
    }
  }

  /// Sets this node's share of the pool's size. Growing takes effect at once; shrinking begins nothing new until enough
  /// has ended.
  ///
  /// - Parameter nodes: how many nodes share the pool, this one included.
  func resize(to share: Int, nodes: Int) {
    attempt.rate?.nodes = nodes
    // The wish goes out with the lock held: an older one must not overtake it.
    let surplus: [JobDelivery]? = state.withLock { state in
      guard state.intake.size != share else { return nil }
      state.intake.size = share
      let capacity = state.capacity.resize(to: share)
      subscription.setCapacity(capacity)
      return state.intake.trim(to: capacity)
    }
    guard let surplus else { return }
    JobMetrics.share(share, pool: pool.name)
    // Jobs held ready for workers that are no more are somebody else's; held for long, the broker would take them back.
    for delivery in surplus { delivery.giveBack() }
    signal.send()
  }

  /// Which kinds are not to be begun from now on.
  func pause(_ kinds: Set<JobKind>) { attempt.paused.set(kinds) }

  /// Lets jobs come back that were put aside and whose kind is paused no longer, some at a time.
  func unpark() async throws {
    while let release = attempt.paused.release(now: CurrentRuntime.now) {
      let count = try await attempt.ledger.unpark(pool: pool.name, except: release.kept, limit: 1_000)
      if count < 1_000 { attempt.paused.released(release, at: CurrentRuntime.now) }
    }
  }

  /// Runs until ``drain()`` was called and all jobs have ended. Cancelling interrupts the running jobs and gives them
  /// back.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.take() }
      group.addTask { await self.watchdog.run { self.state.withLock { $0.wantsMore } } }
      await dispatch()
      group.cancelAll()
    }
  }

  /// Takes nothing more, gives back what has not begun, and lets the rest finish.
  func drain() {
    subscription.cancel()
    let unbegun = state.withLock { $0.intake.drain() }
    for delivery in unbegun { delivery.giveBack() }
    signal.send()
  }

  private func take() async {
    for await deliveries in subscription.deliveries {
      watchdog.arrived()
      let unwanted = state.withLock { state in
        // Without a share nothing would begin them. What was given back when it was lost may have come straight back.
        if state.capacity.current == 0 { return deliveries }
        if case .job(let envelope) = deliveries.last?.content { state.lastTakenEnqueuedAt = envelope.enqueuedAt }
        let unwanted = state.intake.add(deliveries, now: CurrentRuntime.now)
        if let capacity = state.capacity.arrived(sizes: deliveries.lazy.map(\.body.count)) {
          subscription.setCapacity(capacity)
        }
        return unwanted
      }
      for delivery in unwanted { delivery.giveBack() }
      signal.send()
    }
  }

  private func dispatch() async {
    await withDiscardingTaskGroup { group in
      var signals = signal.stream.makeAsyncIterator()
      while true {
        switch state.withLock({ $0.intake.next(now: CurrentRuntime.now) }) {
        case .begin(let deliveries):
          group.addTask {
            await self.attempt.process(deliveries)
            self.state.withLock { $0.intake.finished(deliveries) }
            self.signal.send()
          }
        case .wait(let until):
          if let until {
            group.addTask {
              try? await CurrentRuntime.value.sleep(until: until)
              self.signal.send()
            }
          }
          JobMetrics.inHand(state.withLock { $0.intake.inHand }, pool: pool.name)
          // A cancelled task gets nil: then the running jobs are being interrupted, and draining ends the loop.
          if await signals.next() == nil {
            drain()
            return
          }
        case .finished: return
        }
      }
    }
  }
}
