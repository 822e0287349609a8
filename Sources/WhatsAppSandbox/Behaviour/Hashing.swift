internal import Crypto
internal import Foundation

/// SHA-256, from which all random choices and ids are derived.
enum Hashing {
  static func bytes(_ data: Data) -> [UInt8] { Array(SHA256.hash(data: data)) }

  static func bytes(_ text: String) -> [UInt8] { bytes(Data(text.utf8)) }

  /// The first eight bytes, as a number.
  static func number(_ text: String) -> UInt64 {
    bytes(text).prefix(8).reduce(UInt64(0)) { ($0 << 8) | UInt64($1) }
  }

  /// Two lower-case digits a byte.
  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}
