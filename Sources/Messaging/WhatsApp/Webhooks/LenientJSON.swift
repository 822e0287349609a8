internal import Foundation

/// Reads JSON from outside so that a database can store it: PostgreSQL's text accepts no NUL, and Foundation's parser
/// no unpaired surrogates. Both become U+FFFD, the replacement character, as do bytes that are not UTF-8.
enum LenientJSON {
  /// Nil: not JSON even after the replacements.
  static func object(_ body: Data) -> Any? {
    // JSON in UTF-8 has no zero byte. Foundation would read such bytes as UTF-16 or UTF-32, which is never sent.
    guard !body.contains(0) else { return nil }
    if !mayHoldNull(body), let object = try? JSONSerialization.jsonObject(with: body, options: .fragmentsAllowed) {
      return object
    }
    return try? JSONSerialization.jsonObject(with: repaired(body), options: .fragmentsAllowed)
  }

  /// Keys are sorted, so that equal values give equal texts.
  static func text(_ value: Any) -> String {
    guard
      let data = try? JSONSerialization.data(
        withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
    else { return "null" }
    return String(decoding: data, as: UTF8.self)
  }

  private static func mayHoldNull(_ body: Data) -> Bool { body.firstRange(of: Data(#"\u0000"#.utf8)) != nil }

  /// Replaces the escapes that cannot be stored.
  private static func repaired(_ body: Data) -> Data {
    let text = Array(String(decoding: body, as: UTF8.self).utf8)
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      guard text[index] == UInt8(ascii: "\\"), index + 1 < text.count else {
        result.append(text[index])
        index += 1
        continue
      }
      guard let unit = codeUnit(text, index) else {
        result += text[index...(index + 1)]  // another escape, or an escaped backslash
        index += 2
        continue
      }
      let next = codeUnit(text, index + 6)
      if (0xd800..<0xdc00).contains(unit), let next, (0xdc00..<0xe000).contains(next) {
        result += text[index..<(index + 12)]
        index += 12
      } else {
        result +=
          unit == 0 || (0xd800..<0xe000).contains(unit) ? Array(#"\ufffd"#.utf8) : Array(text[index..<(index + 6)])
        index += 6
      }
    }
    return Data(result)
  }

  /// The code unit of the escape `\uXXXX` at an index; nil: no such escape.
  private static func codeUnit(_ text: [UInt8], _ index: Int) -> UInt32? {
    guard index + 6 <= text.count, text[index] == UInt8(ascii: "\\"), text[index + 1] == UInt8(ascii: "u") else {
      return nil
    }
    return UInt32(String(decoding: text[(index + 2)..<(index + 6)], as: UTF8.self), radix: 16)
  }
}
