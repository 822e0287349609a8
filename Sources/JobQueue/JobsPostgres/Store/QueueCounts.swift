package import Jobs
package import Postgres

/// What the store holds, for monitoring.
package struct QueueCounts: Sendable, Equatable {
  /// Scheduled jobs, by pool.
  package var scheduled: [PoolName: Int] = [:]
  /// Open dead letters, by pool.
  package var dead: [PoolName: Int] = [:]
  /// Jobs in the outbox.
  package var outbox = 0
  /// Age of the oldest of them in seconds; nil where there is none, or only redriven ones.
  package var outboxOldestSeconds: Double?

  /// Reads the counts.
  package static func read(_ pool: PostgresConnectionPool) async throws -> QueueCounts {
    let results = try await pool.withConnection { connection in
      try await connection.run([
        "SELECT pool, count(*) FROM jobs.scheduled GROUP BY pool",
        "SELECT pool, count(*) FROM jobs.dead_letter WHERE state = 'open' GROUP BY pool",
        """
        SELECT count(*), extract(epoch FROM now() - min(at) FILTER (WHERE at > '-infinity'))::float8 FROM jobs.outbox
        """,
      ])
    }
    var counts = QueueCounts()
    for row in results[0] { counts.scheduled[PoolName(rawValue: try row.decode(0))] = try row.decode(1, as: Int.self) }
    for row in results[1] { counts.dead[PoolName(rawValue: try row.decode(0))] = try row.decode(1, as: Int.self) }
    if let row = results[2].first {
      counts.outbox = try row.decode(0)
      counts.outboxOldestSeconds = try row.decodeIfPresent(1)
    }
    return counts
  }
}
