internal import Foundation
internal import Jobs
internal import RabbitMQ

/// Why a message is not a job.
struct UnreadableEnvelope: Error {
  let reason: String
}

/// Reads headers strictly: a header that is there with a wrong type or range is an error.
struct HeaderReader {
  let headers: [String: RabbitMQValue]

  /// The end of the year 9999, in seconds since 1970: later dates are mistakes, and `Date` loses precision far beyond.
  static let secondsMax: UInt64 = 253_402_300_799
  /// No count of attempts, runs or versions is greater.
  static let countMax: Int64 = 1_000_000

  /// True for text that PostgreSQL and logs accept.
  static func isPlain(_ text: String) -> Bool {
    !text.isEmpty && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
  }

  func count(_ name: String, missing: Int, least: Int64) throws(UnreadableEnvelope) -> Int {
    guard let value = headers[name] else { return missing }
    guard let number = value.integer, (least...Self.countMax).contains(number) else {
      throw UnreadableEnvelope(reason: "header \(name) is not a number from \(least) to \(Self.countMax)")
    }
    return Int(number)
  }

  func date(_ name: String) throws(UnreadableEnvelope) -> Date? {
    guard let value = headers[name] else { return nil }
    guard let number = value.integer, (0...Int64(Self.secondsMax) * 1_000).contains(number) else {
      throw UnreadableEnvelope(reason: "header \(name) is not a date in milliseconds since 1970")
    }
    return Date(milliseconds: number)
  }

  func uuid(_ name: String) throws(UnreadableEnvelope) -> UUID? {
    guard let value = headers[name] else { return nil }
    guard let uuid = value.string.flatMap(UUID.init(uuidString:)) else {
      throw UnreadableEnvelope(reason: "header \(name) is not a UUID")
    }
    return uuid
  }

  func text(_ name: String) throws(UnreadableEnvelope) -> String? {
    guard let value = headers[name] else { return nil }
    guard let text = value.string, Self.isPlain(text) else {
      throw UnreadableEnvelope(reason: "header \(name) is not plain text")
    }
    return text
  }
}

extension Date {
  var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }
  init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
