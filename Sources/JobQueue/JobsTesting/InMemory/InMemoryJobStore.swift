internal import ClientLoop
package import Foundation
package import Jobs
internal import Synchronization

/// A store in memory, for tests of workers and of the engine.
///
/// Completing transactions of the same job wait for each other, as they do on PostgreSQL. Troubles come when a test asks
/// for them: ``fail(next:with:takesEffect:times:)`` and ``isAvailable``.
package final class InMemoryJobStore: JobStore {
  /// What effects go through.
  package typealias Transaction = InMemoryTransaction

  /// How a job's run ended.
  package struct Receipt: Sendable, Equatable {
    /// The ways a run can end.
    package enum Outcome: String, Sendable {
      case completed, cancelled, dead
    }

    /// How it ended.
    package let outcome: Outcome
    /// The job's kind.
    package let kind: JobKind
    /// The pool that completed it.
    package let pool: PoolName
    /// Why it was cancelled, or died.
    package let reason: String?
  }

  let state = Mutex(JobStoreState())

  /// An empty store.
  package init() {}

  /// Waits for other transactions of the same jobs, until the deadline; then receipts come first.
  package func complete(
    _ receipts: [JobReceipt], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (InMemoryTransaction, Set<JobRun>) async throws -> Completion
  ) async throws -> [OutboxEntry] {
    let fault = try fault(for: .complete)
    let open = try await hold(Set(receipts.map(\.jobRun)), until: deadline)
    guard !open.isEmpty else {
      if let fault { throw fault.error }
      return []
    }
    let transaction = InMemoryTransaction()
    let completion: Completion
    do {
      completion = try await body(transaction, open)
      if let fault, !fault.takesEffect || completion.rollsBack { throw fault.error }
      if !completion.rollsBack { try Task.checkCancellation() }
    } catch {
      state.withLock { $0.rollBack(open) }
      throw error
    }
    guard !completion.rollsBack else {
      state.withLock { $0.rollBack(open) }
      return []
    }
    state.withLock { $0.commit(completion, of: receipts, open: open, effects: transaction.effects) }
    if let fault { throw fault.error }
    return completion.followUps.filter { $0.dueAt == nil }.map { OutboxEntry(envelope: $0.envelope, pool: $0.pool) }
  }

  /// Runs a transaction that holds no job; its effects stay unless it throws.
  package func withTransaction(
    deadline: ContinuousClock.Instant, _ body: @escaping @Sendable (InMemoryTransaction) async throws -> Void
  ) async throws {
    let fault = try fault(for: .withTransaction)
    let transaction = InMemoryTransaction()
    try await body(transaction)
    if let fault, !fault.takesEffect { throw fault.error }
    try Task.checkCancellation()
    state.withLock { $0.effects += transaction.effects }
    if let fault { throw fault.error }
  }

  /// The node's clock, as far as ``advance(by:)`` has put it forward, or back.
  package func now() async throws -> Date {
    if let fault = try fault(for: .now) { throw fault.error }
    return state.withLock { $0.now }
  }

  /// Looks for the run's receipt and its noted starts.
  package func history(of job: JobRun) async throws -> RunHistory {
    if let fault = try fault(for: .history) { throw fault.error }
    return state.withLock { state in
      let starts = state.starts[job] ?? []
      return RunHistory(
        hasReceipt: state.receipts[job] != nil, starts: starts.count,
        timeSinceLastStart: starts.last.map { .seconds(state.now.timeIntervalSince($0.at)) })
    }
  }

  /// The fault that was planned for the call, to be thrown at its end; a store that is away throws at once.
  func fault(for call: JobStoreCall) throws -> JobStoreState.Fault? {
    try state.withLock { state -> JobStoreState.Fault? in
      let fault = try state.fault(for: call)
      if let fault, case .unavailable = fault.error, !fault.takesEffect { throw fault.error }
      return fault
    }
  }

  /// Takes the jobs for a transaction, after all others that hold one of them; returns those without a receipt.
  func hold(_ jobs: Set<JobRun>, until deadline: ContinuousClock.Instant) async throws -> Set<JobRun> {
    if let open = state.withLock({ $0.hold(jobs) }) { return open }
    let (changes, changed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let id = state.withLock { state in
      let id = state.nextNumber()
      state.waiters[id] = changed
      return id
    }
    let timeProvider = TimeSource.value
    let clock = Task(executorPreference: timeProvider.executor) {
      try? await timeProvider.sleep(until: deadline)
      changed.finish()
    }
    defer {
      clock.cancel()
      state.withLock { $0.waiters[id] = nil }
    }
    // A change between the first look and the registration must not be missed.
    changed.yield()
    for await _ in changes {
      if let open = state.withLock({ $0.hold(jobs) }) { return open }
    }
    try Task.checkCancellation()
    throw DeadlinePassed()
  }

  /// Thrown by calls that waited for another transaction until their deadline.
  package struct DeadlinePassed: Error, CustomStringConvertible {
    /// What happened, for the reader of a test's failure.
    package var description: String { "another transaction held the job until the deadline" }
  }
}
