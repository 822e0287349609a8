/// The fixed pauses the broker can keep a job for; a drawn pause is rounded to a neighbouring one at random so that the
/// mean holds.
package struct RetryTiers: Sendable, Equatable {
  /// The tiers' pauses, shortest first.
  package let tiers: [Duration]

  /// Sorts the pauses and drops repeats.
  package init(tiers: [Duration]) {
    self.tiers = tiers.sorted().reduce(into: []) { if $0.last != $1 { $0.append($1) } }
  }

  /// The tier for a pause; nil where it is longer than the longest tier by more than half, or there is none: then
  /// PostgreSQL keeps it.
  package func tier(for pause: Duration, using generator: inout some RandomNumberGenerator) -> Duration? {
    guard let longest = tiers.last, pause <= longest * 1.5 else { return nil }
    guard let above = tiers.first(where: { $0 >= pause }) else { return longest }
    guard let below = tiers.last(where: { $0 < pause }) else {
      // Shorter than the shortest: the neighbour below is no pause at all, which the broker cannot keep.
      return above
    }
    let fraction = (pause - below) / (above - below)
    return Double.random(in: 0..<1, using: &generator) < fraction ? above : below
  }
}
