internal import Foundation

/// Dates and times of the API's requests and responses.
///
/// By hand rather than by Foundation: its digits are those of every script (`\d` takes `٣` for 3), it moves a 30th of
/// February to March, and a list of availability has thousands of times to write.
enum RFC3339 {
  static let requirement =
    "must be a date and time with its offset, such as 2026-11-24T14:00:00-03:00, from 2000 to 2099"

  /// Seconds from UTC that an offset may have.
  private static let offsetMax = 18 * 3_600

  /// Reads RFC 3339 to the second, with `Z` or an offset; nil for anything else, or a year outside 2000 to 2099.
  static func parse(_ text: String) -> Date? {
    let bytes = Array(text.utf8)
    let isUTC = bytes.count == 20
    guard isUTC || bytes.count == 25 else { return nil }
    func number(_ start: Int, _ length: Int, _ range: ClosedRange<Int>) -> Int? {
      var value = 0
      for byte in bytes[start..<(start + length)] {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
      }
      return range.contains(value) ? value : nil
    }
    func isSeparated(_ separators: KeyValuePairs<Int, Character>) -> Bool {
      separators.allSatisfy { bytes[$0.key] == $0.value.asciiValue }
    }
    guard isSeparated([4: "-", 7: "-", 10: "T", 13: ":", 16: ":"]),
      let year = number(0, 4, 2000...2099), let month = number(5, 2, 1...12), let day = number(8, 2, 1...31),
      let hour = number(11, 2, 0...23), let minute = number(14, 2, 0...59), let second = number(17, 2, 0...59),
      isUTC ? isSeparated([19: "Z"]) : isSeparated([22: ":"])
    else { return nil }
    var offset = 0
    if !isUTC {
      guard let hours = number(20, 2, 0...23), let minutes = number(23, 2, 0...59) else { return nil }
      switch bytes[19] {
      case UInt8(ascii: "+"): offset = hours * 3_600 + minutes * 60
      case UInt8(ascii: "-"): offset = -(hours * 3_600 + minutes * 60)
      default: return nil
      }
      guard abs(offset) <= offsetMax else { return nil }
    }
    let days = CivilDay.number(year: year, month: month, day: day)
    // A day that the month does not have is written differently from what was read.
    guard CivilDay.date(days) == (year, month, day) else { return nil }
    return Date(timeIntervalSince1970: TimeInterval(days * 86_400 + hour * 3_600 + minute * 60 + second - offset))
  }

  static func string(_ date: Date, in zone: TimeZone = .gmt) -> String {
    let offset = zone.secondsFromGMT(for: date)
    // Times outside of these centuries are not the API's; they must not trap either.
    let seconds = min(max(date.timeIntervalSince1970.rounded(.down), -62_135_596_800), 253_402_300_799)
    let local = Int(seconds) + offset
    let days = Int((Double(local) / 86_400).rounded(.down))
    let (year, month, day) = CivilDay.date(days)
    let time = local - days * 86_400
    var text = ""
    text.reserveCapacity(25)
    append(year, 4, to: &text)
    for (separator, value) in [("-", month), ("-", day), ("T", time / 3_600), (":", time / 60 % 60), (":", time % 60)] {
      text += separator
      append(value, 2, to: &text)
    }
    guard offset != 0 else { return text + "Z" }
    text += offset < 0 ? "-" : "+"
    append(abs(offset) / 3_600, 2, to: &text)
    text += ":"
    append(abs(offset) / 60 % 60, 2, to: &text)
    return text
  }

  private static func append(_ number: Int, _ width: Int, to text: inout String) {
    let digits = String(max(0, number))
    for _ in 0..<max(0, width - digits.utf8.count) { text += "0" }
    text += digits
  }
}

/// Days of the Gregorian calendar, counted from 1970-01-01.
private enum CivilDay {
  /// A day the month does not have counts on into the next month.
  static func number(year: Int, month: Int, day: Int) -> Int {
    // Years begin in March, so that a leap day is a year's last one; 400 years have 146,097 days.
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  static func date(_ number: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = number + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }
}
