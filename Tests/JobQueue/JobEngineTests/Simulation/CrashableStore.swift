import Foundation
import Jobs
import JobsTesting

/// A store with random delays, whose calls fail once the node has crashed, before or after they took effect.
struct CrashableStore: JobStore {
  let store: InMemoryJobStore
  let crashSwitch: CrashSwitch

  private func call<Value>(_ body: () async throws -> Value) async throws -> Value {
    try await crashSwitch.delayOrFail()
    let value = try await body()
    try await crashSwitch.delayOrFail()
    return value
  }

  func complete(
    _ receipts: [JobReceipt], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (InMemoryTransaction, Set<JobRun>) async throws -> Completion
  ) async throws -> Completion? {
    try await call {
      try await store.complete(receipts, deadline: deadline) { transaction, open in
        try await crashSwitch.delayOrFail()
        let completion = try await body(transaction, open)
        try await crashSwitch.delayOrFail()
        return completion
      }
    }
  }
  func withTransaction<Value: Sendable>(
    deadline: ContinuousClock.Instant, _ body: @escaping @Sendable (InMemoryTransaction) async throws -> Value
  ) async throws -> Value { try await call { try await store.withTransaction(deadline: deadline, body) } }
  func now() async throws -> Date { try await call { try await store.now() } }
  func history(of job: JobRun) async throws -> RunHistory { try await call { try await store.history(of: job) } }
  func recordAccepted(_ jobs: [AcceptedJob]) async throws -> Int {
    try await call { try await store.recordAccepted(jobs) }
  }
  func sweepAccepted(thoroughly: Bool) async throws -> [PoolName: JobFlow] {
    try await call { try await store.sweepAccepted(thoroughly: thoroughly) }
  }
  func deleteFromOutbox(_ jobs: [JobRun]) async throws { try await call { try await store.deleteFromOutbox(jobs) } }
  func relayOutbox(
    olderThan age: Duration, limit: Int, _ publish: @escaping @Sendable ([OutboxEntry]) async -> [JobRun]
  ) async throws -> Int {
    try await call {
      try await store.relayOutbox(olderThan: age, limit: limit) { entries in
        let enqueued = await publish(entries)
        // A transaction that a crash interrupts deletes nothing.
        return crashSwitch.hasCrashed ? [] : enqueued
      }
    }
  }
  func schedule(_ envelope: JobEnvelope, pool: PoolName, after delay: Duration) async throws {
    try await call { try await store.schedule(envelope, pool: pool, after: delay) }
  }
  func park(_ envelope: JobEnvelope, pool: PoolName) async throws {
    try await call { try await store.park(envelope, pool: pool) }
  }
  func unpark(pool: PoolName, except paused: Set<JobKind>, limit: Int) async throws -> Int {
    try await call { try await store.unpark(pool: pool, except: paused, limit: limit) }
  }
  func releaseDueJobs(limit: Int) async throws -> [OutboxEntry] {
    try await call { try await store.releaseDueJobs(limit: limit) }
  }
  func markStart(_ job: JobRun, node: String) async throws -> Int {
    try await call { try await store.markStart(job, node: node) }
  }
  func clearStarts(_ job: JobRun) async throws { try await call { try await store.clearStarts(job) } }
}
