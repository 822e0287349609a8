package import Jobs
internal import Synchronization

extension InMemoryJobStore {
  package func recordAccepted(_ jobs: [AcceptedJob]) async throws -> Int {
    try perform(.recordAccepted) { state in jobs.filter { state.recordAccepted($0) }.count }
  }

  /// Nothing is recorded while its run ends here, so there is nothing to remove.
  package func sweepAccepted(thoroughly: Bool) async throws -> [PoolName: JobFlow] {
    try perform(.sweepAccepted) { $0.flows }
  }

  /// The jobs that the broker holds and that have not ended, as far as they are recorded; by age of the job.
  package var acceptedJobs: [AcceptedJob] {
    state.withLock { $0.accepted.values.map(\.job).sorted { $0.envelope.id < $1.envelope.id } }
  }

  /// How many runs were accepted and have ended.
  package var flows: [PoolName: JobFlow] { state.withLock { $0.flows } }
}

extension JobStoreState {
  /// False: the run has ended, or is recorded already.
  mutating func recordAccepted(_ job: AcceptedJob) -> Bool {
    let run = job.envelope.jobRun
    guard receipts[run] == nil, accepted[run] == nil else { return false }
    accepted[run] = AcceptedRow(job: job, counts: !job.envelope.isCounted)
    if !job.envelope.isCounted { count(JobFlow(accepted: 1), in: job.pool) }
    return true
  }

  /// Counts the end of a run, and its acceptance where nobody has; one that was recorded for another pool is counted
  /// for this one.
  mutating func end(_ run: JobRun, in pool: PoolName, isCounted: Bool, _ outcome: JobFlow) {
    count(outcome, in: pool)
    if let row = accepted.removeValue(forKey: run) {
      guard row.job.pool != pool else { return }
      count(JobFlow(accepted: -1), in: row.job.pool)
      count(JobFlow(accepted: 1), in: pool)
    } else if !isCounted {
      count(JobFlow(accepted: 1), in: pool)
    }
  }

  mutating func count(_ change: JobFlow, in pool: PoolName) { flows[pool] = flows[pool, default: JobFlow()] + change }
}
