internal import ClientLoop
internal import Hummingbird
internal import Postgres

/// What requests read from PostgreSQL: with a bound and a deadline of its own, so that a database that hangs takes
/// neither the places of bookings and webhooks, which do not need it, nor all connections of the workers beside it.
struct StoreReads: Sendable {
  private let pool: PostgresConnectionPool
  /// How many may be under way or wait for a connection.
  private let limit: ConcurrencyLimit
  /// The connections they may use at a time.
  private let connections: AsyncSemaphore

  /// How long one request may read, waiting for a connection included.
  private let timeout: Duration

  /// - Parameter connections: at most the pool's; more callers wait for one of them.
  init(_ pool: PostgresConnectionPool, connections: Int, max: Int, timeout: Duration = .seconds(4)) {
    self.pool = pool
    self.connections = AsyncSemaphore(permits: connections)
    limit = ConcurrencyLimit(max: max, name: "reads")
    self.timeout = timeout
  }

  /// Runs the reads of one request. Throws a 503 where too many are under way, and where `body` throws anything but a
  /// ``Problem``: the database does not answer.
  ///
  /// - Parameter what: what cannot be read, such as `bookings`.
  /// - Parameter body: gets the deadline; it must pass it to every query.
  func run<Value: Sendable>(
    _ what: String, _ body: @escaping @Sendable (PostgresConnectionPool, ContinuousClock.Instant) async throws -> Value
  ) async throws -> Value {
    guard limit.tryAcquire() else {
      throw Problem.unavailable("too many requests are reading; try again", retryAfter: 1)
    }
    defer { limit.release() }
    let deadline = ContinuousClock.now + timeout
    do {
      return try await connections.withPermits(until: deadline) { [pool] in try await body(pool, deadline) }
    } catch let problem as Problem {
      throw problem
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      throw Problem.unavailable("\(what) cannot be read now; try again")
    }
  }
}
