internal import ClientLoop
internal import Synchronization

/// One connection to PostgreSQL, run by a thread of its own.
///
/// ``run(_:deadline:isCancellable:)`` sends any number of statements in one round trip. Cancelling the calling task
/// cancels the statement on the server. After ``PostgresError/connectionLost`` the connection cannot be used again.
package actor PostgresConnection {
  private let executor: ThreadExecutor
  private let wakeup: Wakeup
  private var session: PostgresSession?

  /// How long a statement may take where the caller sets no deadline: 10 s.
  static let defaultTimeout = Duration.seconds(10)

  /// The connection's own thread: waiting for the server blocks no other.
  package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private init() throws(PostgresError) {
    do {
      executor = try ThreadExecutor(name: "postgres")
      wakeup = try Wakeup()
    } catch { throw .client(error.description) }
  }

  deinit { executor.stop() }

  /// Connects; throws ``PostgresError/connectionFailed(server:reason:)``.
  ///
  /// - Parameter deadline: ends the attempt where it is earlier than the configured timeout; nil: that timeout alone.
  package static func connect(
    _ configuration: PostgresConfiguration, deadline: ContinuousClock.Instant? = nil
  ) async throws -> PostgresConnection {
    let connection = try PostgresConnection()
    let cancellation = Cancellation()
    try await withTaskCancellationHandler {
      try await connection.open(configuration, deadline ?? .now + configuration.connectTimeout, cancellation)
    } onCancel: {
      cancellation.flag.store(true, ordering: .relaxed)
      connection.interrupt()
    }
    return connection
  }

  private func open(
    _ configuration: PostgresConfiguration, _ deadline: ContinuousClock.Instant, _ cancellation: Cancellation
  ) throws {
    session = try PostgresSession(
      configuration, wakeup: wakeup, deadline: deadline, isCancelled: { cancellation.isCancelled })
  }

  /// False once the connection broke or was closed, or a statement was cancelled on it.
  package var isUsable: Bool {
    session?.checkLiveness()
    return session.map { !$0.isUnusable } ?? false
  }

  /// Closes the connection; the server rolls back an open transaction.
  package func close() { session = nil }

  /// Runs the statements in one round trip; the first error is thrown, and the statements behind it do not run.
  ///
  /// - Parameter deadline: then the statement is cancelled on the server; nil: 10 s from now.
  /// - Parameter isCancellable: false: the statements are finished even in a cancelled task (rollback, commit).
  @discardableResult
  package nonisolated func run(
    _ queries: [PostgresQuery], deadline: ContinuousClock.Instant? = nil, isCancellable: Bool = true
  ) async throws -> [PostgresResult] {
    let deadline = deadline ?? .now + Self.defaultTimeout
    guard isCancellable else { return try await perform(queries, deadline, nil) }
    let cancellation = Cancellation()
    let wakeup = wakeup
    return try await withTaskCancellationHandler {
      try await perform(queries, deadline, cancellation)
    } onCancel: {
      cancellation.flag.store(true, ordering: .relaxed)
      wakeup.wake()
    }
  }

  @discardableResult
  package nonisolated func query(
    _ query: PostgresQuery, deadline: ContinuousClock.Instant? = nil
  ) async throws -> PostgresResult {
    try await run([query], deadline: deadline)[0]
  }

  /// Runs several parameterless statements given as one text, by the simple protocol: for migrations.
  package func runScript(_ sql: String, deadline: ContinuousClock.Instant) throws {
    guard let session else { throw PostgresError.connectionLost }
    try session.runScript(sql, deadline: deadline, isCancelled: { false })
  }

  /// Waits on this connection's thread for notifications; returns early, perhaps with none, when ``interrupt()`` is
  /// called.
  func notifications(until deadline: ContinuousClock.Instant) throws -> [(channel: String, payload: String)] {
    guard let session else { throw PostgresError.connectionLost }
    return try session.notifications(until: deadline)
  }

  /// Ends a wait in ``notifications(until:)`` from any thread.
  nonisolated func interrupt() { wakeup.wake() }

  private func perform(
    _ queries: [PostgresQuery], _ deadline: ContinuousClock.Instant, _ cancellation: Cancellation?
  ) throws -> [PostgresResult] {
    guard let session, !session.isUnusable else { throw PostgresError.connectionLost }
    if cancellation?.isCancelled == true { throw CancellationError() }
    do {
      return try session.run(queries, deadline: deadline, isCancelled: { cancellation?.isCancelled ?? false })
    } catch let error as PostgresError where error.invalidatesConnection {
      self.session = nil
      throw error
    }
  }

  /// A flag that a cancellation handler sets from another thread.
  private final class Cancellation: Sendable {
    let flag = Atomic(false)
    var isCancelled: Bool { flag.load(ordering: .relaxed) }
  }
}
