import Postgres
import TestServers

/// The real server, directly or through a proxy's port.
func postgres(
  name: String = "test", port: Int? = nil, database: String? = nil, connectTimeout: Duration = .seconds(5),
  lockTimeout: Duration = .seconds(5)
) throws -> PostgresConfiguration {
  try PostgresConfiguration(
    url: TestEnvironment.postgres().with(port: port, path: database.map { "/" + $0 }), applicationName: name,
    connectTimeout: connectTimeout, lockTimeout: lockTimeout)
}

/// A connection for arranging and observing.
func observer() async throws -> PostgresConnection { try await PostgresConnection.connect(postgres(name: "observer")) }

/// Makes a schema that no other test uses, and drops it after `body`.
func withSchema<Value>(_ body: (String) async throws -> Value) async throws -> Value {
  let schema = TestEnvironment.uniqueName("test")
  let admin = try await observer()
  try await admin.query("CREATE SCHEMA \(unsafe: schema)")
  do {
    let value = try await body(schema)
    try await drop(schema, admin)
    return value
  } catch {
    try? await drop(schema, admin)
    throw error
  }
}

private func drop(_ schema: String, _ admin: PostgresConnection) async throws {
  try await admin.query("SET lock_timeout = '30s'")
  let end = ContinuousClock.now + .seconds(40)
  try await admin.query("DROP SCHEMA \(unsafe: schema) CASCADE", deadline: end)
  await admin.close()
}

/// Runs `body` with a pool, then closes it.
func withConnectionPool<Value>(
  _ configuration: PostgresConfiguration, size: Int = 4, _ body: (PostgresConnectionPool) async throws -> Value
) async throws -> Value {
  let pool = PostgresConnectionPool(configuration, size: size)
  do {
    let value = try await body(pool)
    await pool.close()
    return value
  } catch {
    await pool.close()
    throw error
  }
}

extension PostgresConnection {
  /// The process ids of the backends that serve connections of this name; optionally only those that wait in pg_sleep.
  nonisolated func backends(of name: String, sleeping: Bool = false) async throws -> [Int] {
    let rows = try await query(
      """
      SELECT pid FROM pg_stat_activity
      WHERE application_name = \(name) AND (NOT \(sleeping)::bool OR (wait_event = 'PgSleep' AND state = 'active'))
      """)
    return try rows.map { try $0.decode(0, as: Int.self) }
  }

  /// Ends all backends that serve connections of this name, and waits until they are gone.
  nonisolated func terminate(_ name: String) async throws {
    try await query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = \(name)")
    try await eventually("the backends of \(name) are gone") { try await backends(of: name).isEmpty }
  }

  /// The first column of the first row.
  nonisolated func value<Value: PostgresDecodable>(_ text: PostgresQuery, as type: Value.Type = Value.self) async throws
    -> Value
  {
    try await query(text)[0].decode(0)
  }
}

extension PostgresConnectionPool {
  /// The first column of the first row.
  func value<Value: PostgresDecodable>(_ text: PostgresQuery, as type: Value.Type = Value.self) async throws -> Value {
    try await query(text)[0].decode(0)
  }
}

extension PostgresError {
  /// The case's name, or the SQLSTATE where the server refused a statement.
  var kind: String {
    switch self {
    case .invalidURL: "invalidURL"
    case .connectionFailed: "connectionFailed"
    case .connectionLost: "connectionLost"
    case .commitInDoubt: "commitInDoubt"
    case .deadlineExceeded: "deadlineExceeded"
    case .connectionPoolExhausted: "connectionPoolExhausted"
    case .server(let error): error.sqlState
    case .decoding: "decoding"
    case .client: "client"
    }
  }
}
