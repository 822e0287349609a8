import TestServers
import Testing

@testable import HTTP

struct ReadinessTests {
  private let isStopping = Locked(false)
  private let workers = Locked<String?>("pool concurrency not allocated yet")
  private let isBrokerReady = Locked(true)

  private func readiness(isFront: Bool) -> Readiness {
    let (isStopping, workers, isBrokerReady) = (isStopping, workers, isBrokerReady)
    return Readiness(
      isFront: isFront, isStopping: { isStopping.value }, workersReason: { workers.value },
      isBrokerReady: { isBrokerReady.value })
  }

  @Test(arguments: [true, false]) func `a process is ready once its workers have begun`(_ isFront: Bool) {
    let readiness = readiness(isFront: isFront)
    #expect(readiness.notReadyReason == "pool concurrency not allocated yet")
    workers.change { $0 = nil }
    #expect(readiness.notReadyReason == nil)
    isBrokerReady.change { $0 = false }
    #expect(readiness.notReadyReason != nil)
    isBrokerReady.change { $0 = true }
    isStopping.change { $0 = true }
    #expect(readiness.notReadyReason == "stopping")
  }

  @Test func `a front stays ready while its workers cannot reach the job store, and workers alone do not`() {
    let (front, workersAlone) = (readiness(isFront: true), readiness(isFront: false))
    workers.change { $0 = nil }
    #expect(front.notReadyReason == nil && workersAlone.notReadyReason == nil)
    workers.change { $0 = "job store unavailable" }
    #expect(front.notReadyReason == nil)
    #expect(workersAlone.notReadyReason == "job store unavailable")
  }
}
