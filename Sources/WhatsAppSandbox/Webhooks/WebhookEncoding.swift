internal import Crypto
internal import Foundation

/// Encodes and signs webhooks.
enum WebhookEncoding {
  static let signatureHeader = "X-Hub-Signature-256"

  /// The bytes of a webhook: ASCII only, because Meta signs the escaped text.
  static func body(_ document: JSONValue) -> Data { escaped(document.data(escapingSlashes: true)) }

  /// Replaces each UTF-16 unit that is not ASCII by `\uXXXX` in lower case. Such units occur only within JSON strings.
  static func escaped(_ json: Data) -> Data {
    var escaped = Data()
    escaped.reserveCapacity(json.count + 64)
    for unit in String(decoding: json, as: UTF8.self).utf16 {
      if unit < 0x80 {
        escaped.append(UInt8(unit))
      } else {
        let digits = String(unit, radix: 16)
        escaped.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
      }
    }
    return escaped
  }

  /// The header's value: HMAC-SHA256 over the exact bytes, keyed by the app's secret.
  static func signature(of body: Data, secret: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Data(secret.utf8)))
    return "sha256=\(Hashing.hex(Array(code)))"
  }
}
