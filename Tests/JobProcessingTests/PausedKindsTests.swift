import Jobs
import Testing

@testable import JobProcessing

struct PausedKindsTests {
  private let paused = PausedKinds()
  private let start = ContinuousClock.now
  private let kind: JobKind = "test.kind"

  /// Lets everything go that is to be.
  private func letGo(at now: ContinuousClock.Instant) throws {
    paused.released(try #require(paused.release(now: now)), at: now)
  }

  @Test func `what a former life has parked is let go first`() throws {
    #expect(paused.release(now: start)?.kept == [])
    try letGo(at: start)
    #expect(paused.release(now: start) == nil)
  }

  @Test func `a change of the kinds lets go once more, but for the paused ones`() throws {
    try letGo(at: start)
    paused.set([kind])
    #expect(paused.contains(kind))
    #expect(paused.release(now: start)?.kept == [kind])
    try letGo(at: start)
    paused.set([kind])
    #expect(paused.release(now: start) == nil)
    paused.set([])
    #expect(paused.release(now: start)?.kept == [])
  }

  @Test func `a job that is parked while others are let go is not forgotten`() throws {
    paused.set([kind])
    try letGo(at: start)
    paused.set([])
    let release = try #require(paused.release(now: start))
    // Its worker looked before the kinds changed, and parks it after the ledger was asked.
    #expect(paused.parked(kind))
    paused.released(release, at: start)
    #expect(paused.release(now: start)?.kept == [])
    try letGo(at: start)
    #expect(paused.release(now: start) == nil)
  }

  @Test func `a job of a paused kind is parked without further ado`() throws {
    paused.set([kind])
    try letGo(at: start)
    #expect(!paused.parked(kind))
    #expect(paused.release(now: start) == nil)
  }

  @Test func `after a minute it is looked again for what other nodes have parked`() throws {
    try letGo(at: start)
    #expect(paused.release(now: start + .seconds(59)) == nil)
    #expect(paused.release(now: start + .seconds(60)) != nil)
  }
}
