import Testing

@testable import RabbitMQ

struct ConfirmTrackerTests {
  private func driver(_ count: Int, writes: Bool = true) -> ConfirmTrackerDriver {
    var driver = ConfirmTrackerDriver()
    for number in 1...count { driver.add(number) }
    if writes { _ = driver.write() }
    return driver
  }

  @Test func `messages are written in the order they were added`() {
    var driver = driver(4, writes: false)
    #expect(driver.tracker.count == 4)
    #expect(driver.write() == ["1", "2", "3", "4"])
    #expect(driver.write().isEmpty)
    #expect(driver.tracker.count == 4)
  }

  @Test func `each confirm resolves its own message, in any order`() {
    var driver = driver(3)
    #expect(driver.acknowledge(2) == [resolved(2, .confirmed)])
    #expect(driver.acknowledge(3) == [resolved(3, .confirmed)])
    #expect(driver.acknowledge(1) == [resolved(1, .confirmed)])
    #expect(driver.tracker.count == 0)
  }

  @Test func `the destinations of a confirm are those of its messages`() {
    var driver = driver(3)
    #expect(driver.tracker.destinations(2, multiple: false).count == 1)
    #expect(driver.tracker.destinations(3, multiple: true) == driver.tracker.destinations(1, multiple: false))
    #expect(driver.acknowledge(1) == [resolved(1, .confirmed)])
    #expect(driver.tracker.destinations(1, multiple: true).isEmpty)
    #expect(driver.tracker.destinations(9, multiple: false).isEmpty)
  }

  @Test func `a message that is never confirmed holds the others up for a while only`() {
    var driver = ConfirmTrackerDriver()
    driver.add(1, timeout: .seconds(10))
    driver.add(2, timeout: .seconds(60))
    #expect(driver.write() == ["1", "2"])
    let deadline = driver.now + .seconds(10)
    #expect(!driver.tracker.isStuck(deadline + .seconds(9), timeout: .seconds(5)))  // no deadline has passed yet
    #expect(driver.tracker.expire(deadline) == [resolved(1, .lost)])
    #expect(!driver.tracker.isStuck(deadline + .seconds(4), timeout: .seconds(5)))
    #expect(driver.tracker.isStuck(deadline + .seconds(5), timeout: .seconds(5)))
    driver.tracker.isBlocked = true  // in an alarm no message is confirmed, and a new connection does not help
    #expect(!driver.tracker.isStuck(deadline + .seconds(5), timeout: .seconds(5)))
    driver.tracker.isBlocked = false
    // On the next connection only messages whose deadline has not passed are written again.
    driver.tracker.connectionLost()
    #expect(driver.write() == ["2"])
    #expect(!driver.tracker.isStuck(deadline + .seconds(5), timeout: .seconds(5)))
  }

  @Test func `a confirm with multiple resolves all up to its tag`() {
    var driver = driver(5)
    #expect(driver.acknowledge(3, multiple: true) == (1...3).map { resolved($0, .confirmed) })
    #expect(driver.acknowledge(5, multiple: true) == (4...5).map { resolved($0, .confirmed) })
  }

  @Test func `multiple leaves out what was confirmed on its own before`() {
    var driver = driver(4)
    #expect(driver.acknowledge(2) == [resolved(2, .confirmed)])
    #expect(driver.acknowledge(3, multiple: true) == [resolved(1, .confirmed), resolved(3, .confirmed)])
    #expect(driver.acknowledge(4) == [resolved(4, .confirmed)])
  }

  @Test func `confirms of unknown or finished tags change nothing`() {
    var driver = driver(2)
    #expect(driver.acknowledge(0).isEmpty)
    #expect(driver.acknowledge(3).isEmpty)
    #expect(driver.acknowledge(.max).isEmpty)
    #expect(driver.acknowledge(1) == [resolved(1, .confirmed)])
    #expect(driver.acknowledge(1).isEmpty)
    #expect(driver.acknowledge(1, multiple: true).isEmpty)
    #expect(driver.acknowledge(2) == [resolved(2, .confirmed)])
    #expect(driver.acknowledge(2).isEmpty)
  }

  @Test func `multiple beyond the last tag resolves what there is`() {
    var driver = driver(2)
    #expect(driver.acknowledge(99, multiple: true) == [resolved(1, .confirmed), resolved(2, .confirmed)])
  }

  @Test func `a nack rejects one message or multiple`() {
    var driver = driver(4)
    #expect(driver.tracker.confirmed(2, multiple: false, positive: false) == [resolved(2, .nacked)])
    #expect(driver.acknowledge(1) == [resolved(1, .confirmed)])
    #expect(
      driver.tracker.confirmed(4, multiple: true, positive: false) == [resolved(3, .nacked), resolved(4, .nacked)])
  }

  @Test func `a returned message is not confirmed by its ack`() {
    var driver = driver(3)
    driver.returned(messageID: "2")
    #expect(driver.tracker.count == 3)
    #expect(
      driver.acknowledge(3, multiple: true) == [
        resolved(1, .confirmed), resolved(2, .returned), resolved(3, .confirmed),
      ])
  }

  @Test func `of two messages with one id the older is returned first`() {
    var driver = ConfirmTrackerDriver()
    driver.add(1, id: "same")
    driver.add(2, id: "same")
    _ = driver.write()
    driver.returned(messageID: "same")
    #expect(driver.acknowledge(1) == [resolved(1, .returned)])
    driver.returned(messageID: "same")
    #expect(driver.acknowledge(2) == [resolved(2, .returned)])
  }

  @Test func `returns of messages that are not in flight change nothing`() {
    var driver = driver(1)
    driver.add(2)
    driver.returned(messageID: "2")
    driver.returned(messageID: "unknown")
    driver.returned(messageID: nil)
    #expect(driver.write() == ["2"])
    #expect(driver.acknowledge(2, multiple: true) == [resolved(1, .confirmed), resolved(2, .confirmed)])
  }

  @Test func `after a lost connection the messages in flight are written again before the others, in order`() {
    var driver = driver(3)
    driver.add(4)
    _ = driver.acknowledge(2)
    driver.tracker.connectionLost()
    #expect(driver.tracker.count == 3)
    driver.add(5)
    #expect(driver.write() == ["1", "3", "4", "5"])
  }

  @Test func `the tags of a new connection begin at one`() {
    var driver = driver(3)
    _ = driver.acknowledge(1)
    driver.tracker.connectionLost()
    #expect(driver.write() == ["2", "3"])
    #expect(driver.acknowledge(1) == [resolved(2, .confirmed)])
    #expect(driver.acknowledge(2) == [resolved(3, .confirmed)])
  }

  @Test func `a return under the old connection does not count under the new one`() {
    var driver = driver(1)
    driver.returned(messageID: "1")
    driver.tracker.connectionLost()
    #expect(driver.write() == ["1"])
    #expect(driver.acknowledge(1) == [resolved(1, .confirmed)])
  }

  @Test func `connections lost again and again keep the order`() {
    var driver = driver(5)
    for _ in 0..<3 {
      driver.tracker.connectionLost()
      #expect(driver.write() == ["1", "2", "3", "4", "5"])
    }
    #expect(driver.acknowledge(5, multiple: true).count == 5)
  }
}
