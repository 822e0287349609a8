import Logging
import Redis
import TestServers

/// The real server, directly or through a proxy's port.
func redis(port: Int? = nil) throws -> RedisConfiguration {
  try RedisConfiguration(url: TestEnvironment.redis().with(port: port))
}

/// Runs `body` with a client, which is connected unless `waits` is false.
func withRedis<Value>(
  _ configuration: RedisConfiguration, timeout: Duration = .seconds(5), waits: Bool = true,
  _ body: (RedisClient) async throws -> Value
) async throws -> Value {
  let client = try RedisClient(configuration, timeout: timeout, logger: Logger(label: "test"))
  if waits { try await eventually("the client connects") { client.isConnected } }
  return try await body(client)
}

/// Runs `body` with a connected client and a key that no other test uses, then deletes the key.
func withKey(timeout: Duration = .seconds(5), _ body: (RedisClient, _ key: String) async throws -> Void) async throws {
  let key = TestEnvironment.uniqueName("test")
  try await withRedis(redis(), timeout: timeout) { client async throws in
    do { try await body(client, key) } catch {
      _ = try? await client.command("DEL", "\(key)")
      throw error
    }
    try await client.command("DEL", "\(key)")
  }
}
