import Foundation
import Jobs

/// A job with a field of every sort.
struct Parcel: Job, Equatable {
  enum Speed: String, Codable, Sendable { case slow, fast }

  struct Line: Codable, Sendable, Equatable { var count: Int }

  static let kind: JobKind = "parcel.send"
  static let schemaVersion = 3

  var to: String
  var weight: Int
  var at: Date?
  var speed: Speed?
  var lines: [Line] = []
}

/// A job that says nothing of its schema.
struct Letter: Job, Equatable {
  static let kind: JobKind = "letter.send"

  var to: String
}
