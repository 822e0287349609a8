import Foundation
import Jobs

/// A job with a field of every sort.
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

/// A job that says nothing of its schema.
struct FollowUpJob: Job, Equatable {
  static let kind: JobKind = "test.follow_up"

  var to: String
}
