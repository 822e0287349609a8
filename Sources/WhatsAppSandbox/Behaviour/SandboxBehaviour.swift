/// How the sandbox handles a valid request. Tests and `--fault` name each by its text.
package enum SandboxBehaviour: Sendable, Equatable {
  /// Accepts the message and answers. Text: `accept`.
  case accept
  /// Answers with one of Meta's errors; `httpStatus` nil: the one Meta uses for that code. Texts: `refuse:CODE`,
  /// `refuse:CODE:HTTP`.
  case refuse(code: Int, httpStatus: Int?)
  /// Closes the connection without a byte of answer; the message is not accepted. Text: `cut-before`.
  case cutBefore
  /// Accepts the message, then closes the connection without a byte of answer. Text: `cut-after`.
  case cutAfter
  /// Never answers; the message is not accepted. The connection stays open until the client closes it, at most ten
  /// minutes. Text: `silent`.
  case silent
  /// Accepts the message and never answers, like ``silent``. Text: `silent-after`.
  case silentAfter
  /// Waits, at most ten minutes, then accepts and answers. Text: `delay:MS`.
  case delay(Duration)
  /// Accepts the message; later posts a `failed` status with that code instead of `delivered`. Text: `fail-later:CODE`.
  case failLater(code: Int)
  /// Accepts the message and posts no status. Text: `no-status`.
  case withoutStatus
  /// Accepts the message, closes the connection without a byte of answer, and posts no status: the client cannot learn
  /// the outcome. Text: `cut-after-no-status`.
  case cutAfterWithoutStatus
  /// Accepts the message for a WhatsApp account whose number differs from the one given, as with Brazilian numbers from
  /// before the ninth digit: 8 to 15 digits. Text: `wa-id:DIGITS`.
  case waID(String)

  /// Parses one of the texts above; nil for any other.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
    let value = parts.count > 1 ? parts[1] : ""
    switch (parts.first ?? "", parts.count) {
    case ("accept", 1): self = .accept
    case ("cut-before", 1): self = .cutBefore
    case ("cut-after", 1): self = .cutAfter
    case ("silent", 1): self = .silent
    case ("silent-after", 1): self = .silentAfter
    case ("no-status", 1): self = .withoutStatus
    case ("cut-after-no-status", 1): self = .cutAfterWithoutStatus
    case ("refuse", 2):
      guard let code = Self.number(value, in: 0...999_999) else { return nil }
      self = .refuse(code: code, httpStatus: nil)
    case ("refuse", 3):
      guard let code = Self.number(value, in: 0...999_999), let status = Self.number(parts[2], in: 400...599) else {
        return nil
      }
      self = .refuse(code: code, httpStatus: status)
    case ("delay", 2):
      guard let milliseconds = Self.number(value, in: 0...600_000) else { return nil }
      self = .delay(.milliseconds(milliseconds))
    case ("fail-later", 2):
      guard let code = Self.number(value, in: 0...999_999) else { return nil }
      self = .failLater(code: code)
    case ("wa-id", 2):
      guard PhoneDigits.areValid(value) else { return nil }
      self = .waID(value)
    default: return nil
    }
  }

  private static func number(_ text: String, in range: ClosedRange<Int>) -> Int? {
    guard let number = Int(text), range.contains(number) else { return nil }
    return number
  }

  /// The error code, for the log and the list of messages.
  var code: Int? {
    switch self {
    case .refuse(let code, _), .failLater(let code): code
    default: nil
    }
  }
}
