internal import Crypto
package import Foundation

/// A SHA-256 over fields, from which stable keys are made. Each field is preceded by its length, so that fields that
/// are joined otherwise have another digest.
package struct ContentDigest {
  private var hash = SHA256()

  package init() {}

  package mutating func append(_ field: some DataProtocol) {
    withUnsafeBytes(of: UInt64(field.count).bigEndian) { hash.update(bufferPointer: $0) }
    hash.update(data: field)
  }

  package mutating func append(_ field: String) { append(Data(field.utf8)) }

  /// Nil has another digest than an empty field.
  package mutating func append(_ field: String?) {
    append(field == nil ? "0" : "1")
    append(field ?? "")
  }

  /// The first 8 bytes as 16 hexadecimal digits.
  package var shortHex: String {
    hash.finalize().prefix(8).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }

  /// The first 16 bytes as a UUIDv8 (RFC 9562, section 5.8).
  package var uuid: UUID {
    var bytes = uuid_t(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    withUnsafeMutableBytes(of: &bytes) { $0.copyBytes(from: Array(hash.finalize().prefix(16))) }
    bytes.6 = bytes.6 & 0x0f | 0x80
    bytes.8 = bytes.8 & 0x3f | 0x80
    return UUID(uuid: bytes)
  }
}
