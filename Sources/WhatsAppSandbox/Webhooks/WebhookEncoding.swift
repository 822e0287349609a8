internal import Crypto
internal import Foundation

/// How webhooks are written and signed.
enum WebhookEncoding {
  /// The name of the header that holds the signature.
  static let signatureHeader = "X-Hub-Signature-256"

  /// The bytes of a webhook: ASCII alone, for Meta signs what it has escaped.
  static func body(_ document: JSONValue) -> Data { escaped(document.data(escapingSlashes: true)) }

  /// The same JSON with all that is not ASCII as `\uXXXX`, in lower case; two of them where one is not enough. Outside
  /// of strings JSON is ASCII, so every such character stands in one.
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

  /// The signature's header: HMAC-SHA256 over the exact bytes, keyed by the app's secret.
  static func signature(of body: Data, secret: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Data(secret.utf8)))
    return "sha256=\(Hashing.hex(Array(code)))"
  }
}
