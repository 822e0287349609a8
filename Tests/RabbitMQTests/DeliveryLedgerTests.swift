import TestServers
import Testing

@testable import RabbitMQ

struct DeliveryLedgerTests {
  private func ledger(_ tags: [UInt64]) -> DeliveryLedger {
    var ledger = DeliveryLedger()
    for tag in tags { ledger.delivered(tag) }
    return ledger
  }

  @Test func `nothing settled is nothing to send`() {
    var ledger = ledger([1, 2, 3])
    #expect(ledger.flush().isEmpty)
    #expect(ledger.openCount == 3)
  }

  @Test func `one acknowledged delivery is one frame`() {
    var ledger = ledger([1])
    ledger.settle(1, .acknowledge)
    #expect(ledger.flush() == [.acknowledge(1, multiple: false)])
    #expect(ledger.flush().isEmpty)
    #expect(ledger.openCount == 0)
  }

  @Test func `a run of acknowledged deliveries at the head is one frame`() {
    var ledger = ledger([1, 2, 3, 4])
    for tag in [2, 1, 3] as [UInt64] { ledger.settle(tag, .acknowledge) }
    #expect(ledger.flush() == [.acknowledge(3, multiple: true)])
    #expect(ledger.openCount == 1)
  }

  @Test func `a slow delivery at the head holds up nobody`() {
    var ledger = ledger([1, 2, 3])
    ledger.settle(2, .acknowledge)
    #expect(ledger.flush() == [.acknowledge(2, multiple: false)])
    ledger.settle(3, .acknowledge)
    #expect(ledger.flush() == [.acknowledge(3, multiple: false)])
    ledger.settle(1, .acknowledge)
    #expect(ledger.flush() == [.acknowledge(1, multiple: false)])
    #expect(ledger.flush().isEmpty)
  }

  @Test func `what was sent on its own is not sent again with the run around it`() {
    var ledger = ledger([1, 2, 3])
    ledger.settle(2, .acknowledge)
    _ = ledger.flush()
    ledger.settle(1, .acknowledge)
    ledger.settle(3, .acknowledge)
    #expect(ledger.flush() == [.acknowledge(3, multiple: true)])
  }

  @Test func `a requeued delivery divides the runs around it`() {
    var ledger = ledger([1, 2, 3, 4, 5])
    for tag in [1, 2, 4, 5] as [UInt64] { ledger.settle(tag, .acknowledge) }
    ledger.settle(3, .requeue)
    #expect(ledger.flush() == [.acknowledge(2, multiple: true), .requeue(3), .acknowledge(5, multiple: true)])
  }

  @Test func `requeued deliveries go one by one`() {
    var ledger = ledger([1, 2, 3])
    for tag in [3, 1, 2] as [UInt64] { ledger.settle(tag, .requeue) }
    #expect(ledger.flush() == [.requeue(1), .requeue(2), .requeue(3)])
  }

  @Test func `a requeue behind an open delivery is sent at once`() {
    var ledger = ledger([1, 2])
    ledger.settle(2, .requeue)
    #expect(ledger.flush() == [.requeue(2)])
    ledger.settle(1, .acknowledge)
    #expect(ledger.flush() == [.acknowledge(1, multiple: false)])
  }

  @Test func `the first settlement counts`() {
    var ledger = ledger([1, 2])
    ledger.settle(1, .acknowledge)
    ledger.settle(1, .requeue)
    #expect(ledger.flush() == [.acknowledge(1, multiple: false)])
    ledger.settle(1, .requeue)
    #expect(ledger.flush().isEmpty)
  }

  @Test func `unknown tags are ignored`() {
    var ledger = ledger([5])
    for tag in [0, 4, 6, .max] as [UInt64] { ledger.settle(tag, .acknowledge) }
    #expect(ledger.flush().isEmpty)
    #expect(ledger.openCount == 1)
  }

  @Test func `tags may have gaps`() {
    var ledger = ledger([2, 7, 30])
    for tag in [2, 7, 30] as [UInt64] { ledger.settle(tag, .acknowledge) }
    #expect(ledger.flush() == [.acknowledge(30, multiple: true)])
  }
}

/// What the broker holds as handed out, and what the consumer has said of it.
private struct DeliveryModel {
  var ledger = DeliveryLedger()
  var outstanding: Set<UInt64> = []
  var open: Set<UInt64> = []
  var settled: [UInt64: Settlement] = [:]
  var lastTag: UInt64 = 0
  var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  mutating func deliver() {
    lastTag += UInt64.random(in: 1...3, using: &random)
    ledger.delivered(lastTag)
    outstanding.insert(lastTag)
    open.insert(lastTag)
  }

  mutating func settle() {
    guard let tag = open.sorted().randomElement(using: &random) else { return }
    let end: Settlement = Int.random(in: 0..<4, using: &random) == 0 ? .requeue : .acknowledge
    open.remove(tag)
    settled[tag] = end
    ledger.settle(tag, end)
  }

  /// Says something of a tag that is finished or was never given.
  mutating func settleNonsense() {
    let tag = UInt64.random(in: 0...(lastTag + 3), using: &random)
    if !open.contains(tag) { ledger.settle(tag, Bool.random(using: &random) ? .requeue : .acknowledge) }
  }

  /// Applies the frames as a broker does.
  mutating func flush() {
    for frame in ledger.flush() {
      switch frame {
      case .acknowledge(let tag, let multiple):
        let meant = multiple ? outstanding.filter { $0 <= tag } : outstanding.filter { $0 == tag }
        #expect(!meant.isEmpty, "an ack of tag \(tag), which the broker does not know: it would close the channel")
        for tag in meant { #expect(settled[tag] == .acknowledge, "tag \(tag) was not acknowledged by anybody") }
        outstanding.subtract(meant)
      case .requeue(let tag):
        #expect(outstanding.remove(tag) != nil, "a reject of tag \(tag), which the broker does not know")
        #expect(settled[tag] == .requeue)
      }
    }
    #expect(outstanding == open, "after a flush the broker knows of everything that was settled")
    #expect(ledger.openCount == open.count)
  }
}

struct DeliveryLedgerModelTests {
  @Test(arguments: 1...40)
  func `the frames acknowledge exactly what was settled`(_ seed: Int) {
    var model = DeliveryModel(seed: UInt64(seed))
    for _ in 0..<400 {
      switch Int.random(in: 0..<20, using: &model.random) {
      case 0..<8: model.deliver()
      case 8..<15: model.settle()
      case 15: model.settleNonsense()
      default: model.flush()
      }
    }
    while !model.open.isEmpty { model.settle() }
    model.flush()
    #expect(model.outstanding.isEmpty)
  }
}
