/// The bucket sizes of reports.
package enum Granularity: String, Sendable, CaseIterable, Codable {
  case minute, hour, day
}
