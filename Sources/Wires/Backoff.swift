/// The pauses between attempts to reach a server: doubling from `first` to `most`, each drawn at random from the
/// upper half of its step so that many nodes do not come back at the same instant.
public struct Backoff: Sendable {
  /// The first pause before jitter.
  public var first: Duration
  /// No pause is longer than this.
  public var most: Duration
  private var step = 0

  /// Defaults: 100 ms doubling to 5 s.
  public init(first: Duration = .milliseconds(100), most: Duration = .seconds(5)) {
    self.first = first
    self.most = most
  }

  /// The next pause; each call is one attempt further.
  public mutating func next() -> Duration {
    let full = min(first * (1 << min(step, 16)), most)
    step += 1
    var generator = CurrentRuntime.generator
    return full * Double.random(in: 0.5...1, using: &generator)
  }

  /// Starts over after a success.
  public mutating func reset() { step = 0 }
}
