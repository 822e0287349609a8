internal import Foundation
internal import Logging
internal import Redis

/// What Redis contains of accepted requests: soft state. Without it everything still works; repeats are only told
/// apart later.
struct IdempotencyCache: Sendable {
  private let redis: RedisClient?

  /// At least the 24 hours within which clients may repeat an idempotency key.
  private static let seconds = 86_400

  init(redis: RedisClient?) { self.redis = redis }

  /// The fingerprint of the request that was accepted for a booking; nil where none is remembered.
  func fingerprint(of booking: UUID) async -> String? {
    guard let redis, redis.isConnected else { return nil }
    return try? await redis.command("GET", Self.key(booking)).text
  }

  /// Remembers an accepted request; the first one stays.
  func store(_ booking: UUID, fingerprint: String, business: UUID) async {
    guard let redis, redis.isConnected else { return }
    _ = try? await redis.command("SET", Self.key(booking), .init(fingerprint), "EX", .init(String(Self.seconds)), "NX")
    _ = try? await redis.command(
      "SET", Self.ownerKey(booking), .init(business.uuidString), "EX", .init(String(Self.seconds)))
  }

  /// True where a request of that business for that booking is remembered.
  func contains(_ booking: UUID, of business: UUID) async -> Bool {
    guard let redis, redis.isConnected else { return false }
    return (try? await redis.command("GET", Self.ownerKey(booking)).text) == business.uuidString
  }

  private static func key(_ booking: UUID) -> RedisArgument { "vluma:booking:\(booking.uuidString)" }
  private static func ownerKey(_ booking: UUID) -> RedisArgument { "vluma:booking:\(booking.uuidString):business" }
}
