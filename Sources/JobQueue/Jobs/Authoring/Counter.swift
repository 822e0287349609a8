public import Foundation

/// What reports count: something that happened to a business in a minute.
public struct Counter: Sendable, Hashable {
  /// The business; nil: not known.
  public let tenant: UUID?
  /// What happened, such as `booking.confirmed`; a name without personal data.
  public let metric: String
  /// A subdivision of the metric, such as a reason or a kind of job; empty: none.
  public let detail: String
  /// The first instant of the minute it happened in.
  public let minute: Date

  /// Names what is counted; `instant` is rounded down to its minute.
  public init(tenant: UUID?, metric: String, detail: String = "", at instant: Date) {
    self.tenant = tenant
    self.metric = metric
    self.detail = detail
    minute = Date(timeIntervalSince1970: (instant.timeIntervalSince1970 / 60).rounded(.down) * 60)
  }
}
