/// Telephone numbers as WhatsApp writes them: digits with the country code, without a plus sign.
///
/// Brazil's mobile numbers have a ninth digit since 2012 to 2016, and older WhatsApp ids lack it; no rule tells which.
/// So a number may have an alternate number, and is identified by the form with nine digits.
package enum PhoneNumber {
  /// Brazil's area codes.
  private static let areas: Set<String> = {
    let ranges: [ClosedRange<Int>] = [
      11...19, 21...22, 24...24, 27...28, 31...35, 37...38, 41...49, 51...51, 53...55, 61...69, 71...71, 73...75,
      77...77, 79...79, 81...89, 91...99,
    ]
    return Set(ranges.joined().map { String($0) })
  }()

  /// The digits of a number as people write it, with Brazil's country code if it has none; nil: not a number.
  ///
  /// Leading `00` is dropped, and leading `0` with or without the two digits of a carrier.
  package static func digits(of text: String) -> String? {
    var digits = text.filter { $0.isASCII && $0.isNumber }
    if text.contains("+") { return (8...15).contains(digits.count) ? digits : nil }
    if digits.hasPrefix("00") {
      digits.removeFirst(2)
    } else if digits.hasPrefix("0") {
      digits.removeFirst()
      if digits.count == 12 || digits.count == 13 { digits.removeFirst(2) }  // a carrier's code
      digits = "55" + digits
    } else if digits.count == 10 || digits.count == 11 {
      digits = "55" + digits
    }
    guard (8...15).contains(digits.count) else { return nil }
    // A Brazilian number must have an existing area code.
    let isBrazilian = digits.hasPrefix("55") && (12...13).contains(digits.count)
    return isBrazilian && !areas.contains(String(digits.dropFirst(2).prefix(2))) ? nil : digits
  }

  /// The digits of a number in E.164.
  package static func digits(e164: String) -> String { e164.filter { $0 != "+" } }

  /// A Brazilian mobile number with, or without, the ninth digit; nil: any other number.
  package static func alternateNumber(of digits: String) -> String? {
    guard digits.hasPrefix("55"), digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    let national = digits.dropFirst(2)
    let (area, subscriber) = (national.prefix(2), national.dropFirst(2))
    guard areas.contains(String(area)), let first = subscriber.first else { return nil }
    // Landlines begin with 2 to 5 and never had a ninth digit.
    switch subscriber.count {
    case 8 where ("6"..."9").contains(first): return "55\(area)9\(subscriber)"
    case 9 where first == "9" && ("6"..."9").contains(subscriber.dropFirst().first ?? "0"):
      return "55\(area)\(subscriber.dropFirst())"
    default: return nil
    }
  }

  /// The form that identifies a number: of a Brazilian mobile number the one with nine digits.
  package static func identity(of digits: String) -> String {
    guard let other = alternateNumber(of: digits), other.count > digits.count else { return digits }
    return other
  }
}
