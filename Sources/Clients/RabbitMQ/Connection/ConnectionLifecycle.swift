internal import ClientLoop

/// A connection that is opened again after every failure and loss, to one of several hosts: a state machine without
/// I/O.
///
/// Clock and random numbers are passed in. The driver, ``ConnectionSupervisor``, does what ``state`` says and reports
/// the result.
struct ConnectionLifecycle {
  typealias Host = RabbitMQConfiguration.Host
  typealias Instant = ContinuousClock.Instant

  /// The connection's state, and with it what the driver does next.
  enum State: Equatable {
    /// Do nothing until this instant; then report ``Event/timerFired``.
    case waiting(until: Instant)
    /// Connect to this host, log in and prepare the connection for use; then report `opened` or `failed`.
    case connecting(Host)
    /// Use the connection and report its events. While `isBlocked` the broker accepts no messages.
    case open(since: Instant, isBlocked: Bool)
    /// Close the connection where one is open; nothing follows.
    case closed
  }

  /// What the driver reports; an event that the state does not wait for changes nothing.
  enum Event: Sendable, Equatable {
    case timerFired
    case opened
    /// The host could not be reached, refused the login, or failed before the connection was ready for use.
    case failed(RabbitMQError)
    /// The broker has confirmed or delivered a message: the connection works.
    case healthy
    /// The broker's `connection.blocked` and `connection.unblocked`.
    case blocked(Bool)
    case lost(RabbitMQError)
    case stopped
  }

  static let maxDelay = Duration.seconds(5)
  /// A connection that was open for this long resets the delays. A connection that is lost earlier, and never was
  /// healthy, does not reset them: a broker that accepts connections and drops them at once is tried at growing delays.
  static let stableAfter = Duration.seconds(5)

  private(set) var state: State
  /// The error of the last round of hosts, or of the last connection; nil while a round or a connection is under way.
  /// A refused login has precedence over hosts that are away: an operator must correct it.
  private(set) var failure: RabbitMQError?

  private let hosts: [Host]
  /// The hosts of this round that are not tried yet.
  private var round: [Host] = []
  /// The host of the present or the last attempt.
  private var current: Host?
  private var lastFailed: Host?
  private var roundFailure: RabbitMQError?
  private var backoff = Backoff(initial: .milliseconds(100), max: Self.maxDelay)

  /// The first round starts at once.
  init(hosts: [Host], now: Instant) {
    self.hosts = hosts
    state = .waiting(until: now)
  }

  mutating func handle(_ event: Event, at now: Instant, using random: inout some RandomNumberGenerator) {
    switch (state, event) {
    case (.closed, _): break
    case (_, .stopped): state = .closed
    case (.waiting(let end), .timerFired) where end <= now: startRound(using: &random)
    case (.connecting, .opened): state = .open(since: now, isBlocked: false)
    case (.connecting, .failed(let error)):
      lastFailed = current
      roundFailure = Self.moreSevere(roundFailure, error)
      if round.isEmpty { delay(roundFailure, from: now, using: &random) } else { tryNext() }
    case (.open(let since, _), .blocked(let isBlocked)): state = .open(since: since, isBlocked: isBlocked)
    case (.open, .healthy): backoff.reset()
    case (.open(let since, _), .lost(let error)):
      lastFailed = current
      if since + Self.stableAfter <= now { backoff.reset() }
      delay(error, from: now, using: &random)
    default: break
    }
  }

  /// All hosts in random order, without a delay between them; the one that has just failed is the last.
  private mutating func startRound(using random: inout some RandomNumberGenerator) {
    failure = nil
    roundFailure = nil
    round = hosts.shuffled(using: &random)
    if let lastFailed, let index = round.firstIndex(of: lastFailed) {
      let last = round.remove(at: index)
      round.append(last)
    }
    tryNext()
  }

  private mutating func tryNext() {
    guard !round.isEmpty else { return }
    let host = round.removeFirst()
    current = host
    state = .connecting(host)
  }

  private mutating func delay(
    _ error: RabbitMQError?, from now: Instant, using random: inout some RandomNumberGenerator
  ) {
    failure = error
    let delay = backoff.next(atMax: error?.isRefusedLogin == true, using: &random)
    state = .waiting(until: now + delay)
  }

  private static func moreSevere(_ known: RabbitMQError?, _ new: RabbitMQError) -> RabbitMQError {
    if let known, known.isRefusedLogin { known } else { new }
  }
}

extension RabbitMQError {
  /// True where user, password or virtual host are wrong: quick retries are useless.
  var isRefusedLogin: Bool { if case .loginRefused = self { true } else { false } }
}
