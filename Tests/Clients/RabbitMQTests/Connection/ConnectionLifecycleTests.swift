import TestServers
import Testing

@testable import RabbitMQ

/// A lifecycle, with a clock that the test sets and random numbers from a seed.
private struct LifecycleDriver {
  var lifecycle: ConnectionLifecycle
  var now: ContinuousClock.Instant
  var random: SeededRandom

  init(_ hosts: String..., seed: UInt64 = 1) {
    now = .now
    random = SeededRandom(seed: seed)
    lifecycle = ConnectionLifecycle(hosts: hosts.map { .init(name: $0, port: 5672) }, now: now)
  }

  mutating func report(_ events: ConnectionLifecycle.Event...) {
    for event in events { lifecycle.handle(event, at: now, using: &random) }
  }

  /// Lets the delay pass that the lifecycle waits for.
  mutating func waitOut() {
    if case .waiting(let end) = lifecycle.state { now = max(now, end) }
    report(.timerFired)
  }

  /// Waits and connects, until a connection is open.
  mutating func open() {
    waitOut()
    report(.opened)
  }

  /// The host to connect to now.
  var host: String? { if case .connecting(let host) = lifecycle.state { host.name } else { nil } }

  /// How long it still waits; nil where it does not.
  var delay: Duration? { if case .waiting(let end) = lifecycle.state { end - now } else { nil } }

  func requireDelay() throws -> Duration { try #require(delay) }

  /// Fails with every host of a round; returns them in order.
  mutating func failRound(_ error: RabbitMQError = away) -> [String] {
    waitOut()
    var tried: [String] = []
    while let host {
      tried.append(host)
      report(.failed(error))
    }
    return tried
  }
}

private let away = RabbitMQError.connectionFailed(server: "mq:5672", reason: "no route")
private let refused = RabbitMQError.loginRefused(server: "mq:5672", reason: "ACCESS_REFUSED")
private let broken = RabbitMQError.connectionClosed(code: 0, reason: "gone")

@Suite(.timeLimit(.minutes(1)))
struct ConnectionLifecycleTests {
  @Test func `the first host is due at once`() {
    var driver = LifecycleDriver("one")
    #expect(driver.delay == .zero)
    driver.waitOut()
    #expect(driver.host == "one")
    #expect(driver.lifecycle.failure == nil)
  }

  @Test(arguments: 1...20)
  func `a round tries every host once, without a delay between them`(_ seed: Int) {
    var driver = LifecycleDriver("one", "two", "three", seed: UInt64(seed))
    let start = driver.now
    #expect(driver.failRound().sorted() == ["one", "three", "two"])
    #expect(driver.now == start)
    #expect(driver.delay != nil)
  }

  @Test func `hosts are tried in random order`() {
    let orders = (1...200).map { seed in
      var driver = LifecycleDriver("one", "two", "three", seed: UInt64(seed))
      return driver.failRound().joined(separator: " ")
    }
    #expect(Set(orders).count == 6)
  }

  @Test(arguments: 1...20)
  func `the host that failed last is the last of the next round`(_ seed: Int) {
    var driver = LifecycleDriver("one", "two", "three", seed: UInt64(seed))
    var last = driver.failRound().last
    for _ in 0..<5 {
      let round = driver.failRound()
      #expect(round.count == 3)
      #expect(round.last == last)
      last = round.last
    }
  }

  @Test(arguments: 1...20)
  func `a host that dropped us is the last of the next round`(_ seed: Int) {
    var driver = LifecycleDriver("one", "two", "three", seed: UInt64(seed))
    driver.waitOut()
    let dropper = driver.host
    driver.report(.opened, .lost(broken))
    #expect(driver.failRound().last == dropper)
  }

  @Test(arguments: 1...20)
  func `delays behind rounds double up to five seconds, each from its upper half`(_ seed: Int) throws {
    var driver = LifecycleDriver("one", "two", seed: UInt64(seed))
    for full in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000] {
      _ = driver.failRound()
      let longest = Duration.milliseconds(full)
      #expect(try driver.requireDelay() >= longest / 2)
      #expect(try driver.requireDelay() <= longest)
    }
  }

  @Test func `many nodes do not come back at the same instant`() {
    let delays = (1...50).map { seed in
      var driver = LifecycleDriver("one", seed: UInt64(seed))
      _ = driver.failRound()
      return driver.delay
    }
    #expect(Set(delays).count > 40)
  }

  @Test func `there is no attempt before the delay has passed`() {
    var driver = LifecycleDriver("one")
    _ = driver.failRound()
    let state = driver.lifecycle.state
    driver.report(.timerFired)
    #expect(driver.lifecycle.state == state)
    driver.waitOut()
    #expect(driver.host == "one")
  }

  @Test func `a connection is open from the instant it was opened`() {
    var driver = LifecycleDriver("one", "two")
    driver.open()
    #expect(driver.lifecycle.state == .open(since: driver.now, isBlocked: false))
    #expect(driver.lifecycle.failure == nil)
  }

  @Test func `a broker that accepts connections and drops them at once is asked less and less often`() throws {
    var driver = LifecycleDriver("one")
    for full in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
      driver.open()
      driver.now += .milliseconds(20)
      driver.report(.lost(broken))
      let shortest = Duration.milliseconds(full) / 2
      #expect(try driver.requireDelay() >= shortest)
    }
    #expect(driver.lifecycle.failure == broken)
  }

  @Test func `a healthy connection makes the delays short again`() throws {
    var driver = LifecycleDriver("one")
    for _ in 0..<6 { _ = driver.failRound() }
    driver.open()
    driver.report(.healthy, .lost(broken))
    #expect(try driver.requireDelay() <= .milliseconds(100))
  }

  @Test func `a connection that was open for seconds makes the delays short again, a shorter one does not`() throws {
    var driver = LifecycleDriver("one")
    for _ in 0..<6 { _ = driver.failRound() }
    driver.open()
    driver.now += ConnectionLifecycle.stableAfter - .milliseconds(1)
    driver.report(.lost(broken))
    #expect(try driver.requireDelay() >= .seconds(2.5))
    driver.open()
    driver.now += ConnectionLifecycle.stableAfter
    driver.report(.lost(broken))
    #expect(try driver.requireDelay() <= .milliseconds(100))
  }

  @Test func `a refused login is tried again after the longest delay, from the first time on`() throws {
    var driver = LifecycleDriver("one")
    for _ in 0..<3 {
      #expect(driver.failRound(refused) == ["one"])
      #expect(driver.lifecycle.failure == refused)
      #expect(try driver.requireDelay() >= ConnectionLifecycle.maxDelay / 2)
      #expect(try driver.requireDelay() <= ConnectionLifecycle.maxDelay)
    }
    driver.open()
    #expect(driver.lifecycle.state == .open(since: driver.now, isBlocked: false))
  }

  @Test(arguments: [[refused, away], [away, refused]])
  func `the failure of a round is the refused login, not the host that is away`(_ errors: [RabbitMQError]) throws {
    var driver = LifecycleDriver("one", "two")
    driver.waitOut()
    for error in errors { driver.report(.failed(error)) }
    #expect(driver.lifecycle.failure == refused)
    #expect(try driver.requireDelay() >= ConnectionLifecycle.maxDelay / 2)
  }

  @Test func `a round under way has no failure`() {
    var driver = LifecycleDriver("one", "two")
    _ = driver.failRound()
    #expect(driver.lifecycle.failure == away)
    driver.waitOut()
    #expect(driver.lifecycle.failure == nil)
    driver.report(.failed(away))
    #expect(driver.host != nil)
    #expect(driver.lifecycle.failure == nil)
  }

  @Test func `the broker blocks and unblocks, and the next connection begins unblocked`() {
    var driver = LifecycleDriver("one")
    driver.open()
    let since = driver.now
    driver.now += .seconds(1)
    driver.report(.blocked(true))
    #expect(driver.lifecycle.state == .open(since: since, isBlocked: true))
    driver.report(.blocked(false))
    #expect(driver.lifecycle.state == .open(since: since, isBlocked: false))
    driver.report(.blocked(true), .lost(broken))
    driver.open()
    #expect(driver.lifecycle.state == .open(since: driver.now, isBlocked: false))
  }

  @Test func `events that come too late change nothing`() {
    let late: [ConnectionLifecycle.Event] = [.opened, .failed(away), .healthy, .blocked(true), .lost(broken)]
    var waiting = LifecycleDriver("one")
    _ = waiting.failRound()
    var connecting = LifecycleDriver("one")
    connecting.waitOut()
    var open = LifecycleDriver("one")
    open.open()
    let cases: [(LifecycleDriver, [ConnectionLifecycle.Event])] = [
      (waiting, late), (connecting, [.timerFired, .healthy, .blocked(true), .lost(broken)]),
      (open, [.timerFired, .opened, .failed(away)]),
    ]
    for (driver, events) in cases {
      for event in events {
        var copy = driver
        copy.report(event)
        #expect(copy.lifecycle.state == driver.lifecycle.state, "\(event)")
      }
    }
  }

  @Test func `what is stopped stays closed, whatever its state was`() {
    var waiting = LifecycleDriver("one")
    _ = waiting.failRound()
    var connecting = LifecycleDriver("one")
    connecting.waitOut()
    var open = LifecycleDriver("one")
    open.open()
    for driver in [LifecycleDriver("one"), waiting, connecting, open] {
      var driver = driver
      driver.report(.stopped)
      #expect(driver.lifecycle.state == .closed)
      driver.report(.timerFired, .opened, .failed(away), .blocked(true), .lost(broken), .stopped)
      #expect(driver.lifecycle.state == .closed)
    }
  }

  @Test(arguments: 1...40)
  func `whatever happens, no delay is longer than five seconds and no round leaves out a host`(_ seed: Int) throws {
    let names = ["one", "two", "three"]
    var driver = LifecycleDriver("one", "two", "three", seed: UInt64(seed))
    var round: [String] = []
    let events: [ConnectionLifecycle.Event] = [
      .timerFired, .opened, .failed(away), .failed(refused), .healthy, .blocked(true), .blocked(false), .lost(broken),
    ]
    for _ in 0..<500 {
      let before = driver.lifecycle.state
      let event = try #require(events.randomElement(using: &driver.random))
      let elapsed = Int.random(in: 0...2_000, using: &driver.random)
      driver.now += .milliseconds(elapsed)
      driver.report(event)
      switch (before, driver.lifecycle.state) {
      case (.connecting(let old), .connecting(let new)) where old == new: break
      case (.connecting, .connecting(let host)): round.append(host.name)
      case (_, .connecting(let host)): round = [host.name]
      case (.connecting, .waiting): #expect(round.sorted() == names.sorted())
      default: break
      }
      #expect(Set(round).count == round.count)
      if before != driver.lifecycle.state, let delay = driver.delay { #expect(delay <= .seconds(5)) }
    }
  }
}
