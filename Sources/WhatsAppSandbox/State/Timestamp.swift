internal import Foundation

enum Timestamp {
  /// ISO 8601 with milliseconds, in UTC.
  static func iso8601(_ date: Date) -> String {
    date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  /// Unix seconds, as WhatsApp writes them in messages and statuses: a string.
  static func seconds(_ date: Date) -> String { String(Int(date.timeIntervalSince1970)) }
}
