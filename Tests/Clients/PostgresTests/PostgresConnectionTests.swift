import Postgres
import TestServers
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PostgresConnectionTests {
  @Test func `several statements in one run, with their results in order`() async throws {
    let connection = try await observer()
    let results = try await connection.run([
      "CREATE TEMP TABLE t (id int, name text)", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')",
      "UPDATE t SET name = \("x") WHERE id > \(1)", "SELECT id, name FROM t ORDER BY id", "DELETE FROM t WHERE id = 9",
    ])
    #expect(results.count == 5)
    #expect(results[1].affectedRows == 3)
    #expect(results[2].affectedRows == 2)
    #expect(try results[3].map { try $0.decode(1, as: String.self) } == ["a", "x", "x"])
    #expect(results[4].affectedRows == 0)
    #expect(results[4].isEmpty)
    #expect(try await connection.run([]).isEmpty)
  }

  @Test func `the first refused statement is thrown, none of the run has an effect, and the connection goes on`()
    async throws
  {
    let connection = try await observer()
    try await connection.query("CREATE TEMP TABLE t (id int)")
    for _ in 0..<3 {
      let error = await #expect(throws: PostgresError.self) {
        try await connection.run([
          "INSERT INTO t VALUES (1)", "SELECT 1 / \(0)::int", "INSERT INTO no_such_table VALUES (1)",
          "INSERT INTO t VALUES (2)",
        ])
      }
      #expect(error?.kind == "22012")
      #expect(try await connection.value("SELECT count(*) FROM t") == 0)
    }
    #expect(await connection.isUsable)
  }

  @Test func `the same new text twice in one run`() async throws {
    let connection = try await observer()
    try await connection.query("CREATE TEMP TABLE t (id int)")
    let inserts = (1...3).map { number -> PostgresQuery in "INSERT INTO t VALUES (\(number))" }
    try await connection.run(inserts)
    #expect(try await connection.value("SELECT sum(id) FROM t") == 6)
  }

  @Test func `a text whose first use was refused, or never reached, works later`() async throws {
    let connection = try await observer()
    _ = await #expect(throws: PostgresError.self) {
      try await connection.run(["SELECT * FROM nothing_here", "SELECT 11", "SELECT 11"])
    }
    let results = try await connection.run(["SELECT 11", "SELECT 11"])
    #expect(try results.map { try $0[0].decode(0, as: Int.self) } == [11, 11])
    _ = await #expect(throws: PostgresError.self) { try await connection.query("SELECT count(*) FROM t_later") }
    try await connection.query("CREATE TEMP TABLE t_later (id int)")
    #expect(try await connection.value("SELECT count(*) FROM t_later") == 0)
  }

  @Test func `more different texts than a connection keeps prepared`() async throws {
    let connection = try await observer()
    for round in 0..<2 {
      for number in 0..<400 {
        let sum: Int = try await connection.value("SELECT \(unsafe: "\(number)")::int + \(round)::int")
        #expect(sum == number + round)
      }
    }
  }

  @Test func `a prepared text survives a changed table`() async throws {
    let connection = try await observer()
    try await connection.query("CREATE TEMP TABLE t (a int)")
    try await connection.query("INSERT INTO t VALUES (1)")
    try await connection.query("SELECT * FROM t")
    try await connection.query("ALTER TABLE t ADD COLUMN b int DEFAULT 2")
    let row = try await connection.query("SELECT * FROM t")[0]
    #expect(try row.decode(1, as: Int.self) == 2)
  }

  @Test func `an error holds the condition and the constraint, and its description no values`() async throws {
    let connection = try await observer()
    let secret = "hunter2-very-secret"
    try await connection.query("CREATE TEMP TABLE t (name text CONSTRAINT one_of_each UNIQUE)")
    try await connection.query("INSERT INTO t VALUES (\(secret))")
    let duplicate = await #expect(throws: PostgresError.self) {
      try await connection.query("INSERT INTO t VALUES (\(secret))")
    }
    #expect(duplicate?.sqlState == "23505")
    guard case .server(let error) = duplicate else {
      Issue.record("\(String(describing: duplicate)) is not .server")
      return
    }
    #expect(error.constraint == "one_of_each")
    #expect(duplicate?.description.contains("23505") == true)
    #expect(duplicate?.description.contains("one_of_each") == true)
    #expect(duplicate?.description.contains(secret) == false)
    let wrong = await #expect(throws: PostgresError.self) { try await connection.query("SELECT \(secret)::int") }
    #expect(wrong?.sqlState == "22P02")
    #expect(wrong?.description.contains(secret) == false)
    #expect(wrong?.debugDescription.contains(secret) == true)
  }

  @Test func `statements of many tasks on one connection keep their results apart`() async throws {
    let connection = try await observer()
    try await withThrowingDiscardingTaskGroup { group in
      for number in 0..<100 {
        group.addTask {
          let results = try await connection.run(["SELECT \(number)::int", "SELECT \(number * 2)::int"])
          #expect(try results.map { try $0[0].decode(0, as: Int.self) } == [number, number * 2])
        }
      }
    }
  }

  @Test func `a closed connection is lost to its users, and gone from the server`() async throws {
    let name = TestEnvironment.uniqueName("closed")
    let admin = try await observer()
    let connection = try await PostgresConnection.connect(postgres(name: name))
    #expect(try await admin.backends(of: name).count == 1)
    await connection.close()
    #expect(await !connection.isUsable)
    let error = await #expect(throws: PostgresError.self) { try await connection.query("SELECT 1") }
    #expect(error?.kind == "connectionLost")
    try await eventually("its backend is gone") { try await admin.backends(of: name).isEmpty }
  }

  @Test func `a released connection is gone from the server`() async throws {
    let name = TestEnvironment.uniqueName("dropped")
    let admin = try await observer()
    do {
      let connection = try await PostgresConnection.connect(postgres(name: name))
      #expect(try await admin.backends(of: name).count == 1)
      try await connection.query("SELECT 1")
    }
    try await eventually("its backend is gone") { try await admin.backends(of: name).isEmpty }
  }
}
