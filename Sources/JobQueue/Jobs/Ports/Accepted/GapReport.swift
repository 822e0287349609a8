package import Foundation

/// Jobs of one pool that were accepted, have not ended, and are nowhere.
package struct MissingJobs: Sendable, Equatable {
  package struct Example: Sendable, Equatable {
    package let jobRun: JobRun
    package let kind: JobKind

    package init(jobRun: JobRun, kind: JobKind) {
      self.jobRun = jobRun
      self.kind = kind
    }
  }

  package let pool: PoolName
  /// At least so many.
  package let count: Int
  /// When it was first seen.
  package let since: Date
  /// The oldest recorded ones, which are most likely among them.
  package var examples: [Example] = []

  package init(pool: PoolName, count: Int, since: Date) {
    self.pool = pool
    self.count = count
    self.since = since
  }

  /// A difference this old is no matter of readings that do not fit together.
  package static let certainAfter = Duration.seconds(45)
  /// It must have been seen at so many looks.
  package static let certainLooks = 5
}

/// What the sweep knows that compares accepted jobs with what exists.
package struct GapReport: Sendable, Equatable {
  /// How long ago it last looked; nil: never.
  package var secondsSinceLook: Double?
  /// Why its last look could not judge; nil: it could.
  package var unknown: String?
  /// By pool, in the order of names.
  package var missing: [MissingJobs] = []

  package init() {}

  /// The sweep looks every few seconds; after this long without a look nothing is known.
  package static let staleAfter = Duration.seconds(60)

  /// True: ``missing`` says what is the case now.
  package var isCurrent: Bool {
    unknown == nil && secondsSinceLook.map { $0 <= Self.staleAfter / .seconds(1) } ?? false
  }
}
