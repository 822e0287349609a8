internal import ClientLoop
internal import DequeModule
internal import Synchronization

/// A bounded set of connections, opened when they are needed and kept.
///
/// A caller that finds all of them busy waits in line, until its deadline. Broken connections are replaced, so a server
/// that was away is used again by the first caller after its return.
package final class PostgresConnectionPool: Sendable {
  /// Where the server is.
  package let configuration: PostgresConfiguration
  /// The most connections this pool opens.
  package let size: Int

  private struct State {
    var idle: [PostgresConnection] = []
    var openCount = 0
    var waiters = Deque<(id: Int, continuation: CheckedContinuation<PostgresConnection?, any Error>)>()
    var nextWaiter = 0
    var isClosed = false
  }
  private let state = Mutex(State())

  /// Prepares a pool; nothing connects yet. `size` is 1 to 200, 8 by default.
  package init(_ configuration: PostgresConfiguration, size: Int = 8) {
    precondition((1...200).contains(size), "a pool has 1 to 200 connections")
    self.configuration = configuration
    self.size = size
  }

  /// Lends a connection for the length of `body`.
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
  /// Throws ``PostgresError/commitInDoubt`` when the connection broke while the commit was under way.
  @discardableResult
  package func withTransaction<Value>(
    deadline: ContinuousClock.Instant? = nil, _ body: (PostgresTransaction) async throws -> Value
  ) async throws -> Value {
    let deadline = deadline ?? .now + PostgresConnection.defaultTimeout
    return try await withConnection(deadline: deadline) { connection in
      let transaction = PostgresTransaction(connection: connection, deadline: deadline)
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
  }

  /// Closes idle connections now and lent ones when they come back.
  package func close() async {
    let (idle, waiters) = state.withLock { state in
      defer {
        state.idle = []
        state.waiters = []
      }
      state.isClosed = true
      state.openCount -= state.idle.count
      return (state.idle, state.waiters)
    }
    for waiter in waiters { waiter.continuation.resume(throwing: CancellationError()) }
    for connection in idle { await connection.close() }
  }

  private enum Step { case use(PostgresConnection), open, wait }

  private func acquire(deadline: ContinuousClock.Instant) async throws -> PostgresConnection {
    while true {
      try Task.checkCancellation()
      let step: Step = state.withLock { state in
        if let connection = state.idle.popLast() { return .use(connection) }
        guard state.openCount < size else { return .wait }
        state.openCount += 1
        return .open
      }
      switch step {
      case .use(let connection):
        if await connection.isUsable { return connection }
        removeConnection()
      case .open: return try await open(deadline)
      case .wait:
        guard let connection = try await waitForConnection(deadline) else { return try await open(deadline) }
        if await connection.isUsable { return connection }
        removeConnection()
      }
    }
  }

  /// Opens a connection for which a place was counted already.
  private func open(_ deadline: ContinuousClock.Instant) async throws -> PostgresConnection {
    do {
      return try await PostgresConnection.connect(configuration, deadline: deadline)
    } catch {
      removeConnection()
      throw error
    }
  }

  /// Waits for a connection to come back; nil means that a place to open one was counted for this caller.
  ///
  /// Whoever takes the waiter out of the line answers it: a hand-over, the deadline or a cancellation, so none is lost
  /// between them.
  private func waitForConnection(_ deadline: ContinuousClock.Instant) async throws -> PostgresConnection? {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    async let _ = failWaiter(id, at: deadline)  // cancelled when this returns
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isAlreadyOver = state.withLock { state in
          if Task.isCancelled || state.isClosed { return true }
          state.waiters.append((id, continuation))
          return false
        }
        // A place may have come free between the look and the wait.
        if isAlreadyOver { continuation.resume(throwing: CancellationError()) } else { serveWaiters() }
      }
    } onCancel: {
      failWaiter(id, CancellationError())
    }
  }

  private func failWaiter(_ id: Int, at deadline: ContinuousClock.Instant) async {
    guard (try? await ContinuousClock().sleep(until: deadline)) != nil else { return }
    failWaiter(id, PostgresError.connectionPoolExhausted(size: size))
  }

  private func failWaiter(_ id: Int, _ error: any Error) {
    let waiter = state.withLock { state in
      state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
    }
    waiter?.continuation.resume(throwing: error)
  }

  private func release(_ connection: PostgresConnection) async {
    guard await connection.isUsable else { return removeConnection() }
    let isKept = state.withLock { state in
      if !state.isClosed { state.idle.append(connection) } else { state.openCount -= 1 }
      return !state.isClosed
    }
    if isKept { serveWaiters() } else { await connection.close() }
  }

  private func removeConnection() {
    state.withLock { $0.openCount -= 1 }
    serveWaiters()
  }

  /// Hands free connections, or the right to open one, to those who wait longest.
  private func serveWaiters() {
    while true {
      let served = state.withLock {
        state -> (CheckedContinuation<PostgresConnection?, any Error>, PostgresConnection?)? in
        guard !state.waiters.isEmpty, !state.idle.isEmpty || state.openCount < size else { return nil }
        let connection = state.idle.popLast()
        if connection == nil { state.openCount += 1 }
        return (state.waiters.removeFirst().continuation, connection)
      }
      guard let (continuation, connection) = served else { return }
      continuation.resume(returning: connection)
    }
  }
}
