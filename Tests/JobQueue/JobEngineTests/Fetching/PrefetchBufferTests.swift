import Jobs
import Testing

@testable import JobEngine

struct PrefetchBufferTests {
  private let start = ContinuousClock.now

  private func make(size: Int = 4, batchSize: Int = 3, batchWait: Duration = .milliseconds(10)) -> PrefetchBuffer {
    PrefetchBuffer(size: size, batchKinds: ["batch", "other"], batchSize: batchSize, batchWait: batchWait)
  }

  @Test func `in an empty buffer nothing begins`() {
    var buffer = make()
    #expect(buffer.step(start) == .wait(until: nil))
    #expect(buffer.totalJobs == 0)
  }

  @Test func `jobs begin one by one, in the order they arrived`() {
    var buffer = make()
    buffer.take(.named("a"), .named("b"), at: start)
    buffer.take(.named("c"), at: start)
    #expect(buffer.totalJobs == 3)
    #expect(buffer.step(start) == .begin(["a"]))
    #expect(buffer.step(start) == .begin(["b"]))
    #expect(buffer.step(start) == .begin(["c"]))
    #expect(buffer.step(start) == .wait(until: nil))
    #expect(buffer.totalJobs == 3)
  }

  @Test func `no more jobs run than the size allows`() {
    var buffer = make(size: 2)
    buffer.take(.named("a"), .named("b"), .named("c"), at: start)
    #expect(buffer.step(start) == .begin(["a"]))
    #expect(buffer.step(start) == .begin(["b"]))
    #expect(buffer.step(start) == .wait(until: nil))
    buffer.finished(jobs: 1)
    #expect(buffer.step(start) == .begin(["c"]))
    #expect(buffer.busyWorkers == 2)
    #expect(buffer.totalJobs == 2)
  }

  @Test func `with a size of zero nothing begins`() {
    var buffer = make(size: 0)
    buffer.take(.named("a"), at: start)
    #expect(buffer.step(start + .seconds(60)) == .wait(until: nil))
    buffer.size = 1
    #expect(buffer.step(start + .seconds(60)) == .begin(["a"]))
  }

  @Test func `a batch begins at once when it is full`() {
    var buffer = make()
    buffer.take(.named("a", "batch"), .named("b", "batch"), .named("c", "batch"), .named("d", "batch"), at: start)
    #expect(buffer.step(start) == .begin(["a", "b", "c"]))
    #expect(buffer.busyWorkers == 1)
    #expect(buffer.runningJobCount == 3)
    #expect(buffer.totalJobs == 4)
    #expect(buffer.step(start) == .wait(until: start + .milliseconds(10)))
  }

  @Test func `a batch that is not full waits for more jobs, and then begins with those it has`() {
    var buffer = make()
    buffer.take(.named("a", "batch"), at: start)
    let end = start + .milliseconds(10)
    #expect(buffer.step(start) == .wait(until: end))
    buffer.take(.named("b", "batch"), at: start + .milliseconds(9))
    #expect(buffer.step(start + .milliseconds(9)) == .wait(until: end))
    #expect(buffer.step(end) == .begin(["a", "b"]))
  }

  @Test func `the wait ends early when the batch fills`() {
    var buffer = make()
    buffer.take(.named("a", "batch"), .named("b", "batch"), at: start)
    #expect(buffer.step(start) == .wait(until: start + .milliseconds(10)))
    buffer.take(.named("c", "batch"), at: start + .milliseconds(1))
    #expect(buffer.step(start + .milliseconds(1)) == .begin(["a", "b", "c"]))
  }

  @Test func `without a wait a batch begins with the jobs it has`() {
    var buffer = make(batchWait: .zero)
    buffer.take(.named("a", "batch"), .named("b", "batch"), at: start)
    #expect(buffer.step(start) == .begin(["a", "b"]))
  }

  @Test func `a batch of one is full`() {
    var buffer = make(batchSize: 1)
    buffer.take(.named("a", "batch"), .named("b", "batch"), at: start)
    #expect(buffer.step(start) == .begin(["a"]))
    #expect(buffer.step(start) == .begin(["b"]))
  }

  @Test func `a batch is of one kind, and the other jobs keep their places`() {
    var buffer = make()
    buffer.take(
      .named("a", "batch"), .named("x", "other"), .named("b", "batch"), .named("c", "batch"), .named("y", "other"),
      .named("s"), at: start)
    #expect(buffer.step(start) == .begin(["a", "b", "c"]))
    let later = start + .milliseconds(10)
    #expect(buffer.step(later) == .begin(["x", "y"]))
    #expect(buffer.step(later) == .begin(["s"]))
    #expect(buffer.step(later) == .wait(until: nil))
  }

  @Test func `the oldest job begins first, even where a full batch is behind it`() {
    var buffer = make(size: 1)
    buffer.take(.named("s"), .named("a", "batch"), .named("b", "batch"), .named("c", "batch"), at: start)
    #expect(buffer.step(start) == .begin(["s"]))
    #expect(buffer.step(start) == .wait(until: nil))
    buffer.finished(jobs: 1)
    #expect(buffer.step(start) == .begin(["a", "b", "c"]))
    buffer.finished(jobs: 3)
    #expect(buffer.busyWorkers == 0)
    #expect(buffer.totalJobs == 0)
  }

  @Test func `a redelivered job begins alone`() {
    var buffer = make()
    buffer.take(
      .named("a", "batch", redelivered: true), .named("b", "batch"), .named("c", "batch", redelivered: true),
      .named("d", "batch"), at: start)
    #expect(buffer.step(start) == .begin(["a"]))
    #expect(buffer.step(start + .milliseconds(10)) == .begin(["b", "d"]))
    #expect(buffer.step(start + .milliseconds(10)) == .begin(["c"]))
  }

  @Test func `an unreadable message begins alone`() {
    var buffer = make(batchWait: .zero)
    buffer.take(.unreadable(named: "?"), .named("a", "batch"), .unreadable(named: "!"), .named("b", "batch"), at: start)
    #expect(buffer.step(start) == .begin(["?"]))
    #expect(buffer.step(start) == .begin(["a", "b"]))
    #expect(buffer.step(start) == .begin(["!"]))
  }

  @Test func `after shrinking nothing begins until enough has ended`() {
    var buffer = make(size: 3)
    buffer.take(.named("a"), .named("b"), .named("c"), .named("d"), at: start)
    for name in ["a", "b", "c"] { #expect(buffer.step(start) == .begin([name])) }
    buffer.size = 1
    for _ in 0..<2 {
      buffer.finished(jobs: 1)
      #expect(buffer.step(start) == .wait(until: nil))
    }
    buffer.finished(jobs: 1)
    #expect(buffer.step(start) == .begin(["d"]))
  }
}
