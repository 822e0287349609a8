public import Foundation

/// What is counted for reports: how often something happened to a business in a minute.
public struct Counter: Sendable, Hashable {
  /// The business; nil where none is known.
  public let tenant: UUID?
  /// What happened, such as `booking.confirmed`; a name without data of a person.
  public let metric: String
  /// What distinguishes it further, such as a reason or a kind of job; empty where nothing does.
  public let detail: String
  /// The minute it happened in, its first instant.
  public let minute: Date

  /// Names what is counted; `at` is rounded down to its minute.
  public init(tenant: UUID?, metric: String, detail: String = "", at instant: Date) {
    self.tenant = tenant
    self.metric = metric
    self.detail = detail
    minute = Date(timeIntervalSince1970: (instant.timeIntervalSince1970 / 60).rounded(.down) * 60)
  }
}

/// A job as it ended, for whoever counts jobs.
public struct FinishedJob: Sendable {
  /// What it was.
  public let kind: JobKind
  /// What was known of it.
  public let info: JobInfo
  /// Completed or cancelled; a snoozed job has not ended.
  public let outcome: JobOutcome

  /// Made by the engine inside a completing transaction.
  public init(kind: JobKind, info: JobInfo, outcome: JobOutcome) {
    self.kind = kind
    self.info = info
    self.outcome = outcome
  }
}
