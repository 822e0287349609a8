import Jobs
import JobsRedis
import Logging
import Redis
import TestServers

/// 60 a minute: six at once, then one a second, so that the waits are much longer than a test runs.
let sixtyAMinute = RateLimit(count: 60, per: .seconds(60))

/// The wait of an allowed token; throws for a denied one.
func allowedWait(_ decision: RateLimitDecision) throws -> Duration {
  guard case .allowed(let wait) = decision else { throw TestError(description: "\(decision) is not allowed") }
  return wait
}

/// The tokens that are too early for a limit, or too late. All waits were returned within `elapsed`.
///
/// After the bucket's burst there is one token an interval: the n-th is due (n - burst) intervals after the first.
func violations(in waits: [Duration], _ limit: RateLimit, within elapsed: Duration) -> [String] {
  // Redis counts in whole microseconds.
  let tolerance = Duration.milliseconds(2)
  return waits.sorted().enumerated().compactMap { place, wait -> String? in
    let due = max(.zero, limit.interval * (place + 1 - limit.burst))
    if wait + elapsed + tolerance < due { return "token \(place + 1) in \(wait), not before \(due)" }
    if wait > due + tolerance { return "token \(place + 1) in \(wait), although it was due in \(due)" }
    return nil
  }
}

/// A client of the server the tests use, connected.
func connectedRedis(_ configuration: RedisConfiguration) async throws -> RedisClient {
  let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  let client = try RedisClient(configuration, timeout: .seconds(5), logger: logger)
  try await eventually("the client connects") { client.isConnected }
  return client
}

/// Runs `body` with two limiters, each on its own connection, and a key that no other test uses; then deletes the key's
/// bucket.
func withLimiters(
  _ body: (_ limiters: [RedisRateLimiter], _ key: String, _ client: RedisClient) async throws -> Void
) async throws {
  let configuration = try RedisConfiguration(url: TestEnvironment.redis().string)
  let clients = [try await connectedRedis(configuration), try await connectedRedis(configuration)]
  let key = TestEnvironment.uniqueName("test")
  let result: Result<Void, any Error>
  do {
    result = .success(try await body(clients.map { RedisRateLimiter(redis: $0) }, key, clients[0]))
  } catch {
    result = .failure(error)
  }
  _ = try? await clients[0].command("DEL", "vluma:rate:\(key)")
  try result.get()
}
