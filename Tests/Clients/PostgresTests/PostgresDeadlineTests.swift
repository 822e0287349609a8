import Postgres
import TestServers
import Testing

/// Deadlines, cancellation, and unavailable servers.
@Suite(.timeLimit(.minutes(1)))
struct PostgresDeadlineTests {
  @Test func `at the deadline the server stops the statement too`() async throws {
    let name = TestEnvironment.uniqueName("deadline")
    let admin = try await observer()
    let connection = try await PostgresConnection.connect(postgres(name: name))
    let took = await duration {
      let error = await #expect(throws: PostgresError.self) {
        try await connection.query("SELECT pg_sleep(40)", deadline: .now + .milliseconds(300))
      }
      #expect(error?.kind == "deadlineExceeded")
    }
    #expect(took >= .milliseconds(290))
    #expect(took < .seconds(4))
    try await eventually("the server no longer sleeps") { try await admin.backends(of: name, sleeping: true).isEmpty }
  }

  @Test func `a cancelled task returns at once, and the server stops the statement`() async throws {
    let name = TestEnvironment.uniqueName("cancel")
    let admin = try await observer()
    let connection = try await PostgresConnection.connect(postgres(name: name))
    let sleeper = Task { _ = try await connection.query("SELECT pg_sleep(40)", deadline: .now + .seconds(50)) }
    try await eventually("the server sleeps") { try await !admin.backends(of: name, sleeping: true).isEmpty }
    sleeper.cancel()
    let took = await duration { await #expect(throws: CancellationError.self) { try await sleeper.value } }
    #expect(took < .seconds(2))
    try await eventually("the server no longer sleeps") { try await admin.backends(of: name, sleeping: true).isEmpty }
  }

  @Test func `a task cancelled before sends nothing, and the connection stays good`() async throws {
    let connection = try await observer()
    try await connection.query("CREATE TEMP TABLE t (id int)")
    let cancelled = Task {
      try? await eventually("cancelled") { Task.isCancelled }
      _ = try await connection.query("INSERT INTO t VALUES (1)")
    }
    cancelled.cancel()
    await #expect(throws: CancellationError.self) { try await cancelled.value }
    #expect(try await connection.value("SELECT count(*) FROM t") == 0)
  }

  @Test func `cancelling a task that waits for the connection leaves the running statement alone`() async throws {
    let name = TestEnvironment.uniqueName("waits")
    let admin = try await observer()
    let connection = try await PostgresConnection.connect(postgres(name: name))
    let runningTask = Task { try await connection.value("SELECT 5 FROM pg_sleep(1)", as: Int.self) }
    try await eventually("the server sleeps") { try await !admin.backends(of: name, sleeping: true).isEmpty }
    let cancelledTask = Task { try await connection.value("SELECT 6", as: Int.self) }
    cancelledTask.cancel()
    #expect(try await runningTask.value == 5)
    await #expect(throws: CancellationError.self) { try await cancelledTask.value }
    #expect(await connection.isUsable)
  }

  @Test func `a statement that ends in time costs nothing`() async throws {
    let connection = try await observer()
    for _ in 0..<20 { try await connection.query("SELECT 1", deadline: .now + .seconds(1)) }
    #expect(await connection.isUsable)
  }

  @Test func `a lock that takes too long is contention`() async throws {
    try await withSchema { schema async throws in
      let holder = try await observer()
      try await holder.query("CREATE TABLE \(unsafe: schema).t (id int)")
      try await holder.run(["BEGIN", "LOCK TABLE \(unsafe: schema).t"])
      let waiter = try await PostgresConnection.connect(postgres(lockTimeout: .milliseconds(200)))
      let error = await #expect(throws: PostgresError.self) {
        try await waiter.query("SELECT * FROM \(unsafe: schema).t")
      }
      #expect(error?.kind == "55P03")
      #expect(error?.isContention == true)
      try await holder.query("ROLLBACK")
    }
  }

  @Test func `an unavailable server is named, without the password`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    proxy.stop()
    let url = try TestEnvironment.postgres().with(password: "hunter2", port: proxy.port)
    let configuration = try PostgresConfiguration(url: url)
    let error = await #expect(throws: PostgresError.self) { try await PostgresConnection.connect(configuration) }
    guard case .connectionFailed(let server, let reason) = error else {
      Issue.record("\(String(describing: error)) is not connectionFailed")
      return
    }
    #expect(server == configuration.serverName)
    #expect(server.contains(":\(proxy.port)/"))
    #expect(!reason.isEmpty)
    #expect(error?.description.contains("hunter2") == false)
    #expect(error?.isUnavailable == true)
  }

  @Test func `a database that does not exist is a failed connection with that reason`() async throws {
    let name = TestEnvironment.uniqueName("none")
    let error = await #expect(throws: PostgresError.self) {
      try await PostgresConnection.connect(postgres(database: name))
    }
    #expect(error?.kind == "connectionFailed")
    #expect(error?.description.contains("does not exist") == true)
  }

  /// libpq repeats what it cannot parse of a URL.
  @Test func `a wrong escape in the password is not repeated`() async throws {
    let server = try TestEnvironment.postgres()
    do {
      let configuration = try PostgresConfiguration(
        url: "postgres://vluma:hunter2%zz@\(server.host):\(server.port)/vluma")
      _ = try await PostgresConnection.connect(configuration)
      Issue.record("the URL was accepted")
    } catch { #expect(!"\(error)".contains("hunter2")) }
  }

  @Test func `connecting to a server that does not reply fails within the connect timeout`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    proxy.freeze()
    let took = await duration {
      let error = await #expect(throws: PostgresError.self) {
        try await PostgresConnection.connect(postgres(port: proxy.port, connectTimeout: .seconds(1)))
      }
      #expect(error?.kind == "connectionFailed")
    }
    #expect(took < .seconds(4))
  }

  @Test func `a connection to a server that stops replying is abandoned soon after the deadline`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    let connection = try await PostgresConnection.connect(postgres(port: proxy.port))
    try await connection.query("SELECT 1")
    proxy.freeze()
    let took = await duration {
      await #expect(throws: PostgresError.self) {
        try await connection.query("SELECT 2", deadline: .now + .milliseconds(500))
      }
    }
    #expect(took < .seconds(6))
    #expect(await !connection.isUsable)
  }
}
