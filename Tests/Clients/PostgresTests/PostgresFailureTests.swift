import Postgres
import TestServers
import Testing

/// Connections that break, and the errors of their users.
@Suite(.timeLimit(.minutes(1)))
struct PostgresFailureTests {
  /// Starts a statement that sleeps, calls `interrupt` once it does, and returns the statement's error.
  private func errorOfSleeper(
    _ pool: PostgresConnectionPool, _ name: String, _ interrupt: (PostgresConnection) async throws -> Void
  ) async throws -> PostgresError? {
    let admin = try await observer()
    let sleeper = Task { _ = try await pool.query("SELECT pg_sleep(40)", deadline: .now + .seconds(50)) }
    try await eventually("the server sleeps") { try await !admin.backends(of: name, sleeping: true).isEmpty }
    try await interrupt(admin)
    let error = await #expect(throws: PostgresError.self) {
      try await withTimeout(within: .seconds(10), "the loss is noticed") { try await sleeper.value }
    }
    return error
  }

  @Test func `a backend that is terminated is a lost connection, and the pool goes on`() async throws {
    let name = TestEnvironment.uniqueName("terminated")
    try await withConnectionPool(postgres(name: name), size: 1) { pool async throws in
      let error = try await errorOfSleeper(pool, name) { try await $0.terminate(name) }
      #expect(error?.kind == "connectionLost")
      #expect(error?.isUnavailable == true)
      #expect(try await pool.value("SELECT 1", as: Int.self) == 1)
    }
  }

  @Test func `a cut is a lost connection, and the pool goes on`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    let name = TestEnvironment.uniqueName("cut")
    try await withConnectionPool(postgres(name: name, port: proxy.port), size: 1) { pool async throws in
      let error = try await errorOfSleeper(pool, name) { _ in proxy.cutAll() }
      #expect(error?.kind == "connectionLost")
      #expect(try await pool.value("SELECT 1", as: Int.self) == 1)
    }
  }

  @Test func `a cut in the middle of a large statement is a lost connection`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    try await withConnectionPool(postgres(port: proxy.port), size: 1) { pool async throws in
      #expect(try await pool.value("SELECT 1", as: Int.self) == 1)
      proxy.cut(afterBytesFromClient: 1 << 20)
      let text = String(repeating: "0123456789abcdef", count: 1 << 18)
      let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT length(\(text)::text)") }
      #expect(error?.kind == "connectionLost")
      #expect(proxy.cutCount == 1)
      #expect(try await pool.value("SELECT length(\(text)::text)", as: Int.self) == 4 << 20)
    }
  }

  @Test func `a transaction cut before its commit had no effect`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    try await withSchema { schema async throws in
      try await withConnectionPool(postgres(port: proxy.port), size: 1) { pool async throws in
        try await pool.query("CREATE TABLE \(unsafe: schema).t (id int PRIMARY KEY)")
        let error = await #expect(throws: PostgresError.self) {
          try await pool.withTransaction { transaction async throws in
            try await transaction.query("INSERT INTO \(unsafe: schema).t VALUES (1)")
            proxy.cutAll()
            try await transaction.query("INSERT INTO \(unsafe: schema).t VALUES (2)")
          }
        }
        #expect(error?.kind == "connectionLost")
        #expect(try await pool.value("SELECT count(*) FROM \(unsafe: schema).t") == 0)
        // And its locks are free.
        try await pool.query("INSERT INTO \(unsafe: schema).t VALUES (1)")
      }
    }
  }

  /// Connections that died while they were idle: a restart of the server must not cost one error per connection.
  @Test func `idle connections that died are replaced without an error`() async throws {
    let name = TestEnvironment.uniqueName("idle")
    let admin = try await observer()
    try await withConnectionPool(postgres(name: name), size: 3) { pool async throws in
      try await withThrowingDiscardingTaskGroup { group in
        for _ in 0..<3 { group.addTask { try await pool.query("SELECT pg_sleep(0.3)") } }
      }
      #expect(try await admin.backends(of: name).count == 3)
      try await admin.terminate(name)
      for _ in 0..<4 { #expect(try await pool.value("SELECT 1", as: Int.self) == 1) }
    }
  }

  @Test func `a pool whose connections all died recovers within as many calls`() async throws {
    let name = TestEnvironment.uniqueName("recovers")
    let admin = try await observer()
    try await withConnectionPool(postgres(name: name), size: 3) { pool async throws in
      try await withThrowingDiscardingTaskGroup { group in
        for _ in 0..<3 { group.addTask { try await pool.query("SELECT pg_sleep(0.3)") } }
      }
      try await admin.terminate(name)
      var failures = 0
      for _ in 0..<3 {
        do { try await pool.query("SELECT 1") } catch let error as PostgresError {
          failures += 1
          #expect(error.kind == "connectionLost")
        }
      }
      #expect(failures <= 3)
      for _ in 0..<5 { #expect(try await pool.value("SELECT 1", as: Int.self) == 1) }
    }
  }

  /// A table whose commits take two seconds: a deferred trigger sleeps.
  private func makeSlowCommits(_ schema: String) async throws {
    let admin = try await observer()
    try await admin.runScript(
      """
      CREATE TABLE \(schema).t (id int);
      CREATE FUNCTION \(schema).slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON \(schema).t DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION \(schema).slow();
      """, deadline: .now + .seconds(20))
  }

  /// Starts a transaction with a slow commit, calls `interrupt` during the commit, and returns the transaction's error.
  private func errorOfCommit(
    _ pool: PostgresConnectionPool, _ name: String, _ schema: String,
    _ interrupt: (PostgresConnection) async throws -> Void
  ) async throws -> PostgresError? {
    let admin = try await observer()
    let committer = Task {
      _ = try await pool.withTransaction { try await $0.query("INSERT INTO \(unsafe: schema).t VALUES (1)") }
    }
    try await eventually("the commit is under way") { try await !admin.backends(of: name, sleeping: true).isEmpty }
    try await interrupt(admin)
    let error = await #expect(throws: PostgresError.self) {
      try await withTimeout(within: .seconds(20), "the loss is noticed") { try await committer.value }
    }
    return error
  }

  @Test func `a connection cut during the commit leaves the transaction in doubt`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    let name = TestEnvironment.uniqueName("doubt")
    try await withSchema { schema async throws in
      try await makeSlowCommits(schema)
      try await withConnectionPool(postgres(name: name, port: proxy.port), size: 1) { pool async throws in
        let error = try await errorOfCommit(pool, name, schema) { _ in proxy.cutAll() }
        #expect(error?.kind == "commitInDoubt")
        #expect(try await pool.value("SELECT count(*) FROM \(unsafe: schema).t", as: Int.self) <= 1)
      }
    }
  }

  @Test func `a backend terminated during the commit leaves the transaction in doubt`() async throws {
    let name = TestEnvironment.uniqueName("doubt")
    try await withSchema { schema async throws in
      try await makeSlowCommits(schema)
      try await withConnectionPool(postgres(name: name), size: 1) { pool async throws in
        let error = try await errorOfCommit(pool, name, schema) { try await $0.terminate(name) }
        #expect(error?.kind == "commitInDoubt")
        #expect(try await pool.value("SELECT count(*) FROM \(unsafe: schema).t") == 0)
      }
    }
  }

  @Test func `a commit is not cancelled with its task: its outcome is known`() async throws {
    let name = TestEnvironment.uniqueName("known")
    let admin = try await observer()
    try await withSchema { schema async throws in
      try await makeSlowCommits(schema)
      try await withConnectionPool(postgres(name: name), size: 1) { pool async throws in
        let committer = Task {
          _ = try await pool.withTransaction { try await $0.query("INSERT INTO \(unsafe: schema).t VALUES (1)") }
        }
        try await eventually("the commit is under way") { try await !admin.backends(of: name, sleeping: true).isEmpty }
        committer.cancel()
        try await committer.value
        #expect(try await pool.value("SELECT count(*) FROM \(unsafe: schema).t") == 1)
      }
    }
  }

  @Test func `cuts while 20 callers work are lost connections, and the pool keeps its size`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    let name = TestEnvironment.uniqueName("cuts")
    let admin = try await observer()
    try await withConnectionPool(postgres(name: name, port: proxy.port), size: 4) { pool async throws in
      let isOver = Locked(false)
      let others = Locked<[String]>([])
      try await withThrowingDiscardingTaskGroup { group in
        for _ in 0..<20 {
          group.addTask {
            while !isOver.value {
              do { try await pool.query("SELECT pg_sleep(0.005)") } catch let error as PostgresError {
                if error.kind != "connectionLost", error.kind != "connectionFailed" {
                  others.change { $0.append("\(error)") }
                }
              }
            }
          }
        }
        for _ in 0..<10 {
          let target = proxy.bytesFromClient + 4_000
          try await eventually("statements flow") { proxy.bytesFromClient > target }
          proxy.cutAll()
        }
        isOver.change { $0 = true }
      }
      #expect(others.value.isEmpty)
      // The pool still opens four connections.
      try await withThrowingDiscardingTaskGroup { group in
        for _ in 0..<4 { group.addTask { try await pool.query("SELECT pg_sleep(1)") } }
        group.addTask {
          try await eventually("four callers are served at once") {
            try await admin.backends(of: name, sleeping: true).count == 4
          }
        }
      }
    }
  }
}
