public import Foundation

/// What is counted for reports: how often something happened to a business in a minute.
public struct CountKey: Sendable, Hashable {
  /// The business; nil where none is known.
  public let tenant: UUID?
  /// What happened, such as `booking.confirmed`; a name without data of a person.
  public let measure: String
  /// What distinguishes it further, such as a reason or a kind of job; empty where nothing does.
  public let detail: String
  /// The minute it happened in, its first instant.
  public let minute: Date

  /// Names what is counted; `at` is rounded down to its minute.
  public init(tenant: UUID?, measure: String, detail: String = "", at instant: Date) {
    self.tenant = tenant
    self.measure = measure
    self.detail = detail
    minute = Date(timeIntervalSince1970: (instant.timeIntervalSince1970 / 60).rounded(.down) * 60)
  }
}

/// A job as it was closed, for whoever counts jobs.
public struct ClosedJob: Sendable {
  /// What it was.
  public let kind: JobKind
  /// What was known of it.
  public let info: JobInfo
  /// Completed or discarded; a snoozed job is not closed.
  public let outcome: JobOutcome

  /// Made by the engine inside a closing transaction.
  public init(kind: JobKind, info: JobInfo, outcome: JobOutcome) {
    self.kind = kind
    self.info = info
    self.outcome = outcome
  }
}
