internal import Foundation
package import Jobs
internal import Synchronization

extension InMemoryJobStore {
  /// Forgets entries; unknown ones are ignored.
  package func deleteFromOutbox(_ jobs: [JobRun]) async throws { try perform(.deleteFromOutbox) { $0.forget(jobs) } }

  /// Hands entries over that no other relay has in hand; returns how many were kept.
  package func relayOutbox(
    olderThan age: Duration, limit: Int, _ publish: @escaping @Sendable ([OutboxEntry]) async -> [JobRun]
  ) async throws -> Int {
    let fault = try fault(for: .relayOutbox)
    let entries = state.withLock { $0.handOver(olderThan: age, limit: limit) }
    let kept = entries.isEmpty ? [] : await publish(entries)
    let forgets = fault?.takesEffect ?? true
    state.withLock { $0.endHandOver(entries, kept: forgets ? kept : []) }
    if let fault { throw fault.error }
    return kept.count
  }

  /// Keeps a job until the store's clock says that it is due.
  package func schedule(_ envelope: JobEnvelope, pool: PoolName, for pause: Duration) async throws {
    try perform(.schedule) { state in
      let dueAt = state.now.addingTimeInterval(pause / .seconds(1))
      state.schedule(ScheduledJob(envelope: envelope, pool: pool, dueAt: dueAt))
    }
  }

  /// Keeps the job for six hours of the store's clock, marked as parked.
  package func park(_ envelope: JobEnvelope, pool: PoolName) async throws {
    try perform(.park) { state in
      state.schedule(
        ScheduledJob(envelope: envelope, pool: pool, dueAt: state.now.addingTimeInterval(6 * 3_600), isParked: true))
    }
  }

  /// Makes parked jobs due.
  package func unpark(pool: PoolName, except paused: Set<JobKind>, limit: Int) async throws -> Int {
    try perform(.unpark) { state in
      let parked = state.scheduled.filter { $1.isParked && $1.pool == pool && !paused.contains($1.envelope.kind) }
        .sorted { $0.value.number < $1.value.number }.prefix(limit)
      for (run, job) in parked {
        var freed = job
        freed.isParked = false
        freed.dueAt = state.now
        state.scheduled[run] = freed
      }
      return parked.count
    }
  }

  /// Moves due jobs to the outbox, the first due first.
  package func releaseDueJobs(limit: Int) async throws -> [OutboxEntry] {
    try perform(.releaseDueJobs) { $0.releaseDue(limit: limit) }
  }

  /// Notes a start, and returns how many were noted.
  package func markStart(_ job: JobRun, node: String) async throws -> Int {
    try perform(.markStart) { state in
      state.starts[job, default: []].append(JobStoreState.Start(node: node, at: state.now))
      return state.starts[job]?.count ?? 0
    }
  }

  /// Forgets the starts of one run.
  package func clearStarts(_ job: JobRun) async throws { try perform(.clearStarts) { $0.starts[job] = nil } }

  /// Runs a call that is over in one step, with the fault that was planned for it.
  private func perform<Value: Sendable>(_ call: JobStoreCall, _ body: (inout JobStoreState) -> Value) throws -> Value {
    try state.withLock { state -> Value in
      let fault = try state.fault(for: call)
      if let fault, !fault.takesEffect { throw fault.error }
      let value = body(&state)
      if let fault { throw fault.error }
      return value
    }
  }
}
