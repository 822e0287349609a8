import Foundation
import Jobs
import JobsPostgres
import Logging
import Messaging
import Postgres
import Reports
import Workers

/// Ends messages that are still open an hour after they expired, so that no message stays open forever.
struct MessageSweeper: Sendable {
  let pool: PostgresConnectionPool
  let store: PostgresJobStore
  /// The pool of ``CountEvent``; nil: queues.yaml has none, and the messages are not counted.
  let countPool: PoolName?
  let now: @Sendable () -> Date
  let logger: Logger

  private static let interval = Duration.seconds(60)
  /// Messages in one transaction.
  private static let limit = 500

  /// Sweeps until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      do {
        while try await sweep() == Self.limit {}
      } catch {
        logger.debug(
          "could not expire overdue messages; tried again in a minute", metadata: ["error": "\(error)"])
      }
      try? await Task.sleep(for: Self.interval)
    }
  }

  private func sweep() async throws -> Int {
    try await pool.withTransaction { transaction in
      let ended = try await MessageStore().expireOverdue(limit: Self.limit, in: transaction)
      guard !ended.isEmpty else { return 0 }
      try await count(ended, in: transaction)
      logger.warning("expired overdue messages", metadata: ["count": "\(ended.count)"])
      return ended.count
    }
  }

  /// Enqueues the counts with the transaction: the reports count exactly the messages that it ends.
  private func count(
    _ ended: [(business: UUID, state: MessageState)], in transaction: PostgresTransaction
  ) async throws {
    let now = now()
    let counters = ended.map { message in
      Counter(
        tenant: message.business, metric: MetricName.messageNotSent.rawValue, detail: message.state.rawValue, at: now)
    }
    let counts = Dictionary(counters.map { ($0, 1) }, uniquingKeysWith: +)
    guard let countPool, let envelope = try CountEvent.envelope(of: counts, [], at: now) else { return }
    try await store.enqueue([OutboxEntry(envelope: envelope, pool: countPool)], in: transaction)
  }
}
