import Foundation
import Reports
import Testing

struct MetricNameTests {
  @Test func `the names that tables know stay as they are`() {
    let names = [
      "booking.confirmed", "booking.rejected", "booking.cancelled", "booking.rescheduled", "booking.not_rescheduled",
      "booking.attendance_confirmed", "message.prepared", "message.accepted", "message.not_sent", "message.received",
      "message.status", "provider.event", "job.completed", "job.cancelled",
    ]
    #expect(Set(names).isSubset(of: MetricName.allCases.map(\.rawValue)))
    #expect(Granularity.allCases.map(\.rawValue) == ["minute", "hour", "day"])
  }

  @Test func `an entry survives coding`() throws {
    let entry = RollupEntry(
      start: Date(timeIntervalSince1970: 1_795_414_320), metric: "booking.rejected", detail: "outside_hours", count: 7)
    let coded = try JSONEncoder().encode(entry)
    #expect(try JSONDecoder().decode(RollupEntry.self, from: coded) == entry)
  }
}
