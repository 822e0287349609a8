import Jobs
import Testing

@testable import JobEngine

struct PausedKindsTests {
  private let paused = PausedKinds()
  private let start = ContinuousClock.now
  private let kind: JobKind = "test.kind"

  /// Lets everything go that is to be.
  private func unparkAll(at now: ContinuousClock.Instant) throws {
    paused.unparked(try #require(paused.pendingUnpark(now: now)), at: now)
  }

  @Test func `what a former life has parked is let go first`() throws {
    #expect(paused.pendingUnpark(now: start)?.pausedKinds == [])
    try unparkAll(at: start)
    #expect(paused.pendingUnpark(now: start) == nil)
  }

  @Test func `a change of the kinds lets go once more, but for the paused ones`() throws {
    try unparkAll(at: start)
    paused.set([kind])
    #expect(paused.contains(kind))
    #expect(paused.pendingUnpark(now: start)?.pausedKinds == [kind])
    try unparkAll(at: start)
    paused.set([kind])
    #expect(paused.pendingUnpark(now: start) == nil)
    paused.set([])
    #expect(paused.pendingUnpark(now: start)?.pausedKinds == [])
  }

  @Test func `a job that is parked while others are let go is not forgotten`() throws {
    paused.set([kind])
    try unparkAll(at: start)
    paused.set([])
    let pendingUnpark = try #require(paused.pendingUnpark(now: start))
    // Its worker looked before the kinds changed, and parks it after the store was asked.
    #expect(paused.didPark(kind))
    paused.unparked(pendingUnpark, at: start)
    #expect(paused.pendingUnpark(now: start)?.pausedKinds == [])
    try unparkAll(at: start)
    #expect(paused.pendingUnpark(now: start) == nil)
  }

  @Test func `a job of a paused kind is parked without further ado`() throws {
    paused.set([kind])
    try unparkAll(at: start)
    #expect(!paused.didPark(kind))
    #expect(paused.pendingUnpark(now: start) == nil)
  }

  @Test func `after a minute it is looked again for what other nodes have parked`() throws {
    try unparkAll(at: start)
    #expect(paused.pendingUnpark(now: start + .seconds(59)) == nil)
    #expect(paused.pendingUnpark(now: start + .seconds(60)) != nil)
  }
}
