import Testing

@testable import JobEngine

struct StallDetectorTests {
  private let start = ContinuousClock.now
  private let stallTimeout = Duration.seconds(15)

  private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

  @Test func `a flow that brings jobs is not asked after`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    for second in stride(from: 10, through: 100, by: 10) {
      #expect(detector.shouldCheckQueue(at(second), hasCapacity: true) == false)
      detector.arrived(at(second))
    }
    #expect(!detector.isStalled)
  }

  @Test func `stallTimeout with an empty queue is no fault, however long`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    for second in stride(from: 15, through: 600, by: 15) {
      #expect(detector.shouldCheckQueue(at(second), hasCapacity: true) == true)
      #expect(detector.shouldRestart(0, at(second)) == false)
      #expect(!detector.isStalled)
    }
  }

  @Test func `jobs that wait twice while none arrives have the flow restarted`() {
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

  @Test func `what arrives between the two looks clears the suspicion`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    _ = detector.shouldRestart(3, at(15))
    detector.arrived(at(16))
    #expect(detector.shouldCheckQueue(at(30), hasCapacity: true) == false)
    #expect(detector.shouldCheckQueue(at(31), hasCapacity: true) == true)
    #expect(detector.shouldRestart(3, at(31)) == false)
  }

  @Test func `a full hand is no stallTimeout`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    #expect(detector.shouldCheckQueue(at(100), hasCapacity: false) == false)
    #expect(detector.shouldCheckQueue(at(110), hasCapacity: true) == false)
    #expect(detector.shouldCheckQueue(at(115), hasCapacity: true) == true)
  }

  @Test func `a queue that cannot be asked is asked again, and nothing is restarted`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    for second in 15...20 {
      #expect(detector.shouldCheckQueue(at(second), hasCapacity: true) == true)
      #expect(detector.shouldRestart(nil, at(second)) == false)
    }
    #expect(!detector.isStalled)
  }

  @Test func `rebuilding in vain becomes rarer, and never stops`() {
    var detector = StallDetector(stallTimeout: stallTimeout, now: start)
    var restarted: [Int] = []
    for second in 0...2_000 where detector.shouldCheckQueue(at(second), hasCapacity: true) {
      if detector.shouldRestart(1, at(second)) { restarted.append(second) }
    }
    let pauses = zip(restarted.dropFirst(), restarted).map { $0 - $1 }
    #expect(pauses.prefix(5) == [30, 60, 120, 240, 300])
    #expect(pauses.dropFirst(5).allSatisfy { $0 == 300 })
    #expect(pauses.count > 5)
  }
}
