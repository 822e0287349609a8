import Jobs
import Testing

@testable import JobProcessing

struct JobIntakeTests {
  private let start = ContinuousClock.now

  private func make(size: Int = 4, batchSize: Int = 3, batchWait: Duration = .milliseconds(10)) -> JobIntake {
    JobIntake(size: size, batchKinds: ["batch", "other"], batchSize: batchSize, batchWait: batchWait)
  }

  @Test func `nothing has come, so nothing begins`() {
    var intake = make()
    #expect(intake.step(start) == .wait(until: nil))
    #expect(intake.inHand == 0)
  }

  @Test func `jobs begin one by one, in the order they came`() {
    var intake = make()
    intake.take(.named("a"), .named("b"), at: start)
    intake.take(.named("c"), at: start)
    #expect(intake.inHand == 3)
    #expect(intake.step(start) == .begin(["a"]))
    #expect(intake.step(start) == .begin(["b"]))
    #expect(intake.step(start) == .begin(["c"]))
    #expect(intake.step(start) == .wait(until: nil))
    #expect(intake.inHand == 3)
  }

  @Test func `no more run than the size allows`() {
    var intake = make(size: 2)
    intake.take(.named("a"), .named("b"), .named("c"), at: start)
    #expect(intake.step(start) == .begin(["a"]))
    #expect(intake.step(start) == .begin(["b"]))
    #expect(intake.step(start) == .wait(until: nil))
    intake.finished(jobs: 1)
    #expect(intake.step(start) == .begin(["c"]))
    #expect(intake.runningCount == 2)
    #expect(intake.inHand == 2)
  }

  @Test func `with a size of zero nothing begins`() {
    var intake = make(size: 0)
    intake.take(.named("a"), at: start)
    #expect(intake.step(start + .seconds(60)) == .wait(until: nil))
    intake.size = 1
    #expect(intake.step(start + .seconds(60)) == .begin(["a"]))
  }

  @Test func `a batch begins at once when it is full`() {
    var intake = make()
    intake.take(.named("a", "batch"), .named("b", "batch"), .named("c", "batch"), .named("d", "batch"), at: start)
    #expect(intake.step(start) == .begin(["a", "b", "c"]))
    #expect(intake.runningCount == 1)
    #expect(intake.runningJobs == 3)
    #expect(intake.inHand == 4)
    #expect(intake.step(start) == .wait(until: start + .milliseconds(10)))
  }

  @Test func `a batch that is not full waits for more, and then begins with what there is`() {
    var intake = make()
    intake.take(.named("a", "batch"), at: start)
    let end = start + .milliseconds(10)
    #expect(intake.step(start) == .wait(until: end))
    intake.take(.named("b", "batch"), at: start + .milliseconds(9))
    #expect(intake.step(start + .milliseconds(9)) == .wait(until: end))
    #expect(intake.step(end) == .begin(["a", "b"]))
  }

  @Test func `the wait ends early when the batch fills`() {
    var intake = make()
    intake.take(.named("a", "batch"), .named("b", "batch"), at: start)
    #expect(intake.step(start) == .wait(until: start + .milliseconds(10)))
    intake.take(.named("c", "batch"), at: start + .milliseconds(1))
    #expect(intake.step(start + .milliseconds(1)) == .begin(["a", "b", "c"]))
  }

  @Test func `without a wait a batch begins with what there is`() {
    var intake = make(batchWait: .zero)
    intake.take(.named("a", "batch"), .named("b", "batch"), at: start)
    #expect(intake.step(start) == .begin(["a", "b"]))
  }

  @Test func `a batch of one is full`() {
    var intake = make(batchSize: 1)
    intake.take(.named("a", "batch"), .named("b", "batch"), at: start)
    #expect(intake.step(start) == .begin(["a"]))
    #expect(intake.step(start) == .begin(["b"]))
  }

  @Test func `a batch is of one kind, and the others keep their places`() {
    var intake = make()
    intake.take(
      .named("a", "batch"), .named("x", "other"), .named("b", "batch"), .named("c", "batch"), .named("y", "other"),
      .named("s"), at: start)
    #expect(intake.step(start) == .begin(["a", "b", "c"]))
    let later = start + .milliseconds(10)
    #expect(intake.step(later) == .begin(["x", "y"]))
    #expect(intake.step(later) == .begin(["s"]))
    #expect(intake.step(later) == .wait(until: nil))
  }

  @Test func `the oldest job goes first, whatever could be filled behind it`() {
    var intake = make(size: 1)
    intake.take(.named("s"), .named("a", "batch"), .named("b", "batch"), .named("c", "batch"), at: start)
    #expect(intake.step(start) == .begin(["s"]))
    #expect(intake.step(start) == .wait(until: nil))
    intake.finished(jobs: 1)
    #expect(intake.step(start) == .begin(["a", "b", "c"]))
    intake.finished(jobs: 3)
    #expect(intake.runningCount == 0)
    #expect(intake.inHand == 0)
  }

  @Test func `what came back is done alone, and not along with others`() {
    var intake = make()
    intake.take(
      .named("a", "batch", redelivered: true), .named("b", "batch"), .named("c", "batch", redelivered: true),
      .named("d", "batch"), at: start)
    #expect(intake.step(start) == .begin(["a"]))
    #expect(intake.step(start + .milliseconds(10)) == .begin(["b", "d"]))
    #expect(intake.step(start + .milliseconds(10)) == .begin(["c"]))
  }

  @Test func `what cannot be read is alone`() {
    var intake = make(batchWait: .zero)
    intake.take(.unreadable(named: "?"), .named("a", "batch"), .unreadable(named: "!"), .named("b", "batch"), at: start)
    #expect(intake.step(start) == .begin(["?"]))
    #expect(intake.step(start) == .begin(["a", "b"]))
    #expect(intake.step(start) == .begin(["!"]))
  }

  @Test func `after shrinking nothing begins until enough has ended`() {
    var intake = make(size: 3)
    intake.take(.named("a"), .named("b"), .named("c"), .named("d"), at: start)
    for name in ["a", "b", "c"] { #expect(intake.step(start) == .begin([name])) }
    intake.size = 1
    for _ in 0..<2 {
      intake.finished(jobs: 1)
      #expect(intake.step(start) == .wait(until: nil))
    }
    intake.finished(jobs: 1)
    #expect(intake.step(start) == .begin(["d"]))
  }
}
