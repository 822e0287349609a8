import Foundation
import Testing

@testable import Postgres

struct PostgresDateTests {
  private func text(_ seconds: Double) -> String { Date(timeIntervalSince1970: seconds).postgresTimestamp }

  @Test func `dates carry microseconds, in UTC`() {
    #expect(text(0) == "1970-01-01T00:00:00.000000Z")
    #expect(text(1_700_000_000.123456) == "2023-11-14T22:13:20.123456Z")
    #expect(text(951_826_245.5) == "2000-02-29T12:10:45.500000Z")
    #expect(text(1.000001) == "1970-01-01T00:00:01.000001Z")
  }

  @Test func `a fraction that rounds up carries into the seconds`() {
    #expect(text(0.9999996) == "1970-01-01T00:00:01.000000Z")
    #expect(text(59.9999999) == "1970-01-01T00:01:00.000000Z")
  }

  @Test func `dates before 1970`() {
    #expect(text(-1) == "1969-12-31T23:59:59.000000Z")
    #expect(text(-1.5) == "1969-12-31T23:59:58.500000Z")
    #expect(text(-0.000001) == "1969-12-31T23:59:59.999999Z")
    #expect(text(-2_208_988_800) == "1900-01-01T00:00:00.000000Z")
  }

  @Test func `dates out of a timestamp text's range are the infinities`() {
    #expect(text(253_402_300_800) == "infinity")
    #expect(Date.distantFuture.postgresTimestamp == "4001-01-01T00:00:00.000000Z")
    #expect(Date.distantPast.postgresTimestamp == "-infinity")
    #expect(text(.infinity) == "infinity")
    #expect(text(-.infinity) == "-infinity")
    #expect(text(.nan) == "infinity")
  }

  /// PostgreSQL uses the Gregorian calendar throughout; Foundation's calendars are Julian before 1582-10-15.
  @Test func `a date before 1582 keeps its day`() {
    #expect(text(-30_610_224_000) == "1000-01-01T00:00:00.000000Z")
    #expect(text(-62_135_596_800) == "0001-01-01T00:00:00.000000Z")
  }
}
