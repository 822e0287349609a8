internal import Foundation

/// An estimate of another machine's clock from its answers.
struct ClockEstimate: Sendable {
  private let date: Date
  private let instant: ContinuousClock.Instant

  /// Takes an answer into account: the clock was read at an unknown time between question and answer. The former
  /// estimate is kept where the answer allows it, and otherwise corrected by as little as possible. The first answer is
  /// assumed to have been read halfway.
  init(
    _ lastReading: Date, asked: ContinuousClock.Instant, answered: ContinuousClock.Instant,
    after former: ClockEstimate? = nil
  ) {
    let latest = lastReading.addingTimeInterval((answered - asked) / .seconds(1))
    let guess = former?.date(at: answered) ?? lastReading.addingTimeInterval((answered - asked) / .seconds(2))
    date = min(max(guess, lastReading), latest)
    instant = answered
  }

  /// The estimated time of day at another instant.
  func date(at other: ContinuousClock.Instant) -> Date { date.addingTimeInterval((other - instant) / .seconds(1)) }
}
