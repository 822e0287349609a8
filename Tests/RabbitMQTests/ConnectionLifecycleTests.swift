import TestServers
import Testing

@testable import RabbitMQ

/// A lifecycle, with a clock that the test turns and chance that repeats itself.
private struct Life {
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

  /// Lets the pause pass that the lifecycle waits for.
  mutating func waitOut() {
    if case .waiting(let end) = lifecycle.state { now = max(now, end) }
    report(.timePassed)
  }

  /// Waits and connects, until a connection is open.
  mutating func open() {
    waitOut()
    report(.opened)
  }

  /// Whom to connect to now.
  var host: String? { if case .connecting(let host) = lifecycle.state { host.name } else { nil } }

  /// How long it still waits; nil where it does not.
  var pause: Duration? { if case .waiting(let end) = lifecycle.state { end - now } else { nil } }

  func requirePause() throws -> Duration { try #require(pause) }

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
    var life = Life("one")
    #expect(life.pause == .zero)
    life.waitOut()
    #expect(life.host == "one")
    #expect(life.lifecycle.failure == nil)
  }

  @Test(arguments: 1...20)
  func `a round tries every host once, without a pause between them`(_ seed: Int) {
    var life = Life("one", "two", "three", seed: UInt64(seed))
    let start = life.now
    #expect(life.failRound().sorted() == ["one", "three", "two"])
    #expect(life.now == start)
    #expect(life.pause != nil)
  }

  @Test func `hosts are tried in random order`() {
    let orders = (1...200).map { seed in
      var life = Life("one", "two", "three", seed: UInt64(seed))
      return life.failRound().joined(separator: " ")
    }
    #expect(Set(orders).count == 6)
  }

  @Test(arguments: 1...20)
  func `the host that failed last is the last of the next round`(_ seed: Int) {
    var life = Life("one", "two", "three", seed: UInt64(seed))
    var last = life.failRound().last
    for _ in 0..<5 {
      let round = life.failRound()
      #expect(round.count == 3)
      #expect(round.last == last)
      last = round.last
    }
  }

  @Test(arguments: 1...20)
  func `a host that dropped us is the last of the next round`(_ seed: Int) {
    var life = Life("one", "two", "three", seed: UInt64(seed))
    life.waitOut()
    let dropper = life.host
    life.report(.opened, .lost(broken))
    #expect(life.failRound().last == dropper)
  }

  @Test(arguments: 1...20)
  func `pauses behind rounds double up to five seconds, each from its upper half`(_ seed: Int) throws {
    var life = Life("one", "two", seed: UInt64(seed))
    for full in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000] {
      _ = life.failRound()
      let longest = Duration.milliseconds(full)
      #expect(try life.requirePause() >= longest / 2)
      #expect(try life.requirePause() <= longest)
    }
  }

  @Test func `many nodes do not come back at the same instant`() {
    let pauses = (1...50).map { seed in
      var life = Life("one", seed: UInt64(seed))
      _ = life.failRound()
      return life.pause
    }
    #expect(Set(pauses).count > 40)
  }

  @Test func `nobody connects before the pause has passed`() {
    var life = Life("one")
    _ = life.failRound()
    let state = life.lifecycle.state
    life.report(.timePassed)
    #expect(life.lifecycle.state == state)
    life.waitOut()
    #expect(life.host == "one")
  }

  @Test func `a connection is open from the instant it was opened`() {
    var life = Life("one", "two")
    life.open()
    #expect(life.lifecycle.state == .open(since: life.now, isBlocked: false))
    #expect(life.lifecycle.failure == nil)
  }

  @Test func `a broker that lets us in and drops us at once is asked ever less often`() throws {
    var life = Life("one")
    for full in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
      life.open()
      life.now += .milliseconds(20)
      life.report(.lost(broken))
      let shortest = Duration.milliseconds(full) / 2
      #expect(try life.requirePause() >= shortest)
    }
    #expect(life.lifecycle.failure == broken)
  }

  @Test func `a connection that proved itself makes the pauses short again`() throws {
    var life = Life("one")
    for _ in 0..<6 { _ = life.failRound() }
    life.open()
    life.report(.proved, .lost(broken))
    #expect(try life.requirePause() <= .milliseconds(100))
  }

  @Test func `a connection that stood for seconds makes the pauses short again, a shorter one does not`() throws {
    var life = Life("one")
    for _ in 0..<6 { _ = life.failRound() }
    life.open()
    life.now += ConnectionLifecycle.steadyAfter - .milliseconds(1)
    life.report(.lost(broken))
    #expect(try life.requirePause() >= .seconds(2.5))
    life.open()
    life.now += ConnectionLifecycle.steadyAfter
    life.report(.lost(broken))
    #expect(try life.requirePause() <= .milliseconds(100))
  }

  @Test func `a refused login is tried again after the longest pause, from the first time on`() throws {
    var life = Life("one")
    for _ in 0..<3 {
      #expect(life.failRound(refused) == ["one"])
      #expect(life.lifecycle.failure == refused)
      #expect(try life.requirePause() >= ConnectionLifecycle.longestPause / 2)
      #expect(try life.requirePause() <= ConnectionLifecycle.longestPause)
    }
    life.open()
    #expect(life.lifecycle.state == .open(since: life.now, isBlocked: false))
  }

  @Test(arguments: [[refused, away], [away, refused]])
  func `of a round the refused login is told, not the host that is away`(_ errors: [RabbitMQError]) throws {
    var life = Life("one", "two")
    life.waitOut()
    for error in errors { life.report(.failed(error)) }
    #expect(life.lifecycle.failure == refused)
    #expect(try life.requirePause() >= ConnectionLifecycle.longestPause / 2)
  }

  @Test func `a round under way tells no failure`() {
    var life = Life("one", "two")
    _ = life.failRound()
    #expect(life.lifecycle.failure == away)
    life.waitOut()
    #expect(life.lifecycle.failure == nil)
    life.report(.failed(away))
    #expect(life.host != nil)
    #expect(life.lifecycle.failure == nil)
  }

  @Test func `the broker blocks and unblocks, and the next connection begins unblocked`() {
    var life = Life("one")
    life.open()
    let since = life.now
    life.now += .seconds(1)
    life.report(.blocked(true))
    #expect(life.lifecycle.state == .open(since: since, isBlocked: true))
    life.report(.blocked(false))
    #expect(life.lifecycle.state == .open(since: since, isBlocked: false))
    life.report(.blocked(true), .lost(broken))
    life.open()
    #expect(life.lifecycle.state == .open(since: life.now, isBlocked: false))
  }

  @Test func `events that come too late change nothing`() {
    let late: [ConnectionLifecycle.Event] = [.opened, .failed(away), .proved, .blocked(true), .lost(broken)]
    var waiting = Life("one")
    _ = waiting.failRound()
    var connecting = Life("one")
    connecting.waitOut()
    var open = Life("one")
    open.open()
    let cases: [(Life, [ConnectionLifecycle.Event])] = [
      (waiting, late), (connecting, [.timePassed, .proved, .blocked(true), .lost(broken)]),
      (open, [.timePassed, .opened, .failed(away)]),
    ]
    for (life, events) in cases {
      for event in events {
        var copy = life
        copy.report(event)
        #expect(copy.lifecycle.state == life.lifecycle.state, "\(event)")
      }
    }
  }

  @Test func `what is stopped stays closed, wherever it stood`() {
    var waiting = Life("one")
    _ = waiting.failRound()
    var connecting = Life("one")
    connecting.waitOut()
    var open = Life("one")
    open.open()
    for life in [Life("one"), waiting, connecting, open] {
      var life = life
      life.report(.stopped)
      #expect(life.lifecycle.state == .closed)
      life.report(.timePassed, .opened, .failed(away), .blocked(true), .lost(broken), .stopped)
      #expect(life.lifecycle.state == .closed)
    }
  }

  @Test(arguments: 1...40)
  func `whatever happens, no pause is longer than five seconds and no round leaves out a host`(_ seed: Int) throws {
    let names = ["one", "two", "three"]
    var life = Life("one", "two", "three", seed: UInt64(seed))
    var round: [String] = []
    let events: [ConnectionLifecycle.Event] = [
      .timePassed, .opened, .failed(away), .failed(refused), .proved, .blocked(true), .blocked(false), .lost(broken),
    ]
    for _ in 0..<500 {
      let before = life.lifecycle.state
      let event = try #require(events.randomElement(using: &life.random))
      let elapsed = Int.random(in: 0...2_000, using: &life.random)
      life.now += .milliseconds(elapsed)
      life.report(event)
      switch (before, life.lifecycle.state) {
      case (.connecting(let old), .connecting(let new)) where old == new: break
      case (.connecting, .connecting(let host)): round.append(host.name)
      case (_, .connecting(let host)): round = [host.name]
      case (.connecting, .waiting): #expect(round.sorted() == names.sorted())
      default: break
      }
      #expect(Set(round).count == round.count)
      if before != life.lifecycle.state, let pause = life.pause { #expect(pause <= .seconds(5)) }
    }
  }
}
