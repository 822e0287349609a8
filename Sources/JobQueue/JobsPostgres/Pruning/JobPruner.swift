package import Foundation
package import Postgres

/// Deletes rows that the store no longer needs, without delaying completing transactions.
///
/// Receipts are dropped with their partition, a week at a time. Those in the default partition (of ids that are not
/// UUIDv7, and of jobs older than the oldest partition), retried and archived dead letters, start markers and audit
/// rows are deleted in short transactions. `outbox`, `scheduled` and open dead letters are never pruned: their rows are
/// jobs, and a job whose pool is gone must stay visible.
///
/// Creating or dropping a partition needs a lock that conflicts with completing transactions. It is waited for at most
/// 50 ms, because they queue behind it meanwhile; then the partition is left to a later round. The statements of such a
/// transaction are sent together, so that it never holds its lock while it waits for this process.
package struct JobPruner: Sendable {
  private let configuration: PostgresConfiguration
  private let retention: Retention

  /// Arbitrary, and the same in every process of the platform: the letters "prune".
  private static let lockKey = 0x70_72_75_6e_65
  private static let lockTimeout = Duration.milliseconds(50)

  package struct Summary: Sendable, Equatable {
    /// True: another process was pruning, and nothing was done.
    package var wasSkipped = false
    /// True: rows that may be deleted are left, and another round should follow soon.
    package var hasMore = false
    package var partitionsCreated = 0
    /// Rows that are still needed were moved to the default partition; all others are deleted.
    package var partitionsDropped = 0
    /// Partitions that were to be created or dropped and were not: a lock was not free in time, or more than 1,000 of a
    /// partition's receipts are still needed.
    package var partitionsPostponed = 0
    /// Those deleted from the default partition.
    package var receipts = 0
    package var deadLetters = 0
    package var startMarkers = 0
    package var auditRows = 0

    package var hasChanges: Bool {
      partitionsCreated + partitionsDropped + receipts + deadLetters + startMarkers + auditRows > 0
    }
  }

  /// Each round opens a connection of its own, outside all connection pools.
  package init(_ configuration: PostgresConfiguration, retention: Retention = .init()) {
    var configuration = configuration
    configuration.lockTimeout = Self.lockTimeout
    self.configuration = configuration
    self.retention = retention
  }

  /// Does one round: some seconds at most, and 50,000 rows of each table. Of several processes one does it.
  ///
  /// Throws ``PostgresError``; what the round did before stays done.
  ///
  /// - Parameter now: the instant that ages are counted to; nil: the server's clock, so that a node whose clock is
  ///   wrong deletes nothing too early.
  package func prune(now: Date? = nil) async throws -> Summary {
    let connection = try await PostgresConnection.connect(configuration)
    do {
      let pruned = try await prune(now, connection)
      await connection.close()
      return pruned
    } catch {
      await connection.close()  // which ends an open transaction, and releases the lock
      throw error
    }
  }

  private func prune(_ now: Date?, _ connection: PostgresConnection) async throws -> Summary {
    let row = try await connection.query(
      "SELECT pg_try_advisory_lock(\(Self.lockKey)::bigint), clock_timestamp()")[0]
    guard try row.decode(0, as: Bool.self) else { return Summary(wasSkipped: true) }
    var round = PruningRound(
      connection: connection, retention: retention, now: try now ?? row.decode(1, as: Date.self))
    try await round.run()
    try await connection.query("SELECT pg_advisory_unlock(\(Self.lockKey)::bigint)")
    return round.pruned
  }
}
