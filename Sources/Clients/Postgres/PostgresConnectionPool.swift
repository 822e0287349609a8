internal import ClientLoop
internal import Synchronization

/// A bounded set of connections, opened when they are needed and kept.
///
/// Where all of them are leased a caller waits, in order of arrival, until its deadline. Broken connections are
/// replaced, so the first caller after an outage of the server gets a new one.
package final class PostgresConnectionPool: Sendable {
  package let configuration: PostgresConfiguration
  private let size: Int

  private struct State {
    var idle: [PostgresConnection] = []
    var isClosed = false
  }
  private let state = Mutex(State())
  /// A permit is the right to lease one connection. A lease takes an idle connection or, where there is none, opens
  /// one: so there are never more connections than permits.
  private let permits: AsyncSemaphore

  /// - Parameter size: the most connections the pool opens, 1 to 200; they are opened when they are needed.
  package init(_ configuration: PostgresConfiguration, size: Int = 8) {
    precondition((1...200).contains(size), "a pool has 1 to 200 connections")
    self.configuration = configuration
    self.size = size
    permits = AsyncSemaphore(permits: size)
  }

  /// Leases a connection for the duration of `body`.
  ///
  /// - Parameter deadline: how long to wait for a connection; nil: 10 s from now.
  @discardableResult
  package func withConnection<Value>(
    deadline: ContinuousClock.Instant? = nil, _ body: (PostgresConnection) async throws -> Value
  ) async throws -> Value {
    let connection = try await acquire(deadline: deadline ?? .now + PostgresConnection.defaultTimeout)
    do {
      let value = try await body(connection)
      await release(connection)
      return value
    } catch {
      await release(connection)
      throw error
    }
  }

  /// Runs one statement on any connection, in a transaction of its own.
  @discardableResult
  package func query(_ query: PostgresQuery, deadline: ContinuousClock.Instant? = nil) async throws -> PostgresResult {
    try await withConnection(deadline: deadline) { try await $0.query(query, deadline: deadline) }
  }

  /// Runs `body` in a transaction: committed when it returns, rolled back when it throws or its task is cancelled.
  ///
  /// Throws ``PostgresError/commitInDoubt`` when the connection broke during the commit. Where a plan was stale after
  /// other statements of the transaction, it is rolled back and `body` runs once more.
  @discardableResult
  package func withTransaction<Value>(
    deadline: ContinuousClock.Instant? = nil, _ body: (PostgresTransaction) async throws -> Value
  ) async throws -> Value {
    let deadline = deadline ?? .now + PostgresConnection.defaultTimeout
    return try await withConnection(deadline: deadline) { connection in
      do {
        return try await runTransaction(on: connection, deadline, body)
      } catch let error as PostgresError where error.hasStalePlan {
        // The connection makes all its plans anew, and each locks its tables until the transaction ends.
        return try await runTransaction(on: connection, deadline, body)
      }
    }
  }

  private func runTransaction<Value>(
    on connection: PostgresConnection, _ deadline: ContinuousClock.Instant,
    _ body: (PostgresTransaction) async throws -> Value
  ) async throws -> Value {
    let transaction = PostgresTransaction(
      connection: connection, deadline: deadline, idleTimeout: configuration.idleInTransactionTimeout)
    do {
      let value = try await body(transaction)
      try Task.checkCancellation()
      try await transaction.commit()
      return value
    } catch {
      await transaction.rollback()
      throw error
    }
  }

  /// Closes idle connections now and leased ones when they are released; callers that wait, now or later, get
  /// `CancellationError`.
  package func close() async {
    let idle = state.withLock { state in
      defer { state.idle = [] }
      state.isClosed = true
      return state.idle
    }
    permits.close(throwing: CancellationError())
    PostgresMetrics.add(idle: -idle.count)
    for connection in idle { await connection.close() }
  }

  /// For tests: how many callers wait.
  var waiterCount: Int { permits.waiterCount }

  private func acquire(deadline: ContinuousClock.Instant) async throws -> PostgresConnection {
    PostgresMetrics.add(waiting: 1)
    defer { PostgresMetrics.add(waiting: -1) }
    do { try await permits.acquire(until: deadline) } catch is DeadlineExceeded {
      throw PostgresError.connectionPoolExhausted(size: size)
    }
    do {
      while let connection = state.withLock({ $0.idle.popLast() }) {
        PostgresMetrics.add(idle: -1)
        if await connection.isUsable { return leased(connection) }
        await connection.close()
      }
      return leased(try await PostgresConnection.connect(configuration, deadline: deadline))
    } catch {
      permits.release()
      throw error
    }
  }

  private func leased(_ connection: PostgresConnection) -> PostgresConnection {
    PostgresMetrics.add(leased: 1)
    return connection
  }

  private func release(_ connection: PostgresConnection) async {
    let isUsable = await connection.isUsable
    let isKept = state.withLock { state in
      guard isUsable, !state.isClosed else { return false }
      state.idle.append(connection)
      return true
    }
    PostgresMetrics.add(leased: -1, idle: isKept ? 1 : 0)
    if !isKept { await connection.close() }
    permits.release()
  }
}
