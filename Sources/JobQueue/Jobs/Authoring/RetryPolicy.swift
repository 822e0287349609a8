/// How often a failed job is retried, and after what delay.
public struct RetryPolicy: Sendable, Equatable {
  /// How the actual delay follows from the computed one.
  public enum Jitter: String, Sendable, CaseIterable {
    /// Uniform between zero and the computed delay, so that jobs that failed together do not return together.
    case full
    /// Always the computed delay.
    case none
  }

  /// Attempts in all, the first included; 1 to 1,000.
  public var maxAttempts: Int
  /// The delay after the first failure, before jitter.
  public var base: Duration
  /// What each further failure multiplies the delay by; 1 or more.
  public var factor: Double
  /// The longest delay.
  public var max: Duration
  /// How the actual delay follows from the computed one; ``Jitter/full`` by default.
  public var jitter: Jitter

  /// A policy; the default is 8 attempts, with delays of up to 1 s, 3 s, 9 s and so on to 10 min.
  ///
  /// The limits of the properties are checked where queues.yaml is read, not here.
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

  /// The delay after attempt number `attempt` has failed; nil: that was the last one.
  package func delay(afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration? {
    guard attempt < maxAttempts else { return nil }
    // In seconds as Double, which becomes infinite where Duration would overflow.
    let longest = max / .seconds(1)
    var seconds = base / .seconds(1)
    for _ in 1..<Swift.max(attempt, 1) where seconds < longest { seconds *= factor }
    let delay = seconds < longest ? Duration.seconds(seconds) : max
    switch jitter {
    case .none: return delay
    case .full: return delay * Double.random(in: 0...1, using: &generator)
    }
  }
}
