import Foundation
import Jobs

/// A job with fields of every sort.
struct SampleJob: Job, Equatable {
  enum Priority: String, Codable, Sendable { case slow, fast }

  struct Line: Codable, Sendable, Equatable { var count: Int }

  static let kind: JobKind = "test.sample"
  static let schemaVersion = 3

  var to: String
  var weight: Int
  var at: Date?
  var priority: Priority?
  var lines: [Line] = []
}

/// A job with the default schema version.
struct FollowUpJob: Job, Equatable {
  static let kind: JobKind = "test.follow_up"

  var to: String
}
