import Testing

@testable import RabbitMQ

struct PublishLedgerTests {
  private func line(_ count: Int, writes: Bool = true) -> PublishLine {
    var line = PublishLine()
    for number in 1...count { line.add(number) }
    if writes { _ = line.write() }
    return line
  }

  @Test func `messages are written in the order they were given`() {
    var line = line(4, writes: false)
    #expect(line.ledger.count == 4)
    #expect(line.write() == ["1", "2", "3", "4"])
    #expect(line.write().isEmpty)
    #expect(line.ledger.count == 4)
  }

  @Test func `each confirm resolves its own message, in any order`() {
    var line = line(3)
    #expect(line.acknowledge(2) == [resolved(2, .confirmed)])
    #expect(line.acknowledge(3) == [resolved(3, .confirmed)])
    #expect(line.acknowledge(1) == [resolved(1, .confirmed)])
    #expect(line.ledger.count == 0)
  }

  @Test func `of each word of the broker it is known where the messages go that it speaks of`() {
    var line = line(3)
    #expect(line.ledger.destinations(2, multiple: false).count == 1)
    #expect(line.ledger.destinations(3, multiple: true) == line.ledger.destinations(1, multiple: false))
    #expect(line.acknowledge(1) == [resolved(1, .confirmed)])
    #expect(line.ledger.destinations(1, multiple: true).isEmpty)
    #expect(line.ledger.destinations(9, multiple: false).isEmpty)
  }

  @Test func `a message that is never confirmed holds the others up for a while only`() {
    var line = PublishLine()
    line.add(1, patience: .seconds(10))
    line.add(2, patience: .seconds(60))
    #expect(line.write() == ["1", "2"])
    let deadline = line.now + .seconds(10)
    #expect(!line.ledger.isStuck(deadline + .seconds(9), patience: .seconds(5)))  // nobody has given up yet
    #expect(line.ledger.expire(deadline) == [resolved(1, .inDoubt)])
    #expect(!line.ledger.isStuck(deadline + .seconds(4), patience: .seconds(5)))
    #expect(line.ledger.isStuck(deadline + .seconds(5), patience: .seconds(5)))
    line.ledger.isBlocked = true  // in an alarm nobody is confirmed, and a new connection is no help
    #expect(!line.ledger.isStuck(deadline + .seconds(5), patience: .seconds(5)))
    line.ledger.isBlocked = false
    // Under the next connection only what somebody waits for is written again.
    line.ledger.connectionLost()
    #expect(line.write() == ["2"])
    #expect(!line.ledger.isStuck(deadline + .seconds(5), patience: .seconds(5)))
  }

  @Test func `a confirm with multiple resolves all up to its tag`() {
    var line = line(5)
    #expect(line.acknowledge(3, multiple: true) == (1...3).map { resolved($0, .confirmed) })
    #expect(line.acknowledge(5, multiple: true) == (4...5).map { resolved($0, .confirmed) })
  }

  @Test func `multiple leaves out what was confirmed on its own before`() {
    var line = line(4)
    #expect(line.acknowledge(2) == [resolved(2, .confirmed)])
    #expect(line.acknowledge(3, multiple: true) == [resolved(1, .confirmed), resolved(3, .confirmed)])
    #expect(line.acknowledge(4) == [resolved(4, .confirmed)])
  }

  @Test func `confirms of unknown or finished tags change nothing`() {
    var line = line(2)
    #expect(line.acknowledge(0).isEmpty)
    #expect(line.acknowledge(3).isEmpty)
    #expect(line.acknowledge(.max).isEmpty)
    #expect(line.acknowledge(1) == [resolved(1, .confirmed)])
    #expect(line.acknowledge(1).isEmpty)
    #expect(line.acknowledge(1, multiple: true).isEmpty)
    #expect(line.acknowledge(2) == [resolved(2, .confirmed)])
    #expect(line.acknowledge(2).isEmpty)
  }

  @Test func `multiple beyond the last tag resolves what there is`() {
    var line = line(2)
    #expect(line.acknowledge(99, multiple: true) == [resolved(1, .confirmed), resolved(2, .confirmed)])
  }

  @Test func `a nack is a refusal, alone or multiple`() {
    var line = line(4)
    #expect(line.ledger.confirmed(2, multiple: false, positive: false) == [resolved(2, .refused)])
    #expect(line.acknowledge(1) == [resolved(1, .confirmed)])
    #expect(
      line.ledger.confirmed(4, multiple: true, positive: false) == [resolved(3, .refused), resolved(4, .refused)])
  }

  @Test func `a returned message is not confirmed by its ack`() {
    var line = line(3)
    line.returned(messageID: "2")
    #expect(line.ledger.count == 3)
    #expect(
      line.acknowledge(3, multiple: true) == [resolved(1, .confirmed), resolved(2, .returned), resolved(3, .confirmed)])
  }

  @Test func `of two messages with one id the older is returned first`() {
    var line = PublishLine()
    line.add(1, id: "same")
    line.add(2, id: "same")
    _ = line.write()
    line.returned(messageID: "same")
    #expect(line.acknowledge(1) == [resolved(1, .returned)])
    line.returned(messageID: "same")
    #expect(line.acknowledge(2) == [resolved(2, .returned)])
  }

  @Test func `returns of messages that are not in flight change nothing`() {
    var line = line(1)
    line.add(2)
    line.returned(messageID: "2")
    line.returned(messageID: "unknown")
    line.returned(messageID: nil)
    #expect(line.write() == ["2"])
    #expect(line.acknowledge(2, multiple: true) == [resolved(1, .confirmed), resolved(2, .confirmed)])
  }

  @Test func `after a lost connection the messages in flight are written again before the others, in order`() {
    var line = line(3)
    line.add(4)
    _ = line.acknowledge(2)
    line.ledger.connectionLost()
    #expect(line.ledger.count == 3)
    line.add(5)
    #expect(line.write() == ["1", "3", "4", "5"])
  }

  @Test func `the tags of a new connection begin at one`() {
    var line = line(3)
    _ = line.acknowledge(1)
    line.ledger.connectionLost()
    #expect(line.write() == ["2", "3"])
    #expect(line.acknowledge(1) == [resolved(2, .confirmed)])
    #expect(line.acknowledge(2) == [resolved(3, .confirmed)])
  }

  @Test func `a return under the old connection does not count under the new one`() {
    var line = line(1)
    line.returned(messageID: "1")
    line.ledger.connectionLost()
    #expect(line.write() == ["1"])
    #expect(line.acknowledge(1) == [resolved(1, .confirmed)])
  }

  @Test func `connections lost again and again keep the order`() {
    var line = line(5)
    for _ in 0..<3 {
      line.ledger.connectionLost()
      #expect(line.write() == ["1", "2", "3", "4", "5"])
    }
    #expect(line.acknowledge(5, multiple: true).count == 5)
  }
}
