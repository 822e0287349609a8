import Testing

@testable import JobProcessing

struct FlowWatchTests {
  private let start = ContinuousClock.now
  private let silence = Duration.seconds(15)

  private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

  @Test func `a flow that brings jobs is not asked after`() {
    var watch = FlowWatch(silence: silence, now: start)
    for second in stride(from: 10, through: 100, by: 10) {
      #expect(watch.shouldAsk(at(second), hasRoom: true) == false)
      watch.arrived(at(second))
    }
    #expect(!watch.isStalled)
  }

  @Test func `silence with an empty queue is no fault, however long`() {
    var watch = FlowWatch(silence: silence, now: start)
    for second in stride(from: 15, through: 600, by: 15) {
      #expect(watch.shouldAsk(at(second), hasRoom: true) == true)
      #expect(watch.answered(0, at(second)) == false)
      #expect(!watch.isStalled)
    }
  }

  @Test func `jobs that wait twice while none arrives have the flow rebuilt`() {
    var watch = FlowWatch(silence: silence, now: start)
    #expect(watch.shouldAsk(at(14), hasRoom: true) == false)
    #expect(watch.shouldAsk(at(15), hasRoom: true) == true)
    #expect(watch.answered(3, at(15)) == false)
    #expect(watch.isStalled)
    #expect(watch.shouldAsk(at(19), hasRoom: true) == false)
    #expect(watch.shouldAsk(at(20), hasRoom: true) == true)
    #expect(watch.answered(3, at(20)) == true)
    #expect(watch.isStalled)
    watch.arrived(at(21))
    #expect(!watch.isStalled)
  }

  @Test func `what arrives between the two looks clears the suspicion`() {
    var watch = FlowWatch(silence: silence, now: start)
    _ = watch.answered(3, at(15))
    watch.arrived(at(16))
    #expect(watch.shouldAsk(at(30), hasRoom: true) == false)
    #expect(watch.shouldAsk(at(31), hasRoom: true) == true)
    #expect(watch.answered(3, at(31)) == false)
  }

  @Test func `a full hand is no silence`() {
    var watch = FlowWatch(silence: silence, now: start)
    #expect(watch.shouldAsk(at(100), hasRoom: false) == false)
    #expect(watch.shouldAsk(at(110), hasRoom: true) == false)
    #expect(watch.shouldAsk(at(115), hasRoom: true) == true)
  }

  @Test func `a queue that cannot be asked is asked again, and nothing is rebuilt`() {
    var watch = FlowWatch(silence: silence, now: start)
    for second in 15...20 {
      #expect(watch.shouldAsk(at(second), hasRoom: true) == true)
      #expect(watch.answered(nil, at(second)) == false)
    }
    #expect(!watch.isStalled)
  }

  @Test func `rebuilding in vain becomes rarer, and never stops`() {
    var watch = FlowWatch(silence: silence, now: start)
    var rebuilt: [Int] = []
    for second in 0...2_000 where watch.shouldAsk(at(second), hasRoom: true) {
      if watch.answered(1, at(second)) { rebuilt.append(second) }
    }
    let pauses = zip(rebuilt.dropFirst(), rebuilt).map { $0 - $1 }
    #expect(pauses.prefix(5) == [30, 60, 120, 240, 300])
    #expect(pauses.dropFirst(5).allSatisfy { $0 == 300 })
    #expect(pauses.count > 5)
  }
}
