internal import Synchronization

/// A transaction, open while the closure of ``PostgresConnectionPool/withTransaction(deadline:_:)`` runs.
///
/// `BEGIN` is sent with the first statements, and the statements of ``beforeCommit(_:)`` are sent with `COMMIT`.
public struct PostgresTransaction: Sendable {
  private let connection: PostgresConnection
  private let deadline: ContinuousClock.Instant
  /// The session's own bound.
  private let idleTimeout: Duration
  private let state: State

  /// How long a commit may take beyond the deadline: it is not cancelled, for its outcome must be known.
  private static let commitGrace = Duration.seconds(5)

  private final class State: Sendable {
    struct Value {
      var hasBegun = false
      var beforeCommit: [PostgresQuery] = []
    }
    let value = Mutex(Value())
  }

  init(connection: PostgresConnection, deadline: ContinuousClock.Instant, idleTimeout: Duration) {
    self.connection = connection
    self.deadline = deadline
    self.idleTimeout = idleTimeout
    state = State()
  }

  /// Runs the statements in one round trip; a refused one aborts the transaction.
  @discardableResult
  public func run(_ queries: [PostgresQuery]) async throws -> [PostgresResult] {
    let begins = state.value.withLock { value in
      defer { value.hasBegun = true }
      return !value.hasBegun
    }
    guard begins else { return try await connection.run(queries, deadline: deadline) }
    let begin = begin
    return Array(try await connection.run(begin + queries, deadline: deadline).dropFirst(begin.count))
  }

  /// `BEGIN`, and a longer idle bound where the deadline is further away than the session's: a transaction may wait for
  /// another server or a slow worker until then. In whole steps of 10 s, so that there are few statements to prepare.
  private var begin: [PostgresQuery] {
    let left = deadline - .now + Self.commitGrace
    guard left > idleTimeout else { return ["BEGIN"] }
    // PostgreSQL's maximum is 2^31 - 1 ms.
    let seconds = Int(min((left / .seconds(10)).rounded(.up) * 10, 2_000_000))
    return ["BEGIN", "SET LOCAL idle_in_transaction_session_timeout = '\(unsafe: "\(seconds)")s'"]
  }

  /// Runs one statement; a refused one aborts the transaction.
  @discardableResult
  public func query(_ query: PostgresQuery) async throws -> PostgresResult { try await run([query])[0] }

  /// Adds statements that are sent in the same round trip as the commit.
  package func beforeCommit(_ queries: [PostgresQuery]) {
    state.value.withLock { $0.beforeCommit += queries }
  }

  /// Runs `body` in a savepoint, which is rolled back when it throws.
  public func withSavepoint<Value>(_ body: () async throws -> Value) async throws -> Value {
    try await query("SAVEPOINT inner_step")
    do {
      let value = try await body()
      try await query("RELEASE SAVEPOINT inner_step")
      return value
    } catch {
      try await run(["ROLLBACK TO SAVEPOINT inner_step", "RELEASE SAVEPOINT inner_step"])
      throw error
    }
  }

  /// Commits; without a round trip where no statement was run.
  func commit() async throws {
    let (hasBegun, last) = state.value.withLock { ($0.hasBegun, $0.beforeCommit) }
    guard hasBegun || !last.isEmpty else { return }
    let statements = (hasBegun ? [] : ["BEGIN"]) + last + ["COMMIT"]
    let results: [PostgresResult]
    do {
      results = try await connection.run(
        statements, deadline: deadline + Self.commitGrace, isCancellable: false)
    } catch PostgresError.deadlineExceeded {
      throw PostgresError.commitInDoubt
    } catch let error as PostgresError where error.endsSession {
      throw PostgresError.commitInDoubt
    }
    // The server answers the COMMIT of a failed transaction with ROLLBACK, without an error.
    guard results.last?.commits == true else {
      throw PostgresError.server(.init(sqlState: "25P02", constraint: nil, message: "the transaction had failed"))
    }
  }

  /// Rolls back; where that fails the connection is closed, and the server rolls back by itself.
  func rollback() async {
    guard state.value.withLock({ $0.hasBegun }) else { return }
    do {
      try await connection.run(["ROLLBACK"], deadline: .now + .seconds(2), isCancellable: false)
    } catch {
      await connection.close()
    }
  }
}
