internal import JobsPostgres
package import Postgres

/// Creates an empty database that no other test uses, and drops it after `body`.
package func withEmptyDatabase<Value>(_ body: (PostgresConfiguration) async throws -> Value) async throws -> Value {
  let server = try TestEnvironment.postgres()
  let admin = try PostgresConfiguration(url: server.string, applicationName: "test databases")
  let name = TestEnvironment.uniqueName("test")
  try await run("CREATE DATABASE \(name)", admin)
  do {
    let value = try await body(PostgresConfiguration(url: server.with(path: "/" + name), applicationName: name))
    try await run("DROP DATABASE \(name) WITH (FORCE)", admin)
    return value
  } catch {
    try? await run("DROP DATABASE \(name) WITH (FORCE)", admin)
    throw error
  }
}

/// Creates a database with the job store's tables and those of `migrations`, and drops it after `body`.
package func withTestDatabase<Value>(
  migrations: [PostgresMigration] = [], connections: Int = 10,
  _ body: (PostgresConnectionPool, PostgresConfiguration) async throws -> Value
) async throws -> Value {
  try await withEmptyDatabase { configuration in
    _ = try await PostgresMigrator(configuration, migrations: JobMigrations.all + migrations).migrate()
    let pool = PostgresConnectionPool(configuration, size: connections)
    do {
      let value = try await body(pool, configuration)
      await pool.close()
      return value
    } catch {
      await pool.close()
      throw error
    }
  }
}

/// CREATE and DROP DATABASE are not allowed in transactions or pipelines; a script uses neither.
private func run(_ sql: String, _ configuration: PostgresConfiguration) async throws {
  let connection = try await PostgresConnection.connect(configuration)
  do {
    try await connection.runScript(sql, deadline: .now + .seconds(40))
  } catch {
    await connection.close()
    throw error
  }
  await connection.close()
}
