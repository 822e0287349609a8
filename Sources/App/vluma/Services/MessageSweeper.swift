import Foundation
import Jobs
import Logging
import Messaging
import Postgres
import Reports

/// Ends messages that no job looks after any more, once a minute: nothing stays open for ever.
struct MessageSweeper: Sendable {
  let pool: PostgresConnectionPool
  let now: @Sendable () -> Date
  let logger: Logger

  /// Between two sweeps; a message is an hour out of time by then.
  private static let interval = Duration.seconds(60)
  /// In one transaction.
  private static let limit = 500

  /// Sweeps until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      do {
        while try await sweep() == Self.limit {}
      } catch {
        logger.debug("messages cannot be swept now", metadata: ["error": "\(error)"])
      }
      try? await Task.sleep(for: Self.interval)
    }
  }

  private func sweep() async throws -> Int {
    try await pool.withTransaction { transaction in
      let ended = try await MessageStore().expireOverdue(limit: Self.limit, in: transaction)
      let minute = Counter(tenant: nil, metric: "", at: now()).minute
      try await RollupStore().add(
        ended.map {
          .init(
            business: $0.business, metric: MetricName.messageNotSent.rawValue, detail: $0.state.rawValue,
            minute: minute,
            count: 1)
        }, in: transaction)
      if !ended.isEmpty { logger.warning("messages were given up", metadata: ["count": "\(ended.count)"]) }
      return ended.count
    }
  }
}
