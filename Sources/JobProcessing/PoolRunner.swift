internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization

/// Runs one pool on this node: takes jobs while there is room, begins as many as its share allows, and drains when
/// told.
final class PoolRunner<Ledger: JobLedger>: Sendable {
  let pool: PoolConfiguration
  private let attempt: JobAttempt<Ledger>
  private let subscription: any JobSubscription
  private let state: Mutex<State>
  private let signal = Signal()

  private struct State {
    var intake: JobIntake
    var lastTakenEnqueuedAt: Date?
  }

  /// Begins with a share of zero; ``resize(to:)`` sets it going.
  init(pool: PoolConfiguration, attempt: JobAttempt<Ledger>, broker: any JobBroker) {
    self.pool = pool
    self.attempt = attempt
    let batchKinds = pool.batch == nil ? [] : attempt.workers.filter { $0.value.takesBatches }.map(\.key)
    let intake = JobIntake(
      size: 0, batchKinds: Set(batchKinds), batchSize: pool.batch?.size ?? 1, batchWait: pool.batch?.wait ?? .zero)
    state = Mutex(State(intake: intake))
    subscription = broker.subscribe(pool: pool.name, capacity: 0)
  }

  /// True while the broker hands out jobs as wished.
  var isFlowing: Bool { subscription.isFlowing }

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
    let changed = state.withLock { state in
      defer { state.intake.size = share }
      return state.intake.size != share
    }
    guard changed else { return }
    JobMetrics.share(share, pool: pool.name)
    subscription.setCapacity(capacity(for: share))
    // Jobs held ready for workers that are no more are somebody else's; held for long, the broker would take them back.
    for delivery in state.withLock({ $0.intake.trim(to: capacity(for: share)) }) { delivery.giveBack() }
    signal.send()
  }

  /// Jobs to hold ready: those that run, and as many again (at least one batch) so that no worker waits for the broker.
  /// 2,000 is where a single consumer gains nothing from more.
  private func capacity(for share: Int) -> Int {
    guard share > 0 else { return 0 }
    return min(2_000, share * (pool.batch?.size ?? 1) * 2)
  }

  /// Runs until ``drain()`` was called and all jobs have ended. Cancelling interrupts the running jobs and gives them
  /// back.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.take() }
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
      let unwanted = state.withLock { state in
        if case .job(let envelope) = deliveries.last?.content { state.lastTakenEnqueuedAt = envelope.enqueuedAt }
        return state.intake.add(deliveries, now: .now)
      }
      for delivery in unwanted { delivery.giveBack() }
      signal.send()
    }
  }

  private func dispatch() async {
    await withDiscardingTaskGroup { group in
      var signals = signal.stream.makeAsyncIterator()
      while true {
        switch state.withLock({ $0.intake.next(now: .now) }) {
        case .begin(let deliveries):
          group.addTask {
            await self.attempt.process(deliveries)
            self.state.withLock { $0.intake.finished(jobs: deliveries.count) }
            self.signal.send()
          }
        case .wait(let until):
          if let until {
            group.addTask {
              try? await ContinuousClock().sleep(until: until)
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
