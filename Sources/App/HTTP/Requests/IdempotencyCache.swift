internal import Foundation
internal import Logging
internal import Redis

/// Accepted requests in Redis: soft state. Without it repeated requests are found only by the worker.
struct IdempotencyCache: Sendable {
  private let redis: RedisClient?

  /// At least the 24 hours within which clients may repeat an idempotency key.
  private static let lifetimeSeconds = 86_400

  init(redis: RedisClient?) { self.redis = redis }

  /// The fingerprint of the request that was accepted for a booking; nil: none is stored.
  func fingerprint(of booking: UUID) async -> String? {
    guard let redis, redis.isConnected else { return nil }
    return try? await redis.command("GET", Self.key(booking)).text
  }

  /// Stores an accepted request; an earlier fingerprint of the same booking stays.
  func store(_ booking: UUID, fingerprint: String, business: UUID) async {
    guard let redis, redis.isConnected else { return }
    _ = try? await redis.command(
      "SET", Self.key(booking), .init(fingerprint), "EX", .init(String(Self.lifetimeSeconds)), "NX")
    _ = try? await redis.command(
      "SET", Self.ownerKey(booking), .init(business.uuidString), "EX", .init(String(Self.lifetimeSeconds)))
  }

  /// True where a request of that business for that booking is stored.
  func contains(_ booking: UUID, of business: UUID) async -> Bool {
    guard let redis, redis.isConnected else { return false }
    return (try? await redis.command("GET", Self.ownerKey(booking)).text) == business.uuidString
  }

  private static func key(_ booking: UUID) -> RedisArgument { "vluma:booking:\(booking.uuidString)" }
  private static func ownerKey(_ booking: UUID) -> RedisArgument { "vluma:booking:\(booking.uuidString):business" }
}
