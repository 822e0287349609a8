import Foundation
import Jobs
import Testing

@testable import JobEngine

/// The bounds of what is held: bytes, and time.
struct PrefetchBufferBoundTests {
  private let start = ContinuousClock.now
  private let mebibyte = 1 << 20

  private func delivery(bytes: Int, _ kind: JobKind) -> JobDelivery {
    let body = Data(count: bytes)
    return JobDelivery(content: .job(JobEnvelope(kind: kind, body: body)), body: body, redelivered: false) { _ in }
  }

  @Test func `a batch takes no more than its bytes allow, and one job however large`() {
    var buffer = PrefetchBuffer(size: 9, batchKinds: ["batch"], batchSize: 100, batchWait: .seconds(60))
    let sizes = [40, 3, 3, 12, 12, 12].map { $0 * mebibyte }
    #expect(buffer.add(sizes.map { delivery(bytes: $0, "batch") }, now: start).isEmpty)
    var batches: [[Int]] = []
    while case .begin(let jobs, _) = buffer.next(now: start) { batches.append(jobs.map { $0.body.count / mebibyte }) }
    #expect(batches == [[40], [3, 3, 12, 12]])
    guard case .begin(let last, _) = buffer.next(now: start + .seconds(60)) else {
      Issue.record("the rest did not begin when its wait was over")
      return
    }
    #expect(last.map { $0.body.count / mebibyte } == [12])
  }

  @Test func `what other pools hold is subtracted from the bytes allowed`() {
    let held = HeldBytes()
    var buffer = PrefetchBuffer(size: 4, batchKinds: [], batchSize: 1, batchWait: .zero)
    held.change(by: PrefetchLimit.bytesMax - 5 * mebibyte)
    let jobs = (0..<3).map { _ in delivery(bytes: 2 * mebibyte, "single") }
    #expect(buffer.add(jobs, now: start, bytesMax: held.bytesMax(holding: buffer.totalBytes)).count == 1)
    held.change(by: buffer.totalBytes)
    #expect(held.bytesMax(holding: buffer.totalBytes) == 5 * mebibyte)
    #expect(buffer.add(jobs, now: start, bytesMax: held.bytesMax(holding: buffer.totalBytes)).count == 3)
    var limit = PrefetchLimit(batchSize: 20)
    _ = limit.resize(to: 4)
    // The broker delivers no more than what was kept, until smaller bodies have come for long.
    #expect(limit.refused(keeping: 2) == 2)
    #expect(limit.arrived(sizes: [500]) == nil)
    #expect(limit.refused(keeping: 0) == 1)
  }

  @Test func `a job that has waited for too long is requeued and not started`() {
    var buffer = PrefetchBuffer(
      size: 1, batchKinds: [], batchSize: 1, batchWait: .zero, waitMax: .seconds(100))
    buffer.take(.named("a"), .named("b"), at: start)
    buffer.take(.named("c"), at: start + .seconds(50))
    #expect(buffer.step(start + .seconds(100)) == .begin(["a"]))
    #expect(buffer.step(start + .seconds(101)) == .requeue(["b"]))
    #expect(buffer.step(start + .seconds(101)) == .wait(until: nil))
    #expect(buffer.totalJobs == 2)
    buffer.finished(jobs: 1)
    #expect(buffer.step(start + .seconds(150)) == .begin(["c"]))
  }

  @Test func `no second job is prefetched where it could not wait for the first one's attempt`() {
    var short = PrefetchLimit(batchSize: 1, timeout: .seconds(13 * 60))
    #expect(short.resize(to: 4) == 8)
    var long = PrefetchLimit(batchSize: 1, timeout: .seconds(15 * 60))
    #expect(long.resize(to: 4) == 4)
  }

  @Test func `a running job leaves its place to others, a limited number of times, and takes it back`() {
    var buffer = PrefetchBuffer(size: 1, batchKinds: [], batchSize: 1, batchWait: .zero)
    buffer.take(.named("a"), .named("b"), .named("c"), at: start)
    #expect(buffer.step(start) == .begin(["a"]))
    let firstHasLeft = buffer.leave(max: 1)
    #expect(firstHasLeft)
    #expect(buffer.step(start) == .begin(["b"]))
    let secondHasLeft = buffer.leave(max: 1)
    #expect(!secondHasLeft)
    #expect(buffer.step(start) == .wait(until: nil))
    #expect(buffer.totalJobs == 3)
    #expect(buffer.drain().map(\.name) == ["c"])
    buffer.finished(jobs: 1)
    #expect(buffer.step(start) == .wait(until: nil))
    buffer.takeBack()
    buffer.finished(jobs: 1)
    #expect(buffer.step(start) == .finished)
  }
}
