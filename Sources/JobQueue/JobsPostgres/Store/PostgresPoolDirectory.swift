internal import Foundation
package import Jobs
package import Logging
package import Postgres

/// The pool directory on PostgreSQL. Changes are announced by NOTIFY, outside of any job's transaction.
package struct PostgresPoolDirectory: PoolDirectory {
  private let pool: PostgresConnectionPool
  private let logger: Logger
  private static let channel = "vluma_pools"

  /// Uses the pool's connections, and for ``watch(_:)`` one more of its own.
  package init(pool: PostgresConnectionPool, logger: Logger) {
    self.pool = pool
    self.logger = logger
  }

  /// Renews the lease and reads settings and live nodes, all in one round trip. The lease ends by the server's clock;
  /// leases that ended an hour ago are deleted. A node that was not there before is announced to the others.
  package func renewLease(
    _ node: NodeReport, lease: Duration
  ) async throws -> (settings: [PoolName: PoolSetting], nodes: [NodeReport]) {
    let pools = String(decoding: try JSONEncoder().encode(node.pools), as: UTF8.self)
    let resources = try node.resources.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
    let results = try await withPortErrors {
      try await pool.withConnection { connection in
        // A new node changes the local concurrency of all others.
        try await connection.run(
          [
            """
            WITH old AS (SELECT pools FROM jobs.node WHERE id = \(node.id)),
            put AS (
              INSERT INTO jobs.node (id, started_at, lease_until, pools, resources)
              VALUES (\(node.id), \(node.startedAt), now() + make_interval(secs => \(lease / .seconds(1))),
                \(pools)::jsonb, \(resources)::jsonb)
              ON CONFLICT (id) DO UPDATE
              SET lease_until = excluded.lease_until, pools = excluded.pools, resources = excluded.resources)
            SELECT CASE WHEN NOT EXISTS (SELECT FROM old) THEN pg_notify(\(Self.channel), 'node')::text END
            """,
            "DELETE FROM jobs.node WHERE lease_until < now() - interval '1 hour'",
          ] + Self.overviewQueries)
      }
    }
    return try Self.overview(Array(results.suffix(2)))
  }

  /// Deletes the lease and announces that. A lease that is gone already is not announced: a node that watches and
  /// releases would trigger itself for ever.
  package func releaseLease(_ node: String) async throws {
    _ = try await withPortErrors {
      try await pool.query(
        """
        WITH gone AS (DELETE FROM jobs.node WHERE id = \(node) RETURNING id)
        SELECT pg_notify(\(Self.channel), 'node')::text FROM gone
        """)
    }
  }

  /// Reads settings and live nodes in one round trip. Nodes are sorted by id; a pool without a setting is missing.
  package func overview() async throws -> (settings: [PoolName: PoolSetting], nodes: [NodeReport]) {
    try Self.overview(
      try await withPortErrors { try await pool.withConnection { try await $0.run(Self.overviewQueries) } })
  }

  /// The reports of live nodes, and of those whose lease has ended in the last so many seconds without being given up:
  /// the broker gives their jobs to others only when it has noticed that they are silent.
  package func reports(silentFor seconds: Int) async throws -> [NodeReport] {
    try await withPortErrors {
      try await pool.query(
        """
        SELECT id, started_at, pools::text, resources::text FROM jobs.node
        WHERE lease_until > now() - make_interval(secs => \(seconds)) ORDER BY id
        """
      ).map(Self.report)
    }
  }

  private static func report(_ row: PostgresRow) throws -> NodeReport {
    let pools = try JSONDecoder().decode(
      [String: PoolReport].self, from: Data(try row.decode(2, as: String.self).utf8))
    // What another version wrote and this one cannot read is unknown: it must cost nobody the lease.
    let resources = try row.decodeIfPresent(3, as: String.self).flatMap {
      try? JSONDecoder().decode(NodeResources.self, from: Data($0.utf8))
    }
    return NodeReport(id: try row.decode(0), startedAt: try row.decode(1), pools: pools, resources: resources)
  }

  private static let overviewQueries: [PostgresQuery] = [
    "SELECT size, paused, to_json(paused_kinds)::text, pool FROM jobs.pool_setting",
    "SELECT id, started_at, pools::text, resources::text FROM jobs.node WHERE lease_until > now() ORDER BY id",
  ]

  private static func overview(
    _ results: [PostgresResult]
  ) throws -> (settings: [PoolName: PoolSetting], nodes: [NodeReport]) {
    var settings: [PoolName: PoolSetting] = [:]
    for row in results[0] {
      settings[try row.poolName(3)] = try setting(row)
    }
    return (settings, try results[1].map(report))
  }

  /// Reads `size, paused, to_json(paused_kinds)::text` from the first columns.
  private static func setting(_ row: PostgresRow) throws -> PoolSetting {
    let kinds = try JSONDecoder().decode([String].self, from: Data(try row.decode(2, as: String.self).utf8))
    return PoolSetting(
      size: try row.decodeIfPresent(0), isPaused: try row.decode(1),
      pausedKinds: Set(kinds.map(JobKind.init(rawValue:))))
  }

  /// Changes the setting in one transaction, with its row locked, an audit row that says what it was and is, and a
  /// notification that goes out with the commit. `change` runs once.
  package func change(
    _ name: PoolName, by who: String, _ change: @escaping @Sendable (inout PoolSetting) -> Void
  ) async throws -> PoolSetting {
    try await withPortErrors {
      try await pool.withTransaction { transaction in
        // The update locks a row that exists, and returns it; the row is written even where nothing changes.
        let row = try await transaction.query(
          """
          INSERT INTO jobs.pool_setting (pool) VALUES (\(name.rawValue))
          ON CONFLICT (pool) DO UPDATE SET pool = excluded.pool
          RETURNING size, paused, to_json(paused_kinds)::text
          """)[0]
        let before = try Self.setting(row)
        var after = before
        change(&after)
        try await transaction.run([
          """
          UPDATE jobs.pool_setting
          SET size = \(after.size), paused = \(after.isPaused),
              paused_kinds = \(after.pausedKinds.map(\.rawValue).sorted())::text[]
          WHERE pool = \(name.rawValue)
          """,
          """
          INSERT INTO jobs.audit (who, action, target, before, after)
          VALUES (\(who), 'pool.set', \(name.rawValue), \(Self.describe(before)), \(Self.describe(after)))
          """,
          "SELECT pg_notify(\(Self.channel), \(name.rawValue))::text",
        ])
        return after
      }
    }
  }

  private static func describe(_ setting: PoolSetting) -> String {
    let kinds = setting.pausedKinds.map(\.rawValue).sorted()
    return "size \(setting.size.map(String.init) ?? "from queues.yaml")" + (setting.isPaused ? ", paused" : "")
      + (kinds.isEmpty ? "" : ", paused kinds: \(kinds.joined(separator: ", "))")
  }

  /// Listens for notifications on a connection of its own, which is opened again when it breaks. `changed` is also
  /// called each time it is open again, for changes that were missed meanwhile.
  package func watch(_ changed: @escaping @Sendable () async -> Void) async {
    let listener = PostgresListener(pool.configuration, channels: [Self.channel], logger: logger)
    await listener.run { _ in await changed() }
  }
}
