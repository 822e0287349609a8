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
  /// Texts of more bytes are no trace context of W3C, which advises to pass on 512; a longer one might not fit into the
  /// frame of a retry or dead letter.
  static let textBytesMax = 1_024

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
    guard text.utf8.count <= Self.textBytesMax else {
      throw UnreadableEnvelope(
        reason: "header \(name) has \(text.utf8.count) bytes; at most \(Self.textBytesMax) are allowed")
    }
    return text
  }
}

extension Date {
  /// Milliseconds since 1970; instants outside the years 1 to 9999 become the nearest one in them.
  var milliseconds: Int64 { Int64((clampedSeconds * 1000).rounded()) }

  /// Seconds since 1970, in the years 1 to 9999: a conversion to an integer traps on what does not fit.
  var clampedSeconds: Double {
    let seconds = timeIntervalSince1970
    return seconds.isNaN ? 0 : min(max(seconds, -62_135_596_800), Double(HeaderReader.secondsMax))
  }

  init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
