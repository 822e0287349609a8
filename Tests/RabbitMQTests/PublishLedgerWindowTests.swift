import Testing

@testable import RabbitMQ

struct PublishLedgerWindowTests {
  @Test func `a message that waits past its deadline was not sent`() {
    var line = PublishLine()
    line.add(1, patience: .seconds(1))
    line.add(2, patience: .seconds(9))
    #expect(line.ledger.expire(line.now).isEmpty)
    #expect(line.ledger.expire(line.now + .seconds(1)) == [resolved(1, .notSent)])
    #expect(line.ledger.expire(line.now + .seconds(1)).isEmpty)
    #expect(line.write() == ["2"])
  }

  @Test func `a message in flight past its deadline is in doubt, once, whatever the broker says later`() {
    var line = PublishLine()
    line.add(1, patience: .seconds(1))
    line.add(2)
    _ = line.write()
    #expect(line.ledger.expire(line.now + .seconds(2)) == [resolved(1, .inDoubt)])
    #expect(line.ledger.expire(line.now + .seconds(3)).isEmpty)
    #expect(line.acknowledge(2, multiple: true) == [resolved(2, .confirmed)])
    #expect(line.ledger.count == 0)
  }

  @Test func `a message in doubt is not written again after a lost connection`() {
    var line = PublishLine()
    line.add(1, patience: .seconds(1))
    line.add(2)
    _ = line.write()
    _ = line.ledger.expire(line.now + .seconds(2))
    line.ledger.connectionLost()
    #expect(line.write() == ["2"])
  }

  @Test func `a message that was written under a lost connection ends in doubt, not unsent`() {
    var line = PublishLine()
    line.add(1, patience: .seconds(1))
    _ = line.write()
    line.ledger.connectionLost()
    line.add(2, patience: .seconds(1))
    #expect(line.ledger.expire(line.now + .seconds(2)) == [resolved(1, .inDoubt), resolved(2, .notSent)])
    #expect(line.ledger.count == 0)
  }

  @Test func `no more than the window is in flight`() {
    var line = PublishLine()
    for number in 1...(PublishLedger.inFlightMax + 2) { line.add(number) }
    #expect(line.write().count == PublishLedger.inFlightMax)
    #expect(line.acknowledge(1).count == 1)
    #expect(line.write() == ["\(PublishLedger.inFlightMax + 1)"])
    #expect(line.acknowledge(UInt64(PublishLedger.inFlightMax), multiple: true).count == PublishLedger.inFlightMax - 1)
    #expect(line.write() == ["\(PublishLedger.inFlightMax + 2)"])
  }

  @Test func `no more bytes than the window are in flight`() {
    var line = PublishLine()
    for number in 1...5 { line.add(number, size: PublishLedger.inFlightBytesMax / 3) }
    #expect(line.write() == ["1", "2"])
    _ = line.acknowledge(1)
    #expect(line.write() == ["3"])
    _ = line.acknowledge(3, multiple: true)
    #expect(line.write() == ["4", "5"])
  }

  @Test func `a message larger than the window goes alone, and in its turn`() {
    var line = PublishLine()
    line.add(1)
    line.add(2, size: PublishLedger.inFlightBytesMax * 2)
    line.add(3)
    #expect(line.write() == ["1"])
    _ = line.acknowledge(1)
    #expect(line.write() == ["2"])
    _ = line.acknowledge(2)
    #expect(line.write() == ["3"])
  }

  @Test func `refused and returned messages leave the window too`() {
    var line = PublishLine()
    for number in 1...4 { line.add(number, size: PublishLedger.inFlightBytesMax) }
    #expect(line.write() == ["1"])
    _ = line.ledger.confirmed(1, multiple: false, positive: false)
    #expect(line.write() == ["2"])
    line.returned(messageID: "2")
    #expect(line.write().isEmpty)
    _ = line.acknowledge(2)
    #expect(line.write() == ["3"])
  }

  @Test func `a message in doubt keeps its place in the window until the broker speaks`() {
    var line = PublishLine()
    line.add(1, size: PublishLedger.inFlightBytesMax, patience: .seconds(1))
    line.add(2, size: PublishLedger.inFlightBytesMax)
    #expect(line.write() == ["1"])
    _ = line.ledger.expire(line.now + .seconds(2))
    #expect(line.write().isEmpty)
    _ = line.acknowledge(1)
    #expect(line.write() == ["2"])
  }

  @Test func `a lost connection empties the window`() {
    var line = PublishLine()
    for number in 1...2 { line.add(number, size: PublishLedger.inFlightBytesMax) }
    #expect(line.write() == ["1"])
    line.ledger.connectionLost()
    #expect(line.write() == ["1"])
    _ = line.acknowledge(1)
    #expect(line.write() == ["2"])
  }

  @Test func `while the broker blocks nothing is written, and what is in flight is still confirmed`() {
    var line = PublishLine()
    line.add(1)
    _ = line.write()
    line.ledger.isBlocked = true
    line.add(2)
    #expect(line.write().isEmpty)
    #expect(line.acknowledge(1) == [resolved(1, .confirmed)])
    #expect(line.write().isEmpty)
    line.ledger.isBlocked = false
    #expect(line.write() == ["2"])
  }

  @Test func `messages held back by a block expire unsent`() {
    var line = PublishLine()
    line.ledger.isBlocked = true
    line.add(1, patience: .seconds(1))
    #expect(line.ledger.expire(line.now + .seconds(2)) == [resolved(1, .notSent)])
  }

  @Test func `a new connection is not blocked`() {
    var line = PublishLine()
    line.add(1)
    line.ledger.isBlocked = true
    line.ledger.connectionLost()
    #expect(line.write() == ["1"])
  }
}
