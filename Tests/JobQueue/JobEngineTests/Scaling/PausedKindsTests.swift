import Jobs
import Testing

@testable import JobEngine

struct PausedKindsTests {
  private let paused = PausedKinds()
  private let start = ContinuousClock.now
  private let kind: JobKind = "test.kind"

  /// Unparks what is pending.
  private func unparkAll(at now: ContinuousClock.Instant) throws {
    paused.unparked(try #require(paused.pendingUnpark(now: now)), at: now)
  }

  @Test func `jobs that an earlier process parked are unparked first`() throws {
    #expect(paused.pendingUnpark(now: start)?.pausedKinds == [])
    try unparkAll(at: start)
    #expect(paused.pendingUnpark(now: start) == nil)
  }

  @Test func `a change of the paused kinds unparks once more, except those kinds`() throws {
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

  @Test func `a job that is parked during an unpark is unparked by the next one`() throws {
    paused.set([kind])
    try unparkAll(at: start)
    paused.set([])
    let pendingUnpark = try #require(paused.pendingUnpark(now: start))
    // Its worker checked the kinds before they changed, and parks the job after the store has unparked.
    #expect(paused.didPark(kind))
    paused.unparked(pendingUnpark, at: start)
    #expect(paused.pendingUnpark(now: start)?.pausedKinds == [])
    try unparkAll(at: start)
    #expect(paused.pendingUnpark(now: start) == nil)
  }

  @Test func `parking a job of a paused kind needs no unpark`() throws {
    paused.set([kind])
    try unparkAll(at: start)
    #expect(!paused.didPark(kind))
    #expect(paused.pendingUnpark(now: start) == nil)
  }

  @Test func `after a minute jobs that other nodes have parked are unparked again`() throws {
    try unparkAll(at: start)
    #expect(paused.pendingUnpark(now: start + .seconds(59)) == nil)
    #expect(paused.pendingUnpark(now: start + .seconds(60)) != nil)
  }
}
