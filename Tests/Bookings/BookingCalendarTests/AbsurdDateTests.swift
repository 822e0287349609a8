import Foundation
import Testing

@testable import BookingCalendar

struct AbsurdDateTests {
  private let now = Date(timeIntervalSince1970: 1_773_050_400)

  private func open() throws -> BookableCalendar {
    try bookableCalendar("America/Sao_Paulo", schedule(everyDay("09:00-12:00")), horizon: 60 * 86_400)
  }

  /// Fails where `body` takes long enough to have gone through centuries of days.
  private func quickly(_ body: () throws -> Void) rethrows {
    let took = try ContinuousClock().measure(body)
    #expect(took < .seconds(5))
  }

  @Test func `a slot in centuries is beyond the horizon, at once`() throws {
    let calendar = try open()
    let instants: [TimeInterval] = [
      4_102_444_800, 64_092_211_200, 253_402_300_799, 1e15, .greatestFiniteMagnitude, .infinity,
    ]
    quickly {
      for start in instants.map(Date.init(timeIntervalSince1970:)) {
        #expect(calendar.rejections(of: start, now: now) == [.beyondHorizon])
      }
    }
  }

  @Test func `a slot centuries ago is in the past, at once`() throws {
    let calendar = try open()
    let instants: [TimeInterval] = [0, -62_135_769_600, -1e15, -.greatestFiniteMagnitude, -.infinity]
    quickly {
      for start in instants.map(Date.init(timeIntervalSince1970:)) {
        #expect(calendar.rejections(of: start, now: now) == [.inThePast])
      }
    }
  }

  @Test func `a range of all time is cut down to the horizon`() throws {
    let calendar = try open()
    try quickly {
      let slots = calendar.slots(in: TimeRange(start: .distantPast, end: .distantFuture), now: now, busy: [])
      let horizon = calendar.slots(in: TimeRange(start: now, end: now + 61 * 86_400), now: now, busy: [])
      #expect(slots == horizon)
      #expect(slots.count >= 180)
      let (first, last) = (try #require(slots.first), try #require(slots.last))
      #expect(first >= now)
      #expect(last <= now + 60 * 86_400)
    }
  }

  @Test func `a range in the past or beyond the horizon lists nothing, at once`() throws {
    let calendar = try open()
    quickly {
      let past = TimeRange(start: .distantPast, end: now - 86_400)
      #expect(calendar.slots(in: past, now: now, busy: []).isEmpty)
      let future = TimeRange(start: now + 61 * 86_400, end: .distantFuture)
      #expect(calendar.slots(in: future, now: now, busy: []).isEmpty)
    }
  }

  @Test func `the turn of a century is a day like any other`() throws {
    let calendar = try open()
    let slots = try calendar.listed("2099-12-31T00:00", "2100-01-02T00:00")
    let all = [
      "2099-12-31T12:00", "2099-12-31T13:00", "2099-12-31T14:00", "2100-01-01T12:00", "2100-01-01T13:00",
      "2100-01-01T14:00",
    ]
    #expect(slots == all)
    #expect(try calendar.refusals("2100-01-01T12:00").isEmpty)
  }

  @Test func `a schedule without hours has no slots and ends the search`() throws {
    let closed = try bookableCalendar("UTC", schedule([:]))
    #expect(closed.slots(in: TimeRange(start: now, end: now + 366 * 86_400), now: now, busy: []).isEmpty)
    #expect(closed.rejections(of: now + 3_600, now: now) == [.dayOff])
  }
}
