import Postgres
import RabbitMQ
import TestServers

extension Platform {
  /// Waits until no job is queued, in the outbox, scheduled or running, and every pool adds up: as many runs have ended
  /// as were accepted. Nodes report running jobs once a second, so the platform must look idle for longer than that.
  package func waitUntilIdle(within limit: Duration = .seconds(40)) async throws {
    var idleSince: ContinuousClock.Instant?
    do {
      try await eventually(within: limit, "all jobs have ended") {
        guard try await self.pendingJobs().isEmpty else {
          idleSince = nil
          return false
        }
        if idleSince == nil { idleSince = .now }
        return idleSince.map { $0 + .seconds(2) < .now } ?? false
      }
    } catch is TestError {
      throw TestError(
        description: "not within \(limit): all jobs of \(name) have ended; there are \(try await pendingJobs())")
    }
    // Deletions from the outbox and records of accepted jobs are a moment late.
    do {
      try await eventually(within: .seconds(10), "all pools add up") { try await self.openRuns().isEmpty }
    } catch is TestError {
      throw TestError(description: "accepted minus ended runs, though \(name) is idle: \(try await openRuns())")
    }
  }

  /// Accepted minus ended runs of each pool, where that is not zero.
  package func openRuns() async throws -> [String: Int] {
    // A run that ended while it was recorded is counted as accepted twice, until a worker sweeps.
    let rows = try await pool.query(
      """
      SELECT pool, sum(open)::bigint FROM (
        SELECT pool, accepted - completed - cancelled - dead AS open FROM jobs.flow_total
        UNION ALL SELECT pool, accepted - completed - cancelled - dead FROM jobs.flow
        UNION ALL SELECT it.pool, -1 FROM jobs.accepted AS it JOIN jobs.receipt USING (job_id, run) WHERE it.counts
      ) AS counted GROUP BY pool HAVING sum(open) <> 0
      """)
    return try Dictionary(uniqueKeysWithValues: rows.map { (try $0.decode(0), try $0.decode(1)) })
  }

  /// Waits until every message has its final state. Messages in doubt need later webhooks, so a customer writes
  /// meanwhile.
  package func waitUntilMessagesSettle(within limit: Duration = .seconds(90)) async throws {
    try await eventually(within: limit, every: .seconds(1), "all messages have ended") {
      try await self.sandbox?.sendText("Obrigado!", from: "5511999990000")
      return try await self.number(
        "SELECT count(*) FROM messaging.message WHERE state IN ('prepared', 'sending', 'in_doubt')") == 0
    }
  }

  /// The number of pending jobs, by place.
  private func pendingJobs() async throws -> [String: Int] {
    var pending: [String: Int] = [:]
    let rows = try await pool.query(
      """
      SELECT 'outbox', count(*) FROM jobs.outbox UNION ALL SELECT 'scheduled', count(*) FROM jobs.scheduled UNION ALL
      SELECT 'running on ' || node.id || ': ' || pool.key, (pool.value ->> 'running')::bigint
      FROM jobs.node, jsonb_each(pools) AS pool WHERE lease_until > now()
      """)
    for row in rows { pending[try row.decode(0)] = try row.decode(1, as: Int.self) }
    try await RabbitMQAdministration.with(rabbitMQ) { broker in
      for queue in queues { pending[queue] = try await broker.queueDepth(queue)?.messages ?? 0 }
    }
    return pending.filter { $0.value != 0 }
  }
}
