import Foundation
import Reports
import Testing

/// The instant that `2018-11-04T03:00` names in UTC.
func utc(_ text: String) throws -> Date { try Date("\(text):00Z", strategy: .iso8601) }

/// Writes an instant the way ``utc(_:)`` reads it.
func utcText(_ instant: Date) -> String { String(instant.formatted(.iso8601).prefix(16)) }

/// The calendar of a business in a zone.
func calendar(_ zone: String) throws -> RollupCalendar {
  RollupCalendar(zone: try #require(TimeZone(identifier: zone), "no zone \(zone)"))
}

/// An instant, and where it falls; all in UTC.
struct BucketStart: Sendable, CustomTestStringConvertible {
  let zone: String
  let instant: String
  let start: String

  init(_ zone: String, _ instant: String, _ start: String) {
    self.zone = zone
    self.instant = instant
    self.start = start
  }

  var testDescription: String { "\(instant) in \(zone)" }
}
