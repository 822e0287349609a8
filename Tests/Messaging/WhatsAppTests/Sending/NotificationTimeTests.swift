import Foundation
import Testing
import WhatsApp

/// Times as Brazilians write them, by the clock of the business.
struct NotificationTimeTests {
  private func time(_ instant: String, _ zone: String) throws -> String {
    let content = NotificationKind.confirmed.content(try templateValues(startsAt: instant, zone: zone), booking: UUID())
    try #require(content.parameters.count == 5)
    return content.parameters[3]
  }

  @Test(
    arguments: zip(
      [
        "2026-11-24T13:00", "2026-11-24T02:30", "2026-11-24T03:00", "2026-11-24T03:30", "2026-11-24T04:00",
        "2027-01-01T02:59", "2027-01-01T03:00", "2028-03-01T02:05", "2026-03-02T02:05",
      ],
      [
        "ter., 24/11 às 10:00", "seg., 23/11 às 23:30", "ter., 24/11 às 00:00", "ter., 24/11 às 00:30",
        "ter., 24/11 às 01:00", "qui., 31/12 às 23:59", "sex., 01/01 às 00:00", "ter., 29/02 às 23:05",
        "dom., 01/03 às 23:05",
      ]))
  func `a time in São Paulo, three hours behind UTC`(_ instant: String, _ text: String) throws {
    #expect(try time(instant, "America/Sao_Paulo") == text)
  }

  @Test(
    arguments: zip(
      ["2026-11-24T13:00", "2026-11-24T03:30", "2026-11-24T03:59", "2026-11-24T04:00", "2027-01-01T03:30"],
      [
        "ter., 24/11 às 09:00", "seg., 23/11 às 23:30", "seg., 23/11 às 23:59", "ter., 24/11 às 00:00",
        "qui., 31/12 às 23:30",
      ]))
  func `a time in Manaus, four hours behind UTC`(_ instant: String, _ text: String) throws {
    #expect(try time(instant, "America/Manaus") == text)
  }

  @Test(arguments: zip(1...7, ["dom.", "seg.", "ter.", "qua.", "qui.", "sex.", "sáb."]))
  func `each day of the week has its name`(_ day: Int, _ name: String) throws {
    // The first of November 2026 is a Sunday.
    #expect(try time("2026-11-0\(day)T15:00", "America/Sao_Paulo") == "\(name), 0\(day)/11 às 12:00")
  }

  @Test func `the hour that came twice is written as the clocks showed it, both times`() throws {
    #expect(try time("2018-02-18T01:30", "America/Sao_Paulo") == "sáb., 17/02 às 23:30")
    #expect(try time("2018-02-18T02:30", "America/Sao_Paulo") == "sáb., 17/02 às 23:30")
    #expect(try time("2018-11-04T03:00", "America/Sao_Paulo") == "dom., 04/11 às 01:00")
  }

  @Test func `free times are in the zone of the business too`() throws {
    let templateValues = try templateValues(alternatives: [("2026-11-25T03:30", nil)], zone: "America/Manaus")
    let content = NotificationKind.rejected.content(templateValues, booking: UUID())
    #expect(content.parameters.last == "ter., 24/11 às 23:30")
  }
}
