package import Jobs
package import Redis

/// Rate limits over all nodes: the buckets are in Redis, one key each, and a script changes them atomically.
///
/// While Redis is unavailable each node limits itself to its even part, so the limit is exceeded by no more than the
/// buckets' bursts.
package struct RedisRateLimiter: RateLimiter {
  private let redis: RedisClient
  private let fallback = LocalRateLimiter()

  /// Keeps its buckets under `vluma:rate:`.
  package init(redis: RedisClient) { self.redis = redis }

  /// The same algorithm as ``TokenBucket``, on Redis' clock, in microseconds. `%.0f`: Lua's own conversion keeps 14
  /// digits only. A full bucket expires.
  private static let script = """
    local t = redis.call('TIME')
    local now = t[1] * 1000000 + t[2]
    local interval, burst, waitMax = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local start = tonumber(redis.call('GET', KEYS[1]) or now)
    if start < now then start = now end
    local wait = start - now - interval * (burst - 1)
    if wait < 0 then wait = 0 end
    if wait > waitMax then return {0, wait} end
    local full = start + interval
    redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
    return {1, wait}
    """

  package func take(_ key: String, _ limit: RateLimit, waitMax: Duration, nodes: Int) async -> RateLimitDecision {
    guard redis.isConnected else {
      return await fallback.take(key, limit, waitMax: waitMax, nodes: nodes)
    }
    do {
      let reply = try await redis.command(
        "EVAL", .init(Self.script), "1", "vluma:rate:\(key)", "\(limit.interval.microseconds)", "\(limit.burst)",
        "\(waitMax.microseconds)")
      guard case .array(let parts) = reply, parts.count == 2, case .integer(let isTaken) = parts[0],
        case .integer(let wait) = parts[1]
      else { return await fallback.take(key, limit, waitMax: waitMax, nodes: nodes) }
      return isTaken == 1 ? .allowed(after: .microseconds(wait)) : .denied(retryAfter: .microseconds(wait))
    } catch {
      return await fallback.take(key, limit, waitMax: waitMax, nodes: nodes)
    }
  }
}

extension Duration {
  fileprivate var microseconds: Int64 {
    let (seconds, attoseconds) = components
    return max(1, seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
  }
}
