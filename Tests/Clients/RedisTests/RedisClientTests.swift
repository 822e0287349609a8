import Redis
import TestServers
import Testing

@Suite(.serialized, .timeLimit(.minutes(1)))
struct RedisClientTests {
  @Test func `a value that was set is got`() async throws {
    try await withKey { client, key async throws in
      #expect(try await client.command("SET", "\(key)", "zoë 🦊") == .status("OK"))
      let reply = try await client.command("GET", "\(key)")
      #expect(reply.text == "zoë 🦊")
      #expect(reply == .string(Array("zoë 🦊".utf8)))
    }
  }

  @Test func `any bytes are a value`() async throws {
    try await withKey { client, key async throws in
      let values: [[UInt8]] = [
        [], [0], Array(0...255), Array("\r\n$-1\r\n*0\r\n".utf8), Array(repeating: 0, count: 1_000),
      ]
      for value in values {
        try await client.command("SET", "\(key)", RedisArgument(value))
        #expect(try await client.command("GET", "\(key)") == .string(value))
      }
    }
  }

  @Test func `a value of 16 MiB`() async throws {
    try await withKey(timeout: .seconds(30)) { client, key async throws in
      var value: [UInt8] = Array(0...255)
      while value.count < 16 << 20 { value += value }
      try await client.command("SET", "\(key)", RedisArgument(value))
      #expect(try await client.command("STRLEN", "\(key)") == .integer(16 << 20))
      let reply = try await client.command("GET", "\(key)")
      // Compared here: a failed expectation would print both.
      let isSame = reply == .string(value)
      #expect(isSame)
    }
  }

  @Test func `replies of every kind`() async throws {
    try await withKey { client, key async throws in
      #expect(try await client.command("GET", "\(key)") == .null)
      #expect(try await client.command("INCRBY", "\(key)", 41) == .integer(41))
      #expect(try await client.command("DECRBY", "\(key)", 100) == .integer(-59))
      #expect(try await client.command("MGET", "\(key)", "\(key)-none") == .array([.string(Array("-59".utf8)), .null]))
      #expect(try await client.command("LRANGE", "\(key)-none", 0, -1) == .array([]))
      #expect(try await client.command("PING") == .status("PONG"))
      let nested = try await client.command("EVAL", "return {1, {'a', {2}}, redis.error_reply('ODD inside')}", 0)
      let inner = RedisReply.array([.string(Array("a".utf8)), .array([.integer(2)])])
      guard case .array(let parts) = nested, parts.count == 3, case .error(let text) = parts[2] else {
        Issue.record("\(nested) is not an array with an error inside")
        return
      }
      #expect(parts.prefix(2) == [.integer(1), inner])
      #expect(text.hasPrefix("ODD"))
    }
  }

  @Test func `a refusal keeps only the error code of the reply`() async throws {
    try await withKey { client, key async throws in
      try await client.command("SET", "\(key)", "hunter2")
      await #expect(throws: RedisError.refused("ERR")) { try await client.command("INCR", "\(key)") }
      await #expect(throws: RedisError.refused("WRONGTYPE")) { try await client.command("LPUSH", "\(key)", "x") }
      let error = await #expect(throws: RedisError.self) { try await client.command("NOSUCH", "hunter2") }
      #expect(error?.description.contains("hunter2") == false)
      #expect(try await client.command("GET", "\(key)").text == "hunter2")
    }
  }

  @Test func `200 commands at once keep their replies apart`() async throws {
    try await withKey { client, _ async throws in
      try await withThrowingDiscardingTaskGroup { group in
        for number in 0..<200 {
          group.addTask { () async throws -> Void in
            let text = String(repeating: "\(number),", count: 1 + number * 7)
            for _ in 0..<5 { #expect(try await client.command("ECHO", RedisArgument(text)).text == text) }
          }
        }
      }
    }
  }

  @Test func `refusals among other commands end up with their own callers`() async throws {
    try await withKey { client, key async throws in
      try await client.command("SET", "\(key)", "text")
      try await withThrowingDiscardingTaskGroup { group in
        for number in 0..<100 {
          group.addTask { () async throws -> Void in
            if number.isMultiple(of: 3) {
              await #expect(throws: RedisError.refused("ERR")) { try await client.command("INCR", "\(key)") }
            } else {
              #expect(try await client.command("ECHO", RedisArgument("\(number)")).text == "\(number)")
            }
          }
        }
      }
    }
  }

  @Test func `the commands of one task take effect in their order`() async throws {
    try await withKey { client, key async throws in
      for number in 0..<200 { try await client.command("RPUSH", "\(key)", RedisArgument("\(number)")) }
      let expected = (0..<200).map { RedisReply.string(Array("\($0)".utf8)) }
      #expect(try await client.command("LRANGE", "\(key)", 0, -1) == .array(expected))
    }
  }

  @Test func `the database of the URL is selected`() async throws {
    try await withKey { client, key async throws in
      try await client.command("SET", "\(key)", "zero")
      let other = try RedisConfiguration(url: TestEnvironment.redis().with(path: "/5"))
      let elsewhere = try await withRedis(other) { try await $0.command("GET", "\(key)") }
      #expect(elsewhere == .null)
      let same = try RedisConfiguration(url: TestEnvironment.redis().with(path: "/0"))
      let here = try await withRedis(same) { try await $0.command("GET", "\(key)") }
      #expect(here.text == "zero")
    }
  }
}
