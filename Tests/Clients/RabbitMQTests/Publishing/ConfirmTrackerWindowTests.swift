import Testing

@testable import RabbitMQ

struct ConfirmTrackerWindowTests {
  @Test func `a message that is queued past its deadline expires`() {
    var driver = ConfirmTrackerDriver()
    driver.add(1, timeout: .seconds(1))
    driver.add(2, timeout: .seconds(9))
    #expect(driver.tracker.expire(driver.now).isEmpty)
    #expect(driver.tracker.expire(driver.now + .seconds(1)) == [resolved(1, .expired)])
    #expect(driver.tracker.expire(driver.now + .seconds(1)).isEmpty)
    #expect(driver.write() == ["2"])
  }

  @Test func `a message in flight past its deadline is lost, once, whatever the broker confirms later`() {
    var driver = ConfirmTrackerDriver()
    driver.add(1, timeout: .seconds(1))
    driver.add(2)
    _ = driver.write()
    #expect(driver.tracker.expire(driver.now + .seconds(2)) == [resolved(1, .lost)])
    #expect(driver.tracker.expire(driver.now + .seconds(3)).isEmpty)
    #expect(driver.acknowledge(2, multiple: true) == [resolved(2, .confirmed)])
    #expect(driver.tracker.count == 0)
  }

  @Test func `a lost message is not written again after a lost connection`() {
    var driver = ConfirmTrackerDriver()
    driver.add(1, timeout: .seconds(1))
    driver.add(2)
    _ = driver.write()
    _ = driver.tracker.expire(driver.now + .seconds(2))
    driver.tracker.connectionLost()
    #expect(driver.write() == ["2"])
  }

  @Test func `a message that was written under a lost connection is lost, not expired`() {
    var driver = ConfirmTrackerDriver()
    driver.add(1, timeout: .seconds(1))
    _ = driver.write()
    driver.tracker.connectionLost()
    driver.add(2, timeout: .seconds(1))
    #expect(driver.tracker.expire(driver.now + .seconds(2)) == [resolved(1, .lost), resolved(2, .expired)])
    #expect(driver.tracker.count == 0)
  }

  @Test func `no more than the window is in flight`() {
    var driver = ConfirmTrackerDriver()
    for number in 1...(ConfirmTracker.inFlightMax + 2) { driver.add(number) }
    #expect(driver.write().count == ConfirmTracker.inFlightMax)
    #expect(driver.acknowledge(1).count == 1)
    #expect(driver.write() == ["\(ConfirmTracker.inFlightMax + 1)"])
    #expect(
      driver.acknowledge(UInt64(ConfirmTracker.inFlightMax), multiple: true).count == ConfirmTracker.inFlightMax - 1)
    #expect(driver.write() == ["\(ConfirmTracker.inFlightMax + 2)"])
  }

  @Test func `no more bytes than the window are in flight`() {
    var driver = ConfirmTrackerDriver()
    for number in 1...5 { driver.add(number, size: ConfirmTracker.inFlightBytesMax / 3) }
    #expect(driver.write() == ["1", "2"])
    _ = driver.acknowledge(1)
    #expect(driver.write() == ["3"])
    _ = driver.acknowledge(3, multiple: true)
    #expect(driver.write() == ["4", "5"])
  }

  @Test func `a message larger than the window goes alone, and in its order`() {
    var driver = ConfirmTrackerDriver()
    driver.add(1)
    driver.add(2, size: ConfirmTracker.inFlightBytesMax * 2)
    driver.add(3)
    #expect(driver.write() == ["1"])
    _ = driver.acknowledge(1)
    #expect(driver.write() == ["2"])
    _ = driver.acknowledge(2)
    #expect(driver.write() == ["3"])
  }

  @Test func `nacked and returned messages leave the window too`() {
    var driver = ConfirmTrackerDriver()
    for number in 1...4 { driver.add(number, size: ConfirmTracker.inFlightBytesMax) }
    #expect(driver.write() == ["1"])
    _ = driver.tracker.confirmed(1, multiple: false, positive: false)
    #expect(driver.write() == ["2"])
    driver.returned(messageID: "2")
    #expect(driver.write().isEmpty)
    _ = driver.acknowledge(2)
    #expect(driver.write() == ["3"])
  }

  @Test func `a lost message occupies the window until the broker confirms it`() {
    var driver = ConfirmTrackerDriver()
    driver.add(1, size: ConfirmTracker.inFlightBytesMax, timeout: .seconds(1))
    driver.add(2, size: ConfirmTracker.inFlightBytesMax)
    #expect(driver.write() == ["1"])
    _ = driver.tracker.expire(driver.now + .seconds(2))
    #expect(driver.write().isEmpty)
    _ = driver.acknowledge(1)
    #expect(driver.write() == ["2"])
  }

  @Test func `a lost connection empties the window`() {
    var driver = ConfirmTrackerDriver()
    for number in 1...2 { driver.add(number, size: ConfirmTracker.inFlightBytesMax) }
    #expect(driver.write() == ["1"])
    driver.tracker.connectionLost()
    #expect(driver.write() == ["1"])
    _ = driver.acknowledge(1)
    #expect(driver.write() == ["2"])
  }

  @Test func `while the broker blocks nothing is written, and what is in flight is still confirmed`() {
    var driver = ConfirmTrackerDriver()
    driver.add(1)
    _ = driver.write()
    driver.tracker.isBlocked = true
    driver.add(2)
    #expect(driver.write().isEmpty)
    #expect(driver.acknowledge(1) == [resolved(1, .confirmed)])
    #expect(driver.write().isEmpty)
    driver.tracker.isBlocked = false
    #expect(driver.write() == ["2"])
  }

  @Test func `messages that a block holds back expire`() {
    var driver = ConfirmTrackerDriver()
    driver.tracker.isBlocked = true
    driver.add(1, timeout: .seconds(1))
    #expect(driver.tracker.expire(driver.now + .seconds(2)) == [resolved(1, .expired)])
  }

  @Test func `a new connection is not blocked`() {
    var driver = ConfirmTrackerDriver()
    driver.add(1)
    driver.tracker.isBlocked = true
    driver.tracker.connectionLost()
    #expect(driver.write() == ["1"])
  }
}
