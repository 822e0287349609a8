/// How often a failed job is tried again, and after what pause.
public struct RetryPolicy: Sendable, Equatable {
  /// How a pause is drawn.
  public enum Jitter: String, Sendable, CaseIterable {
    /// Uniform between nothing and the full pause: spreads a herd best.
    case full
    /// Always the full pause.
    case none
  }

  /// Attempts in all, the first included; 1 to 1,000.
  public var maxAttempts: Int
  /// The pause after the first failure, before jitter.
  public var base: Duration
  /// What each further failure multiplies the pause by; 1 or more.
  public var factor: Double
  /// No pause is longer.
  public var max: Duration
  /// How the pause is drawn from the one computed; ``Jitter/full`` by default.
  public var jitter: Jitter

  /// A policy; the default is 8 attempts, with pauses of up to 1 s, 3 s, 9 s and so on to 10 min.
  ///
  /// The properties' limits are checked where queues.yaml is read, not here.
  public init(
    maxAttempts: Int = 8, base: Duration = .seconds(1), factor: Double = 3, max: Duration = .seconds(600),
    jitter: Jitter = .full
  ) {
    self.maxAttempts = maxAttempts
    self.base = base
    self.factor = factor
    self.max = max
    self.jitter = jitter
  }

  /// The pause after attempt number `attempt` has failed; nil where that was the last one.
  public func delay(afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration? {
    guard attempt < maxAttempts else { return nil }
    // In seconds as Double, which becomes infinite where Duration would overflow.
    let most = max / .seconds(1)
    var seconds = base / .seconds(1)
    for _ in 1..<Swift.max(attempt, 1) where seconds < most { seconds *= factor }
    let pause = seconds < most ? Duration.seconds(seconds) : max
    switch jitter {
    case .none: return pause
    case .full: return pause * Double.random(in: 0...1, using: &generator)
    }
  }
}
