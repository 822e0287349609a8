package import Foundation
package import Postgres

/// Deletes what the store need not remember any more, without holding up the transactions that close jobs.
///
/// Receipts go with their partition, a week at a time. Those in the default partition (of ids that are no UUIDv7, and
/// of jobs older than the oldest partition), dead letters that were dealt with, start markers and audit rows are
/// deleted row by row, in short transactions. `outbox`, `scheduled` and open dead letters are never pruned: their rows
/// are jobs, and one whose pool is gone must stay in sight.
///
/// Making or dropping a partition needs a lock that completing transactions are in the way of. It is waited for at most
/// 50 ms, because meanwhile they queue up behind; then the partition waits for a later round. Everything such a
/// transaction does is sent at once, so that it never holds its lock while it waits for this process.
package struct JobPruner: Sendable {
  private let configuration: PostgresConfiguration
  private let retention: Retention

  /// Arbitrary, and the same in every process of the platform: the letters "prune".
  private static let lockKey = 0x70_72_75_6e_65
  private static let lockTimeout = Duration.milliseconds(50)

  /// What a round did.
  package struct Summary: Sendable, Equatable {
    /// True where another process was pruning; then nothing else was done.
    package var wasSkipped = false
    /// True where rows are left that may go: another round should follow soon.
    package var hasMore = false
    /// Partitions of receipts made ahead.
    package var partitionsCreated = 0
    /// Partitions of receipts dropped, with all their rows but those that are still needed.
    package var partitionsDropped = 0
    /// Partitions that were due to be made or dropped and were not: a lock was not to be had in time, or more than
    /// 1,000 of a partition's receipts are still needed.
    package var partitionsPostponed = 0
    /// Receipts deleted from the default partition.
    package var receipts = 0
    /// Dead letters deleted.
    package var deadLetters = 0
    /// Start markers deleted.
    package var startMarkers = 0
    /// Audit rows deleted.
    package var auditRows = 0

    /// True where something was deleted or made.
    package var hasChanges: Bool {
      partitionsCreated + partitionsDropped + receipts + deadLetters + startMarkers + auditRows > 0
    }
  }

  /// Prepares to prune. Each round has a connection of its own, beside all pools.
  package init(_ configuration: PostgresConfiguration, retention: Retention = .init()) {
    var configuration = configuration
    configuration.lockTimeout = Self.lockTimeout
    self.configuration = configuration
    self.retention = retention
  }

  /// Does one round: some seconds at most, with 50,000 rows of a table at most. Of several processes one does it.
  ///
  /// Throws ``PostgresError``; what the round did before stays done.
  ///
  /// - Parameter now: the instant that ages are counted to; nil: what the server's clock says, so that no node whose
  ///   clock is wrong can delete what is young.
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
