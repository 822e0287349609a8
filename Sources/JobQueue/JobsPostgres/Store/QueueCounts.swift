package import Jobs
package import Postgres

/// The figures of the store that monitoring reads.
package struct QueueCounts: Sendable, Equatable {
  package var scheduled: [PoolName: Int] = [:]
  /// Open dead letters.
  package var dead: [PoolName: Int] = [:]
  package var outbox = 0
  /// Age of the oldest outbox row in seconds; nil: there is none, or only those of retried dead letters.
  package var outboxOldestSeconds: Double?
  /// What was accepted and has ended, as of the sweep's last look.
  package var flows: [PoolName: JobFlow] = [:]
  /// Missing jobs, for pools that have any; nil: not known.
  package var missing: [PoolName: Int]?

  package static func read(_ pool: PostgresConnectionPool) async throws -> QueueCounts {
    try await withPortErrors {
      let results = try await pool.withConnection { connection in
        try await connection.run(
          BacklogSnapshot.countQueries + [
            """
            SELECT extract(epoch FROM now() - min(at) FILTER (WHERE at > '-infinity'))::float8 FROM jobs.outbox
            """,
            "SELECT pool, accepted, completed, cancelled, dead FROM jobs.flow_total",
          ])
      }
      let backlog = try BacklogSnapshot(counts: results)
      var counts = QueueCounts()
      for jobs in backlog.scheduled { counts.scheduled[jobs.pool, default: 0] += jobs.count }
      for jobs in backlog.dead { counts.dead[jobs.pool, default: 0] += jobs.count }
      counts.outbox = backlog.outbox.reduce(0) { $0 + $1.count }
      counts.outboxOldestSeconds = try results[BacklogSnapshot.countQueries.count].first?.decodeIfPresent(0)
      counts.flows = try PostgresJobStore.flows(results[BacklogSnapshot.countQueries.count + 1])
      let gaps = try await PostgresGapStore(pool: pool).report()
      if gaps.isCurrent {
        counts.missing = Dictionary(gaps.missing.map { ($0.pool, $0.count) }) { first, _ in first }
      }
      return counts
    }
  }
}
