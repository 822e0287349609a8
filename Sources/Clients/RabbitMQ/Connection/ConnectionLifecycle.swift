/// The life of one lasting connection, through all its hosts, failures and losses: a state machine without I/O.
///
/// It has neither clock nor chance of its own: both are passed in. Whoever drives it does what ``state`` says and
/// reports what came of it; ``ConnectionSupervisor`` does.
struct ConnectionLifecycle {
  typealias Host = RabbitMQConfiguration.Host
  typealias Instant = ContinuousClock.Instant

  /// Where the connection stands, and with that what is to be done next.
  enum State: Equatable {
    /// Nothing, until this instant; then report ``Event/timerFired``.
    case waiting(until: Instant)
    /// Connect to this host, log in and prepare the connection for use; then report `opened` or `failed`.
    case connecting(Host)
    /// Use the connection and report what befalls it. While `isBlocked` the broker takes no messages.
    case open(since: Instant, isBlocked: Bool)
    /// Nothing, ever again, except to close a connection that may still stand.
    case closed
  }

  /// What its driver reports; an event that the state does not wait for comes too late and changes nothing.
  enum Event: Sendable, Equatable {
    case timerFired
    case opened
    /// The host could not be reached, refused the login, or failed before the connection was ready for use.
    case failed(RabbitMQError)
    /// The broker has confirmed or delivered a message: it does more than let us in.
    case healthy
    /// The broker's `connection.blocked` and `connection.unblocked`.
    case blocked(Bool)
    case lost(RabbitMQError)
    case stopped
  }

  /// The delay behind the first round of hosts that failed; each further one is twice as long ...
  static let initialDelay = Duration.milliseconds(100)
  /// ... until they are as long as this. Each is drawn at random from its upper half, so that many nodes do not come
  /// back at the same instant.
  static let maxDelay = Duration.seconds(5)
  /// A connection that stood so long was a good one: delays are short again. Of one that is lost earlier, and did
  /// nothing, that is not known: a broker that lets us in and drops us at once must not be hammered.
  static let stableAfter = Duration.seconds(5)

  private(set) var state: State
  /// What the last round of hosts, or the last connection, ended with; nil while a round or a connection is under way.
  /// A refused login goes before hosts that are merely away: waiting does not mend it.
  private(set) var failure: RabbitMQError?

  private let hosts: [Host]
  /// The hosts of this round that were not tried yet.
  private var round: [Host] = []
  /// Whom the connection is, or was last, made to.
  private var current: Host?
  private var lastFailed: Host?
  /// What the hosts of this round said so far.
  private var roundFailure: RabbitMQError?
  private var delays = 0

  /// The first host is due at once.
  init(hosts: [Host], now: Instant) {
    self.hosts = hosts
    state = .waiting(until: now)
  }

  /// Takes an event at the instant it happened.
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
    case (.open, .healthy): delays = 0
    case (.open(let since, _), .lost(let error)):
      lastFailed = current
      if since + Self.stableAfter <= now { delays = 0 }
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
    var full = min(Self.initialDelay * (1 << min(delays, 16)), Self.maxDelay)
    if error?.isRefusedLogin == true { full = Self.maxDelay }
    delays += 1
    state = .waiting(until: now + full * Double.random(in: 0.5...1, using: &random))
  }

  private static func moreSevere(_ known: RabbitMQError?, _ new: RabbitMQError) -> RabbitMQError {
    if let known, known.isRefusedLogin { known } else { new }
  }
}

extension RabbitMQError {
  /// True where user, password or virtual host are at fault, which trying again quickly does not mend.
  var isRefusedLogin: Bool { if case .loginRefused = self { true } else { false } }
}
