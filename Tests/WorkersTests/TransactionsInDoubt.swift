import Jobs
import Postgres
import TestServers

/// The store cannot be reached after a commit in doubt.
struct JobStoreLost: Error {}

/// An attempt's transactions on a database. The answers to the first commits get lost, and those transactions run
/// again.
struct TransactionsInDoubt: AttemptTransactions {
  private let pool: PostgresConnectionPool
  private let lostAnswers: Locked<Int>
  private let retries: Bool
  private var afterFirst: @Sendable () async throws -> Void = {}
  private let isFirst = Locked(true)

  /// - Parameter retries: false: after a lost answer the store cannot be reached.
  init(pool: PostgresConnectionPool, lostAnswers: Int = 0, retries: Bool = true) {
    self.pool = pool
    self.lostAnswers = Locked(lostAnswers)
    self.retries = retries
  }

  /// The same, and runs `body` after the first transaction.
  func after(_ body: @escaping @Sendable () async throws -> Void) -> TransactionsInDoubt {
    var copy = self
    copy.afterFirst = body
    return copy
  }

  func withTransaction<Value: Sendable>(
    _ body: @escaping @Sendable (PostgresTransaction) async throws -> Value
  ) async throws -> Value {
    while true {
      let value = try await pool.withTransaction { try await body($0) }
      let isLost = lostAnswers.change { lost in
        defer { lost = max(0, lost - 1) }
        return lost > 0
      }
      if isLost {
        if retries { continue }
        throw JobStoreLost()
      }
      let isFirst = isFirst.change { isFirst in
        defer { isFirst = false }
        return isFirst
      }
      if isFirst { try await afterFirst() }
      return value
    }
  }

  func complete(_ body: @escaping JobContext<PostgresTransaction>.CompletionBody) async throws -> JobOutcome {
    try await pool.withTransaction { transaction in
      var followUps = FollowUps()
      return try await body(transaction, &followUps)
    }
  }
}
