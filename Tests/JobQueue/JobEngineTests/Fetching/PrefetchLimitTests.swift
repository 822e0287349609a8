import Foundation
import Jobs
import Testing

@testable import JobEngine

struct PrefetchLimitTests {
  private let mebibyte = 1 << 20

  @Test func `small jobs: twice the local concurrency, up to the most that a consumer gains from`() {
    var limit = PrefetchLimit(batchSize: 1)
    #expect(limit.resize(to: 4) == 8)
    #expect(limit.resize(to: 0) == 0)
    #expect(limit.resize(to: 10_000) == PrefetchLimit.countMax)
    var batches = PrefetchLimit(batchSize: 100)
    #expect(batches.resize(to: 4) == 800)
  }

  @Test func `large bodies: as many as their bytes allow, and at least one`() {
    var limit = PrefetchLimit(batchSize: 20)
    #expect(limit.resize(to: 4) == 160)
    #expect(limit.arrived(sizes: [3 * mebibyte]) == 10)
    #expect(limit.current == 10)
    #expect(limit.arrived(sizes: [100 * mebibyte]) == 1)
    #expect(limit.resize(to: 8) == 1)
  }

  @Test func `the limit grows again when large bodies have not arrived for long`() {
    var limit = PrefetchLimit(batchSize: 20)
    _ = limit.resize(to: 4)
    _ = limit.arrived(sizes: [3 * mebibyte])
    var steps: [Int] = []
    for _ in 0..<20_000 {
      if let step = limit.arrived(sizes: [500]) { steps.append(step) }
    }
    #expect(steps.first.map { $0 >= 20 } == true)
    #expect(zip(steps, steps.dropFirst()).allSatisfy { $1 >= $0 * 2 })
    #expect(limit.current > 80)
    #expect(steps.count < 6)
  }

  @Test func `sizes that vary a little do not change the limit`() {
    var limit = PrefetchLimit(batchSize: 20)
    _ = limit.resize(to: 4)
    for size in [400, 900, 30_000, 200, 100_000] { #expect(limit.arrived(sizes: [size]) == nil) }
  }

  @Test func `a pool without local concurrency prefetches nothing, whatever arrives`() {
    var limit = PrefetchLimit(batchSize: 20)
    #expect(limit.arrived(sizes: [100, 5 * mebibyte]) == nil)
    #expect(limit.current == 0)
  }

  @Test func `the buffer takes the first job whatever its size, and returns jobs beyond its bytes`() {
    var buffer = PrefetchBuffer(size: 4, batchKinds: [], batchSize: 1, batchWait: .zero)
    let large = JobDelivery(
      content: .unreadable(reason: "test"), body: Data(count: PrefetchLimit.bytesMax), redelivered: false
    ) { _ in }
    let small = JobDelivery.named("small")
    let now = ContinuousClock.now
    #expect(buffer.add([large, small], now: now).map(\.name) == ["small"])
    #expect(buffer.totalBytes == PrefetchLimit.bytesMax)
    guard case .begin(let begun, _) = buffer.next(now: now) else {
      Issue.record("the large job did not begin")
      return
    }
    #expect(buffer.add([small], now: now).map(\.name) == ["small"])
    buffer.finished(begun)
    #expect(buffer.totalBytes == 0)
    #expect(buffer.add([small, small], now: now).count == 0)
    #expect(buffer.totalBytes == 10)
    #expect(buffer.drain().count == 2)
    #expect(buffer.totalBytes == 0)
  }
}
