import Postgres
import TestServers
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PostgresMigratorTests {
  private let first = PostgresMigration(name: "0001_first", sql: "CREATE TABLE first (id int PRIMARY KEY)")
  private let second = PostgresMigration(
    name: "0002_second",
    sql: """
      CREATE TABLE second (name text DEFAULT 'it''s; fine');
      CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS $$ SELECT n * 2; $$;
      INSERT INTO first VALUES (twice(21));
      """)

  /// Runs `body` with a database of its own, for the migrator's table is always in `public`.
  private func withDatabase(_ body: (PostgresConfiguration) async throws -> Void) async throws {
    let name = TestEnvironment.uniqueName("migrator")
    let admin = try await observer()
    try await admin.runScript("CREATE DATABASE \(name) TEMPLATE template0", deadline: .now + .seconds(40))
    do { try await body(postgres(database: name)) } catch {
      try? await admin.runScript("DROP DATABASE \(name) WITH (FORCE)", deadline: .now + .seconds(40))
      throw error
    }
    try await admin.runScript("DROP DATABASE \(name) WITH (FORCE)", deadline: .now + .seconds(40))
  }

  private func value<Value: PostgresDecodable>(
    _ configuration: PostgresConfiguration, _ query: PostgresQuery, as type: Value.Type = Value.self
  ) async throws -> Value {
    let connection = try await PostgresConnection.connect(configuration)
    let value: Value = try await connection.value(query)
    await connection.close()
    return value
  }

  @Test func `ten at once apply each migration once`() async throws {
    try await withDatabase { configuration async throws in
      let (first, second) = (self.first, self.second)
      let applied = try await withThrowingTaskGroup(of: [String].self) { group in
        for _ in 0..<10 {
          group.addTask { try await PostgresMigrator(configuration, migrations: [first, second]).migrate() }
        }
        var applied: [[String]] = []
        for try await names in group { applied.append(names) }
        return applied
      }
      #expect(applied.count == 10)
      #expect(applied.flatMap { $0 } == ["0001_first", "0002_second"])
      #expect(try await value(configuration, "SELECT id FROM first") == 42)
      #expect(try await value(configuration, "SELECT count(*) FROM public.schema_migration") == 2)
    }
  }

  @Test func `only what is missing is applied, in order`() async throws {
    try await withDatabase { configuration async throws in
      let both = PostgresMigrator(configuration, migrations: [first, second])
      #expect(try await both.pending() == ["0001_first", "0002_second"])
      #expect(try await PostgresMigrator(configuration, migrations: [first]).migrate() == ["0001_first"])
      #expect(try await both.pending() == ["0002_second"])
      #expect(try await both.migrate() == ["0002_second"])
      #expect(try await both.migrate().isEmpty)
      #expect(try await both.pending().isEmpty)
    }
  }

  @Test func `an edited migration stops everything before it begins`() async throws {
    try await withDatabase { configuration async throws in
      _ = try await PostgresMigrator(configuration, migrations: [first]).migrate()
      let edited = PostgresMigration(name: first.name, sql: first.sql + " ")
      let other = PostgresMigrator(configuration, migrations: [edited, second])
      for _ in 0..<2 {
        let error = await #expect(throws: PostgresMigrator.Failure.self) { try await other.migrate() }
        guard case .edited(name: "0001_first") = error else {
          Issue.record("\(String(describing: error)) is not edited")
          return
        }
        #expect(error?.description.contains("0001_first") == true)
      }
      await #expect(throws: PostgresMigrator.Failure.self) { try await other.pending() }
      #expect(try await value(configuration, "SELECT to_regclass('second') IS NULL") == true)
      // The lock is free again.
      let right = PostgresMigrator(configuration, migrations: [first, second])
      #expect(try await right.migrate() == ["0002_second"])
    }
  }

  @Test func `a migration that fails is rolled back whole, and those before it stay`() async throws {
    try await withDatabase { configuration async throws in
      let broken = PostgresMigration(
        name: "0002_broken", sql: "CREATE TABLE half (id int); INSERT INTO half VALUES (1); SELECT 1 / 0; SELECT 2")
      let migrator = PostgresMigrator(configuration, migrations: [first, broken, second])
      let error = await #expect(throws: PostgresMigrator.Failure.self) { try await migrator.migrate() }
      guard case .refused(name: "0002_broken", reason: let reason) = error else {
        Issue.record("\(String(describing: error)) is not refused")
        return
      }
      #expect(reason.contains("22012"))
      #expect(try await value(configuration, "SELECT to_regclass('first') IS NOT NULL") == true)
      #expect(try await value(configuration, "SELECT to_regclass('half') IS NULL") == true)
      #expect(try await value(configuration, "SELECT to_regclass('second') IS NULL") == true)
      #expect(try await migrator.pending() == ["0002_broken", "0002_second"])
      let repaired = PostgresMigrator(configuration, migrations: [first, second])
      #expect(try await repaired.migrate() == ["0002_second"])
    }
  }

  @Test func `a migration may end in a comment`() async throws {
    try await withDatabase { configuration async throws in
      let commented = PostgresMigration(name: "0001_comment", sql: "CREATE TABLE c (id int) -- the end")
      #expect(try await PostgresMigrator(configuration, migrations: [commented]).migrate() == ["0001_comment"])
      #expect(try await value(configuration, "SELECT to_regclass('c') IS NOT NULL") == true)
    }
  }

  @Test func `a migration may take longer than a statement usually may wait for a lock`() async throws {
    try await withDatabase { configuration async throws in
      var shortLockTimeout = configuration
      shortLockTimeout.lockTimeout = .milliseconds(100)
      let slow = PostgresMigration(name: "0001_slow", sql: "SELECT pg_sleep(1)")
      let settings = shortLockTimeout
      let applied = try await withThrowingTaskGroup(of: [String].self) { group in
        for _ in 0..<3 { group.addTask { try await PostgresMigrator(settings, migrations: [slow]).migrate() } }
        var applied: [String] = []
        for try await names in group { applied += names }
        return applied
      }
      #expect(applied == ["0001_slow"])
    }
  }
}
