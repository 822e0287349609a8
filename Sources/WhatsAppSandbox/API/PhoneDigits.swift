/// Rules for phone numbers that are written as digits only, country code first.
enum PhoneDigits {
  /// True for 8 to 15 digits, the length of an international number (E.164).
  static func areValid(_ text: String) -> Bool {
    (8...15).contains(text.utf8.count) && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  /// The WhatsApp account behind a number: a Brazilian mobile number is the same account with and without its ninth
  /// digit (55, two digits of area code, 9, then eight digits of which the first is 6 to 9).
  static func account(_ digits: String) -> String {
    let bytes = Array(digits.utf8)
    guard bytes.count == 13, digits.hasPrefix("55"), bytes[4] == UInt8(ascii: "9"), bytes[5] >= UInt8(ascii: "6") else {
      return digits
    }
    return "\(digits.prefix(4))\(digits.dropFirst(5))"
  }

  /// For the log: the first and last four characters with stars between them; only stars where it is short.
  static func masked(_ recipient: String) -> String {
    guard recipient.count > 8 else { return String(repeating: "*", count: recipient.count) }
    let stars = String(repeating: "*", count: recipient.count - 8)
    return "\(recipient.prefix(4))\(stars)\(recipient.suffix(4))"
  }
}
