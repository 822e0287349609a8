/// The exchanges that the broker takes no messages for: a state machine without I/O.
///
/// A message to an exchange that is missing (404), or that this user may not publish to (403), makes the broker close
/// the channel, and all that was in flight with it is written again. So such an exchange is remembered, and messages to
/// it are not written until it may be tried again: all others keep their rate.
struct RefusedExchanges {
  struct Refusal: Equatable {
    /// False: it exists, and the broker refuses the user or the publishing.
    let isMissing: Bool
    /// When to look again.
    var checkAt: ContinuousClock.Instant
  }

  /// How often a missing exchange is looked for.
  static let missingInterval = Duration.seconds(1)
  /// How long an exchange is left alone that the user may not publish to: trying costs a channel.
  static let deniedInterval = Duration.seconds(30)

  private var refusals: [String: Refusal] = [:]

  /// True where no message may be written to the exchange now.
  func contains(_ exchange: String) -> Bool { !refusals.isEmpty && refusals[exchange] != nil }

  /// The exchange that the broker has closed the channel over, one of `candidates`, which is refused from now on; nil:
  /// its text names none.
  mutating func channelClosed(
    code: Int, reason: String, candidates: Set<String>, at now: ContinuousClock.Instant
  ) -> String? {
    let isMissing = code == RabbitMQError.notFound
    guard isMissing || code == RabbitMQError.accessRefused else { return nil }
    // "NOT_FOUND - no exchange 'name' in vhost '/'", and two texts of ACCESS_REFUSED that name it likewise.
    guard let exchange = candidates.first(where: { !$0.isEmpty && reason.contains("exchange '\($0)'") }) else {
      return nil
    }
    refusals[exchange] = Refusal(
      isMissing: isMissing, checkAt: now + (isMissing ? Self.missingInterval : Self.deniedInterval))
    return exchange
  }

  /// The missing exchanges to look for now; each is due again after ``missingInterval``. Denied ones whose time has
  /// passed may be tried again.
  mutating func due(_ now: ContinuousClock.Instant) -> [String] {
    var missing: [String] = []
    for (exchange, refusal) in refusals where refusal.checkAt <= now {
      if refusal.isMissing {
        missing.append(exchange)
        refusals[exchange]?.checkAt = now + Self.missingInterval
      } else {
        refusals[exchange] = nil
      }
    }
    return missing
  }

  /// The exchange exists.
  mutating func found(_ exchange: String) { refusals[exchange] = nil }
}
