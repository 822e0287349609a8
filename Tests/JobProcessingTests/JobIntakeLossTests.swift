import Foundation
import Jobs
import Synchronization
import Testing

@testable import JobProcessing

/// A connection that can be lost, and what arrives by it.
private final class LosableConnection: Sendable {
  private let isLost = Atomic(false)

  func lose() { isLost.store(true, ordering: .releasing) }

  func delivery(_ envelope: JobEnvelope, redelivered: Bool = false) -> JobDelivery {
    JobDelivery(
      content: .job(envelope), body: envelope.body, redelivered: redelivered,
      isOurs: { !self.isLost.load(ordering: .acquiring) }
    ) { _ in }
  }
}

struct JobIntakeLossTests {
  private let start = ContinuousClock.now
  private let first = LosableConnection()
  private let second = LosableConnection()

  private func make(size: Int = 4) -> JobIntake {
    JobIntake(size: size, batchKinds: ["batch"], batchSize: 3, batchWait: .milliseconds(10))
  }

  private func envelope(_ name: String, _ kind: JobKind = "single") -> JobEnvelope {
    JobEnvelope(kind: kind, body: Data(name.utf8))
  }

  @Test func `what the broker took back before it was begun is forgotten`() {
    var intake = make()
    intake.take(first.delivery(envelope("a")), first.delivery(envelope("b")), at: start)
    first.lose()
    #expect(intake.step(start) == .wait(until: nil))
    #expect(intake.inHand == 0)
    #expect(intake.bytesInHand == 0)
  }

  @Test func `what comes by the next connection is begun, once`() {
    var intake = make()
    let (a, b) = (envelope("a"), envelope("b"))
    intake.take(first.delivery(a), first.delivery(b), at: start)
    first.lose()
    intake.take(second.delivery(a, redelivered: true), second.delivery(b, redelivered: true), at: start)
    #expect(intake.inHand == 2)
    #expect(intake.step(start) == .begin(["a"]))
    #expect(intake.step(start) == .begin(["b"]))
    #expect(intake.step(start) == .wait(until: nil))
  }

  @Test func `a copy of what runs waits for its end, and holds up nobody`() {
    var intake = make()
    let a = envelope("a")
    let running = first.delivery(a)
    intake.take(running, at: start)
    #expect(intake.step(start) == .begin(["a"]))
    first.lose()
    intake.take(second.delivery(a, redelivered: true), .named("b"), at: start)
    #expect(intake.step(start) == .begin(["b"]))
    #expect(intake.step(start) == .wait(until: nil))
    intake.finished([running])
    #expect(intake.step(start) == .begin(["a"]))
  }

  @Test func `another run of a job is another job`() {
    var intake = make()
    var again = envelope("a")
    intake.take(first.delivery(again), at: start)
    #expect(intake.step(start) == .begin(["a"]))
    again.run += 1
    intake.take(first.delivery(again), at: start)
    #expect(intake.step(start) == .begin(["a"]))
  }

  @Test func `a batch is made without copies of what runs`() {
    var intake = make()
    let (a, b) = (envelope("a", "batch"), envelope("b", "batch"))
    let running = first.delivery(a)
    intake.take(running, at: start)
    let later = start + .milliseconds(10)
    #expect(intake.step(later) == .begin(["a"]))
    intake.take(first.delivery(a), first.delivery(b), at: later)
    #expect(intake.step(later + .milliseconds(10)) == .begin(["b"]))
    intake.finished([running])
    #expect(intake.step(later + .milliseconds(10)) == .begin(["a"]))
  }
}
