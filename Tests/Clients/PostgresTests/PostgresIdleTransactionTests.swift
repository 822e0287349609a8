import Postgres
import TestServers
import Testing

/// Clients that stop or vanish inside a transaction: the server frees their locks.
@Suite(.timeLimit(.minutes(1)))
struct PostgresIdleTransactionTests {
  private func configuration(port: Int? = nil, idle: Duration) throws -> PostgresConfiguration {
    try PostgresConfiguration(
      url: TestEnvironment.postgres().with(port: port), applicationName: "idle", lockTimeout: .seconds(20),
      idleInTransactionTimeout: idle)
  }

  @Test func `the server bounds a session's silence, and its locks`() async throws {
    try await withConnectionPool(postgres(), size: 1) { pool async throws in
      for (setting, value) in [
        ("idle_in_transaction_session_timeout", "35s"), ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"), ("tcp_keepalives_count", "3"), ("tcp_user_timeout", "20000"),
        ("client_connection_check_interval", "2s"), ("lock_timeout", "5s"),
      ] {
        #expect(try await pool.value("SHOW \(unsafe: setting)", as: String.self) == value, "\(setting)")
      }
    }
  }

  @Test(arguments: [(10, "35s"), (30, "35s"), (60, "70s"), (1_500, "1510s")])
  func `a transaction whose deadline is far away may stay idle until then`(_ seconds: Int, _ bound: String) async throws
  {
    try await withConnectionPool(postgres(), size: 1) { pool async throws in
      let shown = try await pool.withTransaction(deadline: .now + .seconds(seconds)) { transaction in
        try await transaction.query("SELECT current_setting('idle_in_transaction_session_timeout')")[0]
          .decode(0, as: String.self)
      }
      #expect(shown == bound)
      // Only that transaction's.
      #expect(try await pool.value("SHOW idle_in_transaction_session_timeout", as: String.self) == "35s")
    }
  }

  @Test func `the locks of a client that has stopped are free within the bound`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    try await withSchema { schema async throws in
      let admin = try await observer()
      try await admin.query("CREATE TABLE \(unsafe: schema).room (id int PRIMARY KEY, free int)")
      try await admin.query("INSERT INTO \(unsafe: schema).room VALUES (1, 1)")
      try await withConnectionPool(configuration(port: proxy.port, idle: .seconds(8)), size: 1) {
        stopped async throws in
        let other = PostgresConnectionPool(try configuration(idle: .seconds(8)), size: 1)
        let failure = await #expect(throws: PostgresError.self) {
          try await stopped.withTransaction(deadline: .now + .seconds(2)) { transaction in
            try await transaction.query("SELECT free FROM \(unsafe: schema).room WHERE id = 1 FOR UPDATE")
            // From here on the client neither reads nor writes, and its sockets stay open.
            proxy.freeze()
            let took = try await duration {
              _ = try await other.query(
                "UPDATE \(unsafe: schema).room SET free = 0 WHERE id = 1", deadline: .now + .seconds(19))
            }
            #expect(took < .seconds(15))
            proxy.unfreeze()
            try await transaction.query("UPDATE \(unsafe: schema).room SET free = 7 WHERE id = 1")
          }
        }
        #expect(failure?.isUnavailable == true, "\(String(describing: failure))")
        #expect(try await stopped.value("SELECT free FROM \(unsafe: schema).room", as: Int.self) == 0)
        await other.close()
      }
      await admin.close()
    }
  }

  @Test func `a session that ended while its transaction was idle is a lost connection, and the pool goes on`()
    async throws
  {
    try await withConnectionPool(configuration(idle: .seconds(6)), size: 1) { pool async throws in
      let failure = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction(deadline: .now + .seconds(1)) { transaction in
          try await transaction.query("SET LOCAL idle_in_transaction_session_timeout = '200ms'")
          let pid = try await transaction.query("SELECT pg_backend_pid()")[0].decode(0, as: Int.self)
          let admin = try await observer()
          try await eventually("the server has ended the session") {
            try await admin.query("SELECT 1 FROM pg_stat_activity WHERE pid = \(pid)").isEmpty
          }
          await admin.close()
          try await transaction.query("SELECT 1")
        }
      }
      #expect(failure?.isUnavailable == true, "\(String(describing: failure))")
      #expect(try await pool.value("SELECT 1", as: Int.self) == 1)
    }
  }

  @Test func `a session that has become read-only is thrown away`() async throws {
    try await withSchema { schema async throws in
      try await withConnectionPool(postgres(), size: 1) { pool async throws in
        try await pool.query("SET default_transaction_read_only = on")
        let failure = await #expect(throws: PostgresError.self) {
          try await pool.query("CREATE TABLE \(unsafe: schema).refused (id int)")
        }
        #expect(failure?.sqlState == "25006")
        #expect(failure?.isUnavailable == true)
        try await pool.query("CREATE TABLE \(unsafe: schema).taken (id int)")
      }
    }
  }
}
