import Jobs
import Testing

@testable import JobProcessing

struct JobIntakeDrainTests {
  private let start = ContinuousClock.now

  private func make() -> JobIntake {
    JobIntake(size: 4, batchKinds: ["batch"], batchSize: 3, batchWait: .milliseconds(10))
  }

  @Test func `draining returns what waits, in order, and nothing more begins`() {
    var intake = make()
    intake.take(.named("a"), .named("b", "batch"), .unreadable(named: "?"), .named("c"), at: start)
    #expect(intake.step(start) == .begin(["a"]))
    #expect(intake.drain().map(\.name) == ["b", "?", "c"])
    #expect(intake.isDraining)
    #expect(intake.inHand == 1)
    #expect(intake.step(start + .seconds(1)) == .wait(until: nil))
  }

  @Test func `draining is over when nothing runs`() {
    var intake = make()
    intake.take(.named("a"), .named("b"), at: start)
    #expect(intake.step(start) == .begin(["a"]))
    #expect(intake.step(start) == .begin(["b"]))
    #expect(intake.drain().isEmpty)
    intake.finished(jobs: 1)
    #expect(intake.step(start) == .wait(until: nil))
    intake.finished(jobs: 1)
    #expect(intake.step(start) == .finished)
    #expect(intake.inHand == 0)
  }

  @Test func `draining with nothing in hand is over at once`() {
    var intake = make()
    #expect(intake.drain().isEmpty)
    #expect(intake.step(start) == .finished)
  }

  @Test func `what arrives while draining is returned`() {
    var intake = make()
    intake.take(.named("a"), at: start)
    #expect(intake.step(start) == .begin(["a"]))
    #expect(intake.drain().isEmpty)
    #expect(intake.add([.named("b"), .named("c", "batch")], now: start).map(\.name) == ["b", "c"])
    #expect(intake.inHand == 1)
    intake.finished(jobs: 1)
    #expect(intake.step(start) == .finished)
    #expect(intake.add([.named("d")], now: start).map(\.name) == ["d"])
  }

  @Test func `a batch that was waiting to fill is returned too`() {
    var intake = make()
    intake.take(.named("a", "batch"), .named("b", "batch"), at: start)
    #expect(intake.step(start) == .wait(until: start + .milliseconds(10)))
    #expect(intake.drain().map(\.name) == ["a", "b"])
    #expect(intake.step(start + .milliseconds(10)) == .finished)
  }

  @Test func `draining twice returns nothing twice`() {
    var intake = make()
    intake.take(.named("a"), at: start)
    #expect(intake.drain().map(\.name) == ["a"])
    #expect(intake.drain().isEmpty)
  }

  @Test func `an intake of size zero drains as well`() {
    var intake = make()
    intake.size = 0
    intake.take(.named("a"), at: start)
    #expect(intake.drain().map(\.name) == ["a"])
    #expect(intake.step(start) == .finished)
  }
}
