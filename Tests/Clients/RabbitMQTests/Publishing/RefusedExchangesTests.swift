import Testing

@testable import RabbitMQ

/// Exchanges that the broker takes no messages for: by the tracker, and by themselves.
struct RefusedExchangesTests {
  private static func missing(_ name: String) -> String { "NOT_FOUND - no exchange '\(name)' in vhost '/'" }

  @Test func `the other messages are written again at once, and those to the missing exchange end`() {
    var driver = ConfirmTrackerDriver()
    driver.add(1)
    driver.add(2, exchange: "gone")
    driver.add(3)
    #expect(driver.write() == ["1", "2", "3"])
    driver.add(4, exchange: "gone")
    let ends = driver.tracker.channelClosed(code: 404, reason: Self.missing("gone"), at: driver.now)
    #expect(ends == [resolved(2, .nacked), resolved(4, .nacked)])
    #expect(driver.write() == ["1", "3"])
    #expect(driver.add(5, exchange: "gone") == resolved(5, .nacked))
    #expect(driver.add(6) == nil)
    #expect(driver.write() == ["6"])
  }

  @Test func `of several in flight the first may have been kept before the exchange was deleted`() {
    var driver = ConfirmTrackerDriver()
    for number in 1...2 { driver.add(number, exchange: "gone") }
    _ = driver.write()
    let ends = driver.tracker.channelClosed(code: 404, reason: Self.missing("gone"), at: driver.now)
    #expect(ends == [resolved(1, .lost), resolved(2, .lost)])
    #expect(driver.tracker.count == 0)
  }

  @Test func `an exchange that was found is written to again`() {
    var driver = ConfirmTrackerDriver()
    driver.add(1, exchange: "gone")
    _ = driver.write()
    _ = driver.tracker.channelClosed(code: 404, reason: Self.missing("gone"), at: driver.now)
    #expect(driver.tracker.exchangesToLookFor(driver.now) == [])
    let next = driver.now + RefusedExchanges.missingInterval
    #expect(driver.tracker.exchangesToLookFor(next) == ["gone"])
    #expect(driver.tracker.exchangesToLookFor(next) == [], "once in an interval")
    #expect(driver.tracker.exchangesToLookFor(next + RefusedExchanges.missingInterval) == ["gone"])
    driver.tracker.found(exchange: "gone")
    #expect(driver.add(2, exchange: "gone") == nil)
    #expect(driver.write() == ["2"])
  }

  @Test func `an exchange that the user may not publish to is tried again later`() {
    var refused = RefusedExchanges()
    let now = ContinuousClock.now
    let reason = "ACCESS_REFUSED - access to exchange 'secret' in vhost '/' refused for user 'u'"
    #expect(refused.channelClosed(code: 403, reason: reason, candidates: ["a", "secret"], at: now) == "secret")
    #expect(refused.due(now + .seconds(29)) == [])
    #expect(refused.contains("secret"))
    #expect(refused.due(now + .seconds(30)) == [])
    #expect(!refused.contains("secret"))
  }

  @Test(arguments: [
    (404, "NOT_FOUND - no exchange 'other' in vhost 'a'"), (404, ""), (406, "no exchange 'a'"),
    (404, "NOT_FOUND - no queue 'a' in vhost '/'"),
  ])
  func `a text that names no exchange of a message blames none`(_ code: Int, _ reason: String) {
    var refused = RefusedExchanges()
    #expect(refused.channelClosed(code: code, reason: reason, candidates: ["a", ""], at: .now) == nil)
    #expect(!refused.contains("a"))
  }

  @Test
  func `without a name each is written alone until the one is found, and a message over the broker's limit is refused`()
  {
    var driver = ConfirmTrackerDriver()
    for number in 1...3 { driver.add(number) }
    _ = driver.write()
    let reason = "PRECONDITION_FAILED - message size 20000000 is larger than configured max size 10000"
    #expect(driver.tracker.channelClosed(code: 406, reason: reason, at: driver.now) == [])
    #expect(driver.write() == ["1"])
    #expect(driver.acknowledge(1) == [resolved(1, .confirmed)])
    #expect(driver.write() == ["2"])
    #expect(driver.tracker.channelClosed(code: 406, reason: reason, at: driver.now) == [resolved(2, .refused)])
    #expect(driver.write() == ["3"])
  }

  @Test func `what fits into no frame is refused when it is added, and when a connection has smaller ones`() {
    var driver = ConfirmTrackerDriver()
    #expect(driver.add(1, header: RabbitMQConfiguration.frameMax) == resolved(1, .refused))
    #expect(driver.add(2, header: 50_000) == nil)
    #expect(driver.add(3) == nil)
    #expect(driver.tracker.connected(frameMax: 8_192) == [resolved(2, .refused)])
    #expect(driver.add(4, header: 10_000) == resolved(4, .refused))
    #expect(driver.write() == ["3"])
  }

  @Test func `what waits is counted in bytes too`() {
    var driver = ConfirmTrackerDriver()
    let size = 16 << 20
    for number in 0..<7 { driver.add(number, size: size) }
    #expect(!driver.tracker.isFull)
    driver.add(7, size: size)
    #expect(driver.tracker.isFull)
    #expect(driver.write() == ["0"])
    #expect(!driver.tracker.isFull)
    driver.tracker.connectionLost()
    #expect(driver.tracker.isFull)
    #expect(driver.tracker.expire(nil).count == 8)
    #expect(driver.tracker.waitingBytes == 0)
  }
}
