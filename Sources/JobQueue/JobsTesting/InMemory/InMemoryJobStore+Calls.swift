internal import Foundation
package import Jobs
internal import Synchronization

extension InMemoryJobStore {
  package func deleteFromOutbox(_ jobs: [JobRun]) async throws {
    try perform(.deleteFromOutbox) { $0.deleteFromOutbox(jobs) }
  }

  package func relayOutbox(
    olderThan age: Duration, limit: Int, _ publish: @escaping @Sendable ([OutboxEntry]) async -> [JobRun]
  ) async throws -> Int {
    let fault = try fault(for: .relayOutbox)
    let entries = state.withLock { $0.beginRelay(olderThan: age, limit: limit) }
    let published = entries.isEmpty ? [] : await publish(entries)
    let deletes = fault?.takesEffect ?? true
    state.withLock { $0.endRelay(entries, published: deletes ? published : []) }
    if let fault { throw fault.error }
    return published.count
  }

  package func schedule(_ envelope: JobEnvelope, pool: PoolName, after delay: Duration) async throws {
    try perform(.schedule) { state in
      let dueAt = state.now.addingTimeInterval(delay / .seconds(1))
      state.schedule(ScheduledJob(envelope: envelope, pool: pool, dueAt: dueAt))
    }
  }

  package func park(_ envelope: JobEnvelope, pool: PoolName) async throws {
    try perform(.park) { state in
      state.schedule(
        ScheduledJob(envelope: envelope, pool: pool, dueAt: state.now.addingTimeInterval(6 * 3_600), isParked: true))
    }
  }

  package func unpark(pool: PoolName, except paused: Set<JobKind>, limit: Int) async throws -> Int {
    try perform(.unpark) { state in
      let parked = state.scheduled.filter { $1.isParked && $1.pool == pool && !paused.contains($1.envelope.kind) }
        .sorted { $0.value.number < $1.value.number }.prefix(limit)
      for (run, job) in parked {
        var unparked = job
        unparked.isParked = false
        unparked.dueAt = state.now
        state.scheduled[run] = unparked
      }
      return parked.count
    }
  }

  package func releaseDueJobs(limit: Int) async throws -> [OutboxEntry] {
    try perform(.releaseDueJobs) { $0.releaseDue(limit: limit) }
  }

  package func markStart(_ job: JobRun, node: String) async throws -> Int {
    try perform(.markStart) { state in
      state.starts[job, default: []].append(JobStoreState.Start(node: node, at: state.now))
      return state.starts[job]?.count ?? 0
    }
  }

  package func clearStarts(_ job: JobRun) async throws { try perform(.clearStarts) { $0.starts[job] = nil } }

  /// Runs a call of one step, with the fault that is planned for it.
  func perform<Value: Sendable>(_ call: JobStoreCall, _ body: (inout JobStoreState) -> Value) throws -> Value {
    try state.withLock { state -> Value in
      let fault = try state.fault(for: call)
      if let fault, !fault.takesEffect { throw fault.error }
      let value = body(&state)
      if let fault { throw fault.error }
      return value
    }
  }
}
