/// Exponential backoff with jitter between attempts to reach a server: the delays double from `initial` to `max`, each
/// drawn at random from the upper half of its step, so that many nodes do not reconnect at the same instant.
package struct Backoff: Sendable {
  /// The first delay, before jitter.
  package var initial: Duration
  /// No delay is longer than this.
  package var max: Duration
  private var step = 0

  /// Defaults: 100 ms doubling to 5 s.
  package init(initial: Duration = .milliseconds(100), max: Duration = .seconds(5)) {
    self.initial = initial
    self.max = max
  }

  /// The next delay; each call is one attempt further.
  package mutating func next() -> Duration {
    var generator = TimeSource.generator
    return next(using: &generator)
  }

  /// The next delay, drawn with the generator; with `atMax` this one is drawn from the longest step.
  package mutating func next(atMax: Bool = false, using generator: inout some RandomNumberGenerator) -> Duration {
    let full = atMax ? max : min(initial * (1 << min(step, 16)), max)
    step += 1
    return full * Double.random(in: 0.5...1, using: &generator)
  }

  /// Starts over after a success.
  package mutating func reset() { step = 0 }
}
