import Testing

@testable import JobEngine

struct StallDetectorTests {
  private let start = ContinuousClock.now
  private let stallTimeout = Duration.seconds(15)

  private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

  @Test func `while jobs arrive the queue is not checked`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    for second in stride(from: 10, through: 100, by: 10) {
      #expect(detector.shouldCheckQueue(at(second), hasCapacity: true) == false)
      detector.arrived(at(second))
    }
    #expect(!detector.isStalled)
  }

  @Test func `an empty queue is no stall, however long`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    for second in stride(from: 15, through: 600, by: 15) {
      #expect(detector.shouldCheckQueue(at(second), hasCapacity: true) == true)
      #expect(detector.shouldRestart(0, at(second)) == false)
      #expect(!detector.isStalled)
    }
  }

  @Test func `jobs ready at two checks while none arrives restart the consumer`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    #expect(detector.shouldCheckQueue(at(14), hasCapacity: true) == false)
    #expect(detector.shouldCheckQueue(at(15), hasCapacity: true) == true)
    #expect(detector.shouldRestart(3, at(15)) == false)
    #expect(detector.isStalled)
    #expect(detector.shouldCheckQueue(at(19), hasCapacity: true) == false)
    #expect(detector.shouldCheckQueue(at(20), hasCapacity: true) == true)
    #expect(detector.shouldRestart(3, at(20)) == true)
    #expect(detector.isStalled)
    detector.arrived(at(21))
    #expect(!detector.isStalled)
  }

  @Test func `a job that arrives between the two checks ends the stall`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    _ = detector.shouldRestart(3, at(15))
    detector.arrived(at(16))
    #expect(detector.shouldCheckQueue(at(30), hasCapacity: true) == false)
    #expect(detector.shouldCheckQueue(at(31), hasCapacity: true) == true)
    #expect(detector.shouldRestart(3, at(31)) == false)
  }

  @Test func `a full buffer is no stall`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    #expect(detector.shouldCheckQueue(at(100), hasCapacity: false) == false)
    #expect(detector.shouldCheckQueue(at(110), hasCapacity: true) == false)
    #expect(detector.shouldCheckQueue(at(115), hasCapacity: true) == true)
  }

  @Test func `a queue that cannot be checked is checked again, and the consumer is not restarted`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    for second in 15...20 {
      #expect(detector.shouldCheckQueue(at(second), hasCapacity: true) == true)
      #expect(detector.shouldRestart(nil, at(second)) == false)
    }
    #expect(!detector.isStalled)
  }

  @Test func `restarts that do not help become rarer, and never stop`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    var restarted: [Int] = []
    for second in 0...2_000 where detector.shouldCheckQueue(at(second), hasCapacity: true) {
      if detector.shouldRestart(1, at(second)) { restarted.append(second) }
    }
    let intervals = zip(restarted.dropFirst(), restarted).map { $0 - $1 }
    #expect(intervals.prefix(5) == [30, 60, 120, 240, 300])
    #expect(intervals.dropFirst(5).allSatisfy { $0 == 300 })
    #expect(intervals.count > 5)
  }
}
