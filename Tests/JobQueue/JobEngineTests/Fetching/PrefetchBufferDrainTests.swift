import Jobs
import Testing

@testable import JobEngine

struct PrefetchBufferDrainTests {
  private let start = ContinuousClock.now

  private func make() -> PrefetchBuffer {
    PrefetchBuffer(size: 4, batchKinds: ["batch"], batchSize: 3, batchWait: .milliseconds(10))
  }

  @Test func `draining returns the prefetched jobs in order, and nothing more begins`() {
    var buffer = make()
    buffer.take(.named("a"), .named("b", "batch"), .unreadable(named: "?"), .named("c"), at: start)
    #expect(buffer.step(start) == .begin(["a"]))
    #expect(buffer.drain().map(\.name) == ["b", "?", "c"])
    #expect(buffer.isDraining)
    #expect(buffer.totalJobs == 1)
    #expect(buffer.step(start + .seconds(1)) == .wait(until: nil))
  }

  @Test func `draining is over when nothing runs`() {
    var buffer = make()
    buffer.take(.named("a"), .named("b"), at: start)
    #expect(buffer.step(start) == .begin(["a"]))
    #expect(buffer.step(start) == .begin(["b"]))
    #expect(buffer.drain().isEmpty)
    buffer.finished(jobs: 1)
    #expect(buffer.step(start) == .wait(until: nil))
    buffer.finished(jobs: 1)
    #expect(buffer.step(start) == .finished)
    #expect(buffer.totalJobs == 0)
  }

  @Test func `draining an empty buffer is over at once`() {
    var buffer = make()
    #expect(buffer.drain().isEmpty)
    #expect(buffer.step(start) == .finished)
  }

  @Test func `jobs that arrive while draining are returned`() {
    var buffer = make()
    buffer.take(.named("a"), at: start)
    #expect(buffer.step(start) == .begin(["a"]))
    #expect(buffer.drain().isEmpty)
    #expect(buffer.add([.named("b"), .named("c", "batch")], now: start).map(\.name) == ["b", "c"])
    #expect(buffer.totalJobs == 1)
    buffer.finished(jobs: 1)
    #expect(buffer.step(start) == .finished)
    #expect(buffer.add([.named("d")], now: start).map(\.name) == ["d"])
  }

  @Test func `a batch that was waiting to fill is returned too`() {
    var buffer = make()
    buffer.take(.named("a", "batch"), .named("b", "batch"), at: start)
    #expect(buffer.step(start) == .wait(until: start + .milliseconds(10)))
    #expect(buffer.drain().map(\.name) == ["a", "b"])
    #expect(buffer.step(start + .milliseconds(10)) == .finished)
  }

  @Test func `draining twice returns nothing twice`() {
    var buffer = make()
    buffer.take(.named("a"), at: start)
    #expect(buffer.drain().map(\.name) == ["a"])
    #expect(buffer.drain().isEmpty)
  }

  @Test func `a buffer of size zero drains as well`() {
    var buffer = make()
    buffer.size = 0
    buffer.take(.named("a"), at: start)
    #expect(buffer.drain().map(\.name) == ["a"])
    #expect(buffer.step(start) == .finished)
  }
}
