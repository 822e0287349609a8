import TestServers
import Testing

@testable import RabbitMQ

struct UnackedDeliveriesTests {
  private func unacked(_ tags: [UInt64]) -> UnackedDeliveries {
    var unacked = UnackedDeliveries()
    for tag in tags { unacked.delivered(tag) }
    return unacked
  }

  @Test func `nothing settled is nothing to send`() {
    var unacked = unacked([1, 2, 3])
    #expect(unacked.flush().isEmpty)
    #expect(unacked.unackedCount == 3)
  }

  @Test func `one acknowledged delivery is one frame`() {
    var unacked = unacked([1])
    unacked.settle(1, .acknowledge)
    #expect(unacked.flush() == [.acknowledge(1, multiple: false)])
    #expect(unacked.flush().isEmpty)
    #expect(unacked.unackedCount == 0)
  }

  @Test func `a run of acknowledged deliveries at the head is one frame`() {
    var unacked = unacked([1, 2, 3, 4])
    for tag in [2, 1, 3] as [UInt64] { unacked.settle(tag, .acknowledge) }
    #expect(unacked.flush() == [.acknowledge(3, multiple: true)])
    #expect(unacked.unackedCount == 1)
  }

  @Test func `a slow delivery at the head does not hold up the others`() {
    var unacked = unacked([1, 2, 3])
    unacked.settle(2, .acknowledge)
    #expect(unacked.flush() == [.acknowledge(2, multiple: false)])
    unacked.settle(3, .acknowledge)
    #expect(unacked.flush() == [.acknowledge(3, multiple: false)])
    unacked.settle(1, .acknowledge)
    #expect(unacked.flush() == [.acknowledge(1, multiple: false)])
    #expect(unacked.flush().isEmpty)
  }

  @Test func `what was sent on its own is not sent again with the run around it`() {
    var unacked = unacked([1, 2, 3])
    unacked.settle(2, .acknowledge)
    _ = unacked.flush()
    unacked.settle(1, .acknowledge)
    unacked.settle(3, .acknowledge)
    #expect(unacked.flush() == [.acknowledge(3, multiple: true)])
  }

  @Test func `a requeued delivery divides the frames around it`() {
    var unacked = unacked([1, 2, 3, 4, 5])
    for tag in [1, 2, 4, 5] as [UInt64] { unacked.settle(tag, .acknowledge) }
    unacked.settle(3, .requeue)
    #expect(unacked.flush() == [.acknowledge(2, multiple: true), .requeue(3), .acknowledge(5, multiple: true)])
  }

  @Test func `requeued deliveries go one by one`() {
    var unacked = unacked([1, 2, 3])
    for tag in [3, 1, 2] as [UInt64] { unacked.settle(tag, .requeue) }
    #expect(unacked.flush() == [.requeue(1), .requeue(2), .requeue(3)])
  }

  @Test func `a requeue behind an unsettled delivery is sent at once`() {
    var unacked = unacked([1, 2])
    unacked.settle(2, .requeue)
    #expect(unacked.flush() == [.requeue(2)])
    unacked.settle(1, .acknowledge)
    #expect(unacked.flush() == [.acknowledge(1, multiple: false)])
  }

  @Test func `the first settlement counts`() {
    var unacked = unacked([1, 2])
    unacked.settle(1, .acknowledge)
    unacked.settle(1, .requeue)
    #expect(unacked.flush() == [.acknowledge(1, multiple: false)])
    unacked.settle(1, .requeue)
    #expect(unacked.flush().isEmpty)
  }

  @Test func `unknown tags are ignored`() {
    var unacked = unacked([5])
    for tag in [0, 4, 6, .max] as [UInt64] { unacked.settle(tag, .acknowledge) }
    #expect(unacked.flush().isEmpty)
    #expect(unacked.unackedCount == 1)
  }

  @Test func `tags may have gaps`() {
    var unacked = unacked([2, 7, 30])
    for tag in [2, 7, 30] as [UInt64] { unacked.settle(tag, .acknowledge) }
    #expect(unacked.flush() == [.acknowledge(30, multiple: true)])
  }

  @Test func `the memory is proportional to what is unsettled, however long the first stays so`() {
    var unacked = UnackedDeliveries()
    unacked.delivered(1)
    for tag in UInt64(2)...10_000 {
      unacked.delivered(tag)
      unacked.settle(tag, .acknowledge)
      #expect(unacked.flush() == [.acknowledge(tag, multiple: false)])
      #expect(unacked.entryCount < 200)
    }
    unacked.settle(1, .acknowledge)
    #expect(unacked.flush() == [.acknowledge(1, multiple: false)])
    #expect(unacked.entryCount == 0)
  }
}

/// What the broker holds as handed out, and what the consumer has said of it.
private struct DeliveryModel {
  var unacked = UnackedDeliveries()
  var outstanding: Set<UInt64> = []
  var open: Set<UInt64> = []
  var settled: [UInt64: Settlement] = [:]
  var lastTag: UInt64 = 0
  var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  mutating func deliver() {
    lastTag += UInt64.random(in: 1...3, using: &random)
    unacked.delivered(lastTag)
    outstanding.insert(lastTag)
    open.insert(lastTag)
  }

  mutating func settle() {
    guard let tag = open.sorted().randomElement(using: &random) else { return }
    let end: Settlement = Int.random(in: 0..<4, using: &random) == 0 ? .requeue : .acknowledge
    open.remove(tag)
    settled[tag] = end
    unacked.settle(tag, end)
  }

  /// Says something of a tag that is finished or was never given.
  mutating func settleNonsense() {
    let tag = UInt64.random(in: 0...(lastTag + 3), using: &random)
    if !open.contains(tag) { unacked.settle(tag, Bool.random(using: &random) ? .requeue : .acknowledge) }
  }

  /// Applies the frames as a broker does.
  mutating func flush() {
    for frame in unacked.flush() {
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
    #expect(unacked.unackedCount == open.count)
  }
}

struct UnackedDeliveriesModelTests {
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
