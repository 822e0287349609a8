internal import ClientLoop
internal import Crypto
package import Foundation

/// The signature of a webhook's POST: `X-Hub-Signature-256: sha256=<64 hex digits>`, an HMAC-SHA256 with the app secret
/// over the raw bytes of the body, escapes included.
package enum WebhookSignature {
  package static let header = "X-Hub-Signature-256"

  /// Whether the header's value is the body's signature. Takes the same time for every wrong value.
  package static func isValid(_ value: String?, of body: some DataProtocol, secret: String) -> Bool {
    guard !secret.isEmpty, let value, value.hasPrefix("sha256="), let code = bytes(hex: value.utf8.dropFirst(7)) else {
      return false
    }
    return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: body, using: key(secret))
  }

  package static func value(for body: some DataProtocol, secret: String) -> String {
    "sha256=" + HMAC<SHA256>.authenticationCode(for: body, using: key(secret)).hexEncoded
  }

  /// Compares texts in a time that does not depend on where they differ.
  package static func isSame(_ given: String, _ expected: String) -> Bool {
    // HMACs with a random key are equal exactly if the texts are, and always have the same length.
    let key = SymmetricKey(size: .bits256)
    let code = HMAC<SHA256>.authenticationCode(for: Data(expected.utf8), using: key)
    return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Data(given.utf8), using: key)
  }

  private static func key(_ secret: String) -> SymmetricKey { SymmetricKey(data: Data(secret.utf8)) }

  private static func bytes(hex: some Collection<UInt8>) -> [UInt8]? {
    guard hex.count == 64 else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in hex {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
      default: return nil
      }
      if let upper = high {
        bytes.append(upper << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }
}
