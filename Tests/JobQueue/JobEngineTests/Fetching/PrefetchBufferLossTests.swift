import Foundation
import Jobs
import Synchronization
import Testing

@testable import JobEngine

/// A connection that can be lost, and the deliveries it brings.
private final class LosableConnection: Sendable {
  private let isLost = Atomic(false)

  func lose() { isLost.store(true, ordering: .releasing) }

  func delivery(_ envelope: JobEnvelope, redelivered: Bool = false) -> JobDelivery {
    JobDelivery(
      content: .job(envelope), body: envelope.body, redelivered: redelivered,
      isStillHeld: { !self.isLost.load(ordering: .acquiring) }
    ) { _ in }
  }
}

struct PrefetchBufferLossTests {
  private let start = ContinuousClock.now
  private let first = LosableConnection()
  private let second = LosableConnection()

  private func make(size: Int = 4) -> PrefetchBuffer {
    PrefetchBuffer(size: size, batchKinds: ["batch"], batchSize: 3, batchWait: .milliseconds(10))
  }

  private func envelope(_ name: String, _ kind: JobKind = "single") -> JobEnvelope {
    JobEnvelope(kind: kind, body: Data(name.utf8))
  }

  @Test func `prefetched jobs of a lost connection are dropped`() {
    var buffer = make()
    buffer.take(first.delivery(envelope("a")), first.delivery(envelope("b")), at: start)
    first.lose()
    #expect(buffer.step(start) == .wait(until: nil))
    #expect(buffer.totalJobs == 0)
    #expect(buffer.totalBytes == 0)
  }

  @Test func `jobs redelivered over the next connection begin once`() {
    var buffer = make()
    let (a, b) = (envelope("a"), envelope("b"))
    buffer.take(first.delivery(a), first.delivery(b), at: start)
    first.lose()
    buffer.take(second.delivery(a, redelivered: true), second.delivery(b, redelivered: true), at: start)
    #expect(buffer.totalJobs == 2)
    #expect(buffer.step(start) == .begin(["a"]))
    #expect(buffer.step(start) == .begin(["b"]))
    #expect(buffer.step(start) == .wait(until: nil))
  }

  @Test func `a copy of a running job waits until that has ended, and holds up no other job`() {
    var buffer = make()
    let a = envelope("a")
    let running = first.delivery(a)
    buffer.take(running, at: start)
    #expect(buffer.step(start) == .begin(["a"]))
    first.lose()
    buffer.take(second.delivery(a, redelivered: true), .named("b"), at: start)
    #expect(buffer.step(start) == .begin(["b"]))
    #expect(buffer.step(start) == .wait(until: nil))
    buffer.finished([running])
    #expect(buffer.step(start) == .begin(["a"]))
  }

  @Test func `another run of a job is another job`() {
    var buffer = make()
    var again = envelope("a")
    buffer.take(first.delivery(again), at: start)
    #expect(buffer.step(start) == .begin(["a"]))
    again.run += 1
    buffer.take(first.delivery(again), at: start)
    #expect(buffer.step(start) == .begin(["a"]))
  }

  @Test func `a batch takes no copies of running jobs`() {
    var buffer = make()
    let (a, b) = (envelope("a", "batch"), envelope("b", "batch"))
    let running = first.delivery(a)
    buffer.take(running, at: start)
    let later = start + .milliseconds(10)
    #expect(buffer.step(later) == .begin(["a"]))
    buffer.take(first.delivery(a), first.delivery(b), at: later)
    #expect(buffer.step(later + .milliseconds(10)) == .begin(["b"]))
    buffer.finished([running])
    #expect(buffer.step(later + .milliseconds(10)) == .begin(["a"]))
  }
}
