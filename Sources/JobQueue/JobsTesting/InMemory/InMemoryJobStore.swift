internal import ClientLoop
package import Foundation
package import Jobs
internal import Synchronization

/// A store in memory, for tests of workers and of the engine.
///
/// Completing transactions of one job wait for each other, as they do in PostgreSQL. Faults happen on request:
/// ``fail(next:with:takesEffect:times:)`` and ``isAvailable``.
package final class InMemoryJobStore: JobStore {
  package typealias Transaction = InMemoryTransaction

  package struct Receipt: Sendable, Equatable {
    package enum Outcome: String, Sendable {
      case completed, cancelled, dead
    }

    package let outcome: Outcome
    package let kind: JobKind
    package let pool: PoolName
    /// Why it is cancelled or dead.
    package let reason: String?
  }

  let state = Mutex(JobStoreState())

  package init() {}

  /// Waits for other transactions of the same jobs until the deadline; then it is contention.
  package func complete(
    _ receipts: [JobReceipt], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (InMemoryTransaction, Set<JobRun>) async throws -> Completion
  ) async throws -> Completion? {
    let fault = try fault(for: .complete)
    let open = try await hold(Set(receipts.map(\.jobRun)), until: deadline)
    guard !open.isEmpty else {
      if let fault { throw fault.error }
      return nil
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
      return completion
    }
    state.withLock { $0.commit(completion, of: receipts, open: open, effects: transaction.effects) }
    if let fault { throw fault.error }
    return completion
  }

  package func withTransaction<Value: Sendable>(
    deadline: ContinuousClock.Instant, _ body: @escaping @Sendable (InMemoryTransaction) async throws -> Value
  ) async throws -> Value {
    let fault = try fault(for: .withTransaction)
    let transaction = InMemoryTransaction()
    let value = try await body(transaction)
    if let fault, !fault.takesEffect { throw fault.error }
    try Task.checkCancellation()
    state.withLock { $0.effects += transaction.effects }
    if let fault { throw fault.error }
    return value
  }

  /// The node's clock, shifted by ``advance(by:)``.
  package func now() async throws -> Date {
    if let fault = try fault(for: .now) { throw fault.error }
    return state.withLock { $0.now }
  }

  package func history(of job: JobRun) async throws -> RunHistory {
    if let fault = try fault(for: .history) { throw fault.error }
    return state.withLock { state in
      let starts = state.starts[job] ?? []
      return RunHistory(
        hasReceipt: state.receipts[job] != nil, starts: starts.count,
        timeSinceLastStart: starts.last.map { .seconds(state.now.timeIntervalSince($0.at)) })
    }
  }

  /// The fault that is planned for the call, for the caller to throw at its end; throws at once when the store is
  /// unavailable.
  func fault(for call: JobStoreCall) throws -> JobStoreState.Fault? {
    try state.withLock { state -> JobStoreState.Fault? in
      let fault = try state.fault(for: call)
      if let fault, case .unavailable = fault.error, !fault.takesEffect { throw fault.error }
      return fault
    }
  }

  /// Locks the runs for a transaction, after all others that hold one of them; returns those without a receipt.
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
    // A change between the first try and the registration must not be missed.
    changed.yield()
    for await _ in changes {
      if let open = state.withLock({ $0.hold(jobs) }) { return open }
    }
    try Task.checkCancellation()
    throw JobStoreError.contention
  }
}
