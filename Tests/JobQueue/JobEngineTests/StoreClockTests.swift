import Foundation
import Jobs
import JobsTesting
import Logging
import TestServers
import Testing

@testable import JobEngine

struct StoreClockTests {
  private let store = InMemoryJobStore()
  private var clock: StoreClock { StoreClock(store, logger: quiet) }
  private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  private let hour: TimeInterval = 3_600

  /// Seconds by which the clock is ahead of this machine's.
  private func ahead(_ clock: StoreClock) -> TimeInterval { clock.now.timeIntervalSince(Date()) }

  @Test func `before the first reading it shows the node's time`() {
    store.advance(by: .seconds(3_600))
    #expect(abs(ahead(clock)) < 60)
  }

  /// Reads until the clock is ahead by so much: a slow reading, as on a busy machine, does not count.
  private func read(_ clock: StoreClock, untilAhead seconds: TimeInterval) async throws {
    try await eventually(within: .seconds(30), "the clock is \(seconds) s ahead") {
      await clock.read()
      return abs(ahead(clock) - seconds) < 60
    }
  }

  @Test(arguments: [-3_600, 3_600])
  func `after a reading it shows the store's time`(seconds: Int) async throws {
    store.advance(by: .seconds(seconds))
    try await read(clock, untilAhead: Double(seconds))
  }

  @Test func `while the store is unavailable it carries the last reading on`() async throws {
    let clock = clock
    store.advance(by: .seconds(3_600))
    try await read(clock, untilAhead: hour)
    store.isAvailable = false
    store.advance(by: .seconds(3_600))
    await clock.read()
    #expect(abs(ahead(clock) - hour) < 60)
    store.isAvailable = true
    try await read(clock, untilAhead: 2 * hour)
  }

  @Test func `it steps back only where the store's clock was set back by much`() async throws {
    let clock = clock
    store.advance(by: .seconds(3_600))
    try await read(clock, untilAhead: hour)
    let before = clock.now
    store.advance(by: .milliseconds(-900))
    await clock.read()
    #expect(clock.now >= before)
    store.advance(by: .seconds(-3_600))
    try await read(clock, untilAhead: 0)
    #expect(clock.now < before)
  }
}

struct ClockEstimateTests {
  private let start = ContinuousClock.now
  private let date = Date(timeIntervalSince1970: 1_000)

  @Test func `the first answer counts as read halfway between request and answer`() {
    let estimate = ClockEstimate(date, asked: start, answered: start + .seconds(2))
    #expect(estimate.date(at: start + .seconds(1)) == date)
    #expect(estimate.date(at: start + .seconds(11)) == date + 10)
    #expect(estimate.date(at: start) == date - 1)
  }

  @Test func `a slow answer that agrees with the estimate changes nothing`() {
    let first = ClockEstimate(date, asked: start, answered: start)
    // Asked at 5 s, answered at 7 s: the store read its clock at some instant between the two.
    for shown in [date + 5, date + 6, date + 7] {
      let next = ClockEstimate(shown, asked: start + .seconds(5), answered: start + .seconds(7), after: first)
      #expect(next.date(at: start + .seconds(10)) == date + 10)
    }
  }

  @Test func `an answer that contradicts the estimate corrects it by as little as possible`() {
    let first = ClockEstimate(date, asked: start, answered: start)
    let ahead = ClockEstimate(date + 9, asked: start + .seconds(5), answered: start + .seconds(7), after: first)
    #expect(ahead.date(at: start + .seconds(7)) == date + 9)
    let behind = ClockEstimate(date + 3, asked: start + .seconds(5), answered: start + .seconds(7), after: first)
    #expect(behind.date(at: start + .seconds(7)) == date + 5)
  }
}
