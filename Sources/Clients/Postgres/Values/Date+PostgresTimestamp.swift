internal import Foundation

extension Date {
  /// ISO 8601 in UTC with microseconds. Beyond year 9999, or before year 1, the server's `infinity` is sent instead.
  var postgresTimestamp: String {
    let seconds = timeIntervalSince1970
    // Not a number counts as beyond: a conversion to an integer would trap.
    guard seconds < 253_402_300_800 else { return "infinity" }
    if seconds < -62_135_596_800 { return "-infinity" }
    let micros = Int64((seconds * 1_000_000).rounded())
    let (day, rest) = micros.flooredQuotientAndRemainder(dividingBy: 86_400_000_000)
    let (year, month, dayOfMonth) = Self.civil(day)
    func padded(_ number: Int64, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let (second, fraction) = rest.quotientAndRemainder(dividingBy: 1_000_000)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))T\(padded(second / 3_600, 2)):"
      + "\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2)).\(padded(fraction, 6))Z"
  }

  /// The Gregorian date, for all time as PostgreSQL counts it, of a day since 1970. (Foundation's calendar is Julian
  /// before 1582.)
  ///
  /// Counts in years that begin in March, so that a leap day comes last: years of 400 repeat after 146,097 days.
  private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = (day + 719_468).flooredQuotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }
}

extension Int64 {
  /// Division that rounds down, so that the remainder is never negative.
  fileprivate func flooredQuotientAndRemainder(dividingBy divisor: Int64) -> (Int64, Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
