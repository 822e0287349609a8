import Foundation
import Jobs
import TestServers
import Testing

struct CounterTests {
  private let minute = Date(timeIntervalSince1970: 1_795_414_320)

  @Test(arguments: [0, 0.001, 1, 29.9, 30, 59, 59.999])
  func `all instants of a minute have one counter`(_ seconds: TimeInterval) {
    let counter = Counter(tenant: nil, metric: "booking.confirmed", at: minute + seconds)
    #expect(counter.minute == minute)
    #expect(counter == Counter(tenant: nil, metric: "booking.confirmed", detail: "", at: minute))
    #expect(counter.hashValue == Counter(tenant: nil, metric: "booking.confirmed", at: minute).hashValue)
  }

  @Test func `the minutes before and after have other counters`() {
    #expect(Counter(tenant: nil, metric: "m", at: minute + 60).minute == minute + 60)
    #expect(Counter(tenant: nil, metric: "m", at: minute - 0.001).minute == minute - 60)
    #expect(Counter(tenant: nil, metric: "m", at: Date(timeIntervalSince1970: 0)).minute.timeIntervalSince1970 == 0)
    let before = Counter(tenant: nil, metric: "m", at: Date(timeIntervalSince1970: -0.5))
    #expect(before.minute.timeIntervalSince1970 == -60)
  }

  @Test func `the minute is a whole one and contains the instant`() {
    var random = SeededRandom(seed: 61)
    for _ in 0..<2_000 {
      let instant = Date(timeIntervalSince1970: .random(in: -4e9...4e9, using: &random))
      let minute = Counter(tenant: nil, metric: "m", at: instant).minute
      #expect(minute.timeIntervalSince1970.truncatingRemainder(dividingBy: 60) == 0)
      #expect(minute <= instant && instant.timeIntervalSince(minute) < 60)
    }
  }

  @Test func `another business, metric or detail is another counter`() {
    let (one, other) = (UUID(), UUID())
    let counters = [
      Counter(tenant: one, metric: "m", at: minute), Counter(tenant: other, metric: "m", at: minute),
      Counter(tenant: nil, metric: "m", at: minute), Counter(tenant: one, metric: "n", at: minute),
      Counter(tenant: one, metric: "m", detail: "d", at: minute),
    ]
    #expect(Set(counters).count == counters.count)
  }
}
