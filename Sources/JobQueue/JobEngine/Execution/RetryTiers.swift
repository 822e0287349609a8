/// The fixed delays for which the broker can hold a job before it returns to its pool.
struct RetryTiers: Sendable, Equatable {
  /// The tiers' delays, shortest first.
  let tiers: [Duration]

  /// Sorts the delays and drops repeats.
  init(_ tiers: [Duration]) { self.tiers = tiers.sorted().reduce(into: []) { if $0.last != $1 { $0.append($1) } } }

  /// A neighbouring tier, drawn so that the mean delay is the one asked for.
  ///
  /// Nil: there are no tiers, or the delay is longer than one and a half times the longest, and PostgreSQL must hold
  /// the job.
  func tier(for delay: Duration, using generator: inout some RandomNumberGenerator) -> Duration? {
    guard let longest = tiers.last, delay <= longest * 1.5 else { return nil }
    guard let above = tiers.first(where: { $0 >= delay }) else { return longest }
    guard let below = tiers.last(where: { $0 < delay }) else {
      // The neighbour below the shortest tier would be no delay at all.
      return above
    }
    let fraction = (delay - below) / (above - below)
    return Double.random(in: 0..<1, using: &generator) < fraction ? above : below
  }
}
