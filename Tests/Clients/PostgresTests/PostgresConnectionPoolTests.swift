import TestServers
import Testing

@testable import Postgres

@Suite(.timeLimit(.minutes(1)))
struct PostgresConnectionPoolTests {
  @Test func `one caller after the other uses one connection`() async throws {
    try await withConnectionPool(postgres()) { pool async throws in
      var backends: Set<Int> = []
      for _ in 0..<20 { backends.insert(try await pool.value("SELECT pg_backend_pid()")) }
      #expect(backends.count == 1)
    }
  }

  @Test func `50 callers at once share no more connections than the pool has`() async throws {
    let name = TestEnvironment.uniqueName("bound")
    let admin = try await observer()
    try await withConnectionPool(postgres(name: name), size: 4) { pool async throws in
      let leased = Locked((now: 0, most: 0))
      let backends = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<50 {
          group.addTask {
            try await pool.withConnection { connection async throws in
              leased.change { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
              defer { leased.change { $0.now -= 1 } }
              return try await connection.value("SELECT pg_backend_pid() FROM pg_sleep(0.02)")
            }
          }
        }
        var backends: Set<Int> = []
        for try await backend in group { backends.insert(backend) }
        return backends
      }
      #expect(leased.value.most <= 4)
      #expect(leased.value.now == 0)
      #expect(backends.count <= 4)
      #expect(try await admin.backends(of: name).count <= 4)
    }
    try await eventually("a closed pool has no connection") { try await admin.backends(of: name).isEmpty }
  }

  @Test func `a connection serves one caller at a time`() async throws {
    try await withConnectionPool(postgres(), size: 3) { pool async throws in
      let busy = Locked<Set<Int>>([])
      try await withThrowingDiscardingTaskGroup { group in
        for _ in 0..<60 {
          group.addTask {
            try await pool.withConnection { connection async throws in
              let backend: Int = try await connection.value("SELECT pg_backend_pid()")
              #expect(busy.change { $0.insert(backend).inserted }, "two callers have one connection")
              try await connection.query("SELECT pg_sleep(0.002)")
              busy.change { _ = $0.remove(backend) }
            }
          }
        }
      }
    }
  }

  @Test func `a caller that gets no connection until its deadline gets an error`() async throws {
    try await withConnectionPool(postgres(), size: 1) { pool async throws in
      try await pool.withConnection { _ in
        let took = await duration {
          let error = await #expect(throws: PostgresError.self) {
            try await pool.query("SELECT 1", deadline: .now + .milliseconds(300))
          }
          guard case .connectionPoolExhausted(size: 1) = error else {
            Issue.record("\(String(describing: error)) is not connectionPoolExhausted")
            return
          }
        }
        #expect(took >= .milliseconds(290))
        #expect(took < .seconds(4))
      }
      #expect(try await pool.value("SELECT 7") == 7)
    }
  }

  @Test func `a cancelled waiter is removed, and the next one is served`() async throws {
    try await withConnectionPool(postgres(), size: 1) { pool async throws in
      let (cancelledTask, waitingTask) = try await pool.withConnection { _ in
        let cancelledTask = Task { try await pool.value("SELECT 1", as: Int.self) }
        let waitingTask = Task { try await pool.value("SELECT 2", as: Int.self) }
        cancelledTask.cancel()
        await #expect(throws: CancellationError.self) { try await cancelledTask.value }
        return (cancelledTask, waitingTask)
      }
      #expect(cancelledTask.isCancelled)
      #expect(try await waitingTask.value == 2)
    }
  }

  @Test func `a connection is released after the caller failed`() async throws {
    struct Broken: Error {}
    try await withConnectionPool(postgres(), size: 1) { pool async throws in
      for _ in 0..<5 {
        await #expect(throws: Broken.self) { try await pool.withConnection { _ in throw Broken() } }
        _ = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1 / 0") }
      }
      #expect(try await pool.value("SELECT 1", as: Int.self) == 1)
    }
  }

  /// A connection that is released in the instant of a waiter's deadline must not be lost to the pool.
  @Test func `deadlines that pass just as a connection is released lose none`() async throws {
    try await withConnectionPool(postgres(), size: 1) { pool async throws in
      for round in 0..<600 {
        async let holder: Void = hold(pool)
        async let waiter: Void = tryOnce(pool, within: .microseconds(Int.random(in: 1_500...6_000)))
        _ = try await (holder, waiter)
        if round.isMultiple(of: 25) {
          #expect(try await pool.value("SELECT 1", as: Int.self) == 1, "round \(round)")
        }
      }
    }
  }

  private func hold(_ pool: PostgresConnectionPool) async throws { try await pool.query("SELECT pg_sleep(0.002)") }

  private func tryOnce(_ pool: PostgresConnectionPool, within limit: Duration) async throws {
    do { try await pool.query("SELECT 1", deadline: .now + limit) } catch is PostgresError {}
  }

  @Test func `cancellations that come just as a connection is released lose none`() async throws {
    try await withConnectionPool(postgres(), size: 1) { pool async throws in
      for round in 0..<300 {
        let holder = Task { try await hold(pool) }
        let waiters = (0..<3).map { _ in Task { try await pool.value("SELECT 1", as: Int.self) } }
        try await holder.value
        for waiter in waiters.dropLast() { waiter.cancel() }
        for waiter in waiters.dropLast() { _ = await waiter.result }
        #expect(try await waiters[2].value == 1, "round \(round)")
      }
    }
  }

  @Test func `while the server is unavailable callers get an error, and the pool works after its return`() async throws
  {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    proxy.refuseNew()
    try await withConnectionPool(postgres(port: proxy.port), size: 2) { pool async throws in
      for _ in 0..<5 {
        let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
        #expect(error?.kind == "connectionFailed")
      }
      proxy.acceptNew()
      #expect(try await pool.value("SELECT 1", as: Int.self) == 1)
    }
  }

  @Test func `a deadline holds while the pool connects too`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    proxy.freeze()
    try await withConnectionPool(postgres(port: proxy.port, connectTimeout: .seconds(10)), size: 1) {
      pool async throws in
      let took = await duration {
        await #expect(throws: PostgresError.self) {
          try await pool.query("SELECT 1", deadline: .now + .milliseconds(500))
        }
      }
      #expect(took < .seconds(4))
    }
  }

  @Test func `closing does not wait: leased connections close when they are released`() async throws {
    let name = TestEnvironment.uniqueName("close")
    let admin = try await observer()
    let pool = PostgresConnectionPool(try postgres(name: name), size: 2)
    try await pool.withConnection { connection async throws in
      await pool.close()
      #expect(try await connection.value("SELECT 3") == 3)
    }
    try await eventually("its backends are gone") { try await admin.backends(of: name).isEmpty }
  }

  @Test func `closing fails the callers that wait, and later ones`() async throws {
    let pool = PostgresConnectionPool(try postgres(), size: 1)
    try await pool.withConnection { _ async throws in
      let waiter = Task { try await pool.value("SELECT 1", as: Int.self) }
      // The waiter may not have come to the pool yet: then it is a later one.
      await pool.close()
      await #expect(throws: CancellationError.self) { try await waiter.value }
    }
    await #expect(throws: CancellationError.self) { try await pool.query("SELECT 1") }
  }

  @Test func `waiters are served in order of arrival`() async throws {
    try await withConnectionPool(postgres(), size: 1) { pool async throws in
      let served = Locked<[Int]>([])
      try await withThrowingDiscardingTaskGroup { group in
        try await pool.withConnection { _ async throws in
          for number in 0..<5 {
            let count = pool.waiterCount
            group.addTask { try await pool.withConnection { _ in served.change { $0.append(number) } } }
            try await eventually("it waits") { pool.waiterCount == count + 1 }
          }
        }
      }
      #expect(served.value == [0, 1, 2, 3, 4])
    }
  }
}
