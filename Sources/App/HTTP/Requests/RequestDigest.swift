internal import ClientLoop
internal import Crypto
internal import Foundation

/// SHA-256 over a request's text.
enum RequestDigest {
  static func hex(_ text: String) -> String {
    SHA256.hash(data: Data(text.utf8)).hexEncoded
  }

  /// A UUID made of the hash: version 8, "custom" (RFC 9562).
  static func uuid(_ text: String) -> UUID {
    var bytes = Array(SHA256.hash(data: Data(text.utf8)).prefix(16))
    bytes[6] = bytes[6] & 0x0f | 0x80
    bytes[8] = bytes[8] & 0x3f | 0x80
    return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
  }
}
