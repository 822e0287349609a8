import Logging
import Redis
import TestServers
import Testing

@Suite(.serialized, .timeLimit(.minutes(1)))
struct RedisFailureTests {
  @Test func `while the server is unavailable every command fails at once`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    proxy.stop()
    try await withRedis(redis(port: proxy.port), waits: false) { client async throws in
      #expect(!client.isConnected)
      let took = await duration {
        for _ in 0..<100 { await #expect(throws: RedisError.unavailable) { try await client.command("PING") } }
      }
      #expect(took < .seconds(1))
    }
  }

  @Test func `a login that the server refuses is no connection`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    defer { proxy.stop() }
    let configuration = try RedisConfiguration(
      url: TestEnvironment.redis().with(user: "nobody-here", password: "wrong", port: proxy.port))
    try await withRedis(configuration, waits: false) { client async throws in
      let refusal = await #expect(throws: RedisError.self) { try await client.firstConnection() }
      #expect(refusal == .loginRefused(server: configuration.serverName, reason: "AUTH failed: WRONGPASS"))
      await #expect(throws: RedisError.unavailable) { try await client.command("PING") }
      #expect(!client.isConnected)
    }
  }

  @Test func `the connection comes back after a cut`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    defer { proxy.stop() }
    try await withRedis(redis(port: proxy.port)) { client async throws in
      for _ in 0..<5 {
        #expect(try await client.command("PING") == .status("PONG"))
        proxy.cutAll()
        try await eventually("it is connected again") {
          do { return try await client.command("PING") == .status("PONG") } catch is RedisError { return false }
        }
      }
    }
  }

  @Test func `a cut ends the commands under way at once`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    defer { proxy.stop() }
    try await withRedis(redis(port: proxy.port), timeout: .seconds(40)) { client async throws in
      // Blocks on the server: no test pushes to this key.
      let key = TestEnvironment.uniqueName("test")
      let before = proxy.bytesFromClient
      let waiting = Task { try await client.command("BLPOP", "\(key)", 30) }
      try await eventually("the command was sent") { proxy.bytesFromClient > before }
      proxy.cutAll()
      let took = await duration {
        await #expect(throws: RedisError.connectionLost) { try await waiting.value }
      }
      #expect(took < .seconds(3))
    }
  }

  @Test func `with a server that stops replying each command takes its timeout, and no longer`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    defer { proxy.stop() }
    try await withRedis(redis(port: proxy.port), timeout: .milliseconds(400)) { client async throws in
      #expect(try await client.command("PING") == .status("PONG"))
      proxy.freeze()
      let took = await duration {
        await #expect(throws: RedisError.deadlineExceeded) { try await client.command("PING") }
      }
      #expect(took >= .milliseconds(390))
      #expect(took < .seconds(3))
      proxy.unfreeze()
      try await eventually(within: .seconds(20), "it works again") {
        do { return try await client.command("PING") == .status("PONG") } catch is RedisError { return false }
      }
    }
  }

  @Test func `replies that come too late reach no other caller`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    defer { proxy.stop() }
    try await withRedis(redis(port: proxy.port), timeout: .milliseconds(500)) { client async throws in
      #expect(try await client.command("ECHO", "before").text == "before")
      proxy.freeze()
      await #expect(throws: RedisError.deadlineExceeded) { try await client.command("ECHO", "late") }
      proxy.unfreeze()
      try await eventually(within: .seconds(20), "it works again") {
        do {
          let text = try await client.command("ECHO", "after").text
          #expect(text == "after")
          return true
        } catch is RedisError { return false }
      }
    }
  }

  @Test func `a connection without replies is closed`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    defer { proxy.stop() }
    try await withRedis(redis(port: proxy.port), timeout: .milliseconds(300)) { client async throws in
      proxy.freeze()
      await #expect(throws: RedisError.deadlineExceeded) { try await client.command("PING") }
      try await eventually("it is closed") { !client.isConnected }
      await #expect(throws: RedisError.unavailable) { try await client.command("PING") }
    }
  }

  @Test func `a cancelled task returns at once`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    defer { proxy.stop() }
    try await withRedis(redis(port: proxy.port), timeout: .seconds(40)) { client async throws in
      proxy.freeze()
      let before = proxy.bytesFromClient
      let waiting = Task { try await client.command("PING") }
      try await eventually("the command was sent") { proxy.bytesFromClient > before }
      waiting.cancel()
      let took = await duration { await #expect(throws: CancellationError.self) { try await waiting.value } }
      #expect(took < .seconds(1))
      // The reply to the cancelled command is not taken for the next one's.
      proxy.unfreeze()
      #expect(try await client.command("ECHO", "next").text == "next")
    }
  }

  @Test func `no command outlives its timeout while the server stops and starts`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    defer { proxy.stop() }
    try await withRedis(redis(port: proxy.port), timeout: .milliseconds(300)) { client async throws in
      let isOver = Locked(false)
      let longest = Locked(Duration.zero)
      try await withThrowingDiscardingTaskGroup { group in
        for number in 0..<8 {
          group.addTask { () async throws -> Void in
            while !isOver.value {
              let took = try await duration {
                do {
                  let reply = try await client.command("ECHO", RedisArgument("\(number)"))
                  #expect(reply.text == "\(number)")
                } catch is RedisError {}
              }
              longest.change { $0 = max($0, took) }
              try await eventually("there is a connection again") { client.isConnected || isOver.value }
            }
          }
        }
        for _ in 0..<6 {
          try await eventually("it is connected") { client.isConnected }
          proxy.refuseNew()
          proxy.cutAll()
          // Unavailable for longer than any command may take.
          let end = ContinuousClock.now + .milliseconds(1_800)
          try await eventually("time passes") { ContinuousClock.now > end }
          proxy.acceptNew()
        }
        isOver.change { $0 = true }
      }
      #expect(longest.value < .milliseconds(1_500))
    }
  }

  @Test func `a released client closes its connection`() async throws {
    let proxy = try TestEnvironment.redis().proxy()
    defer { proxy.stop() }
    do {
      let client = try RedisClient(redis(port: proxy.port), logger: Logger(label: "test"))
      try await eventually("the client connects") { client.isConnected }
      #expect(proxy.connectionCount == 1)
    }
    try await eventually("its connection is gone") { proxy.connectionCount == 0 }
  }
}
