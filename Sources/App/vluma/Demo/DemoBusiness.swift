import BookingCalendar
import Bookings
import Foundation
import Jobs
import Messaging
import Postgres

/// A clinic in São Paulo with ids of its own, so that demos never interfere with each other.
struct DemoBusiness: Sendable {
  let id = UUID.version4()
  let consultation = UUID.version4()
  let massage = UUID.version4()
  /// WhatsApp's id of the clinic's number.
  let phoneNumberID = String(UInt64.random(in: 100_000_000_000_000...999_999_999_999_999))
  let professionals = (0..<6).map { _ in UUID.version4() }
  let zone: TimeZone

  static let names = ["Ana", "Bruno", "Carla", "Davi", "Elisa", "Fábio"]

  init() throws {
    guard let zone = TimeZone(identifier: "America/Sao_Paulo") else {
      throw InvalidCatalog(reason: "this system has no time zone data")
    }
    self.zone = zone
  }

  /// Monday to Friday 8 to 18 with a break at noon, Saturdays until noon.
  private static func schedule() throws -> Schedule {
    let json = """
      {"weekly": {"monday": [{"start": "08:00", "end": "18:00"}], "tuesday": [{"start": "08:00", "end": "18:00"}],
        "wednesday": [{"start": "08:00", "end": "18:00"}], "thursday": [{"start": "08:00", "end": "18:00"}],
        "friday": [{"start": "08:00", "end": "18:00"}], "saturday": [{"start": "08:00", "end": "12:00"}]},
       "breaks": {"monday": [{"start": "12:00", "end": "13:00"}], "tuesday": [{"start": "12:00", "end": "13:00"}],
        "wednesday": [{"start": "12:00", "end": "13:00"}], "thursday": [{"start": "12:00", "end": "13:00"}],
        "friday": [{"start": "12:00", "end": "13:00"}]}}
      """
    return try JSONDecoder().decode(Schedule.self, from: Data(json.utf8))
  }

  /// Writes the business to the database.
  func load(_ pool: PostgresConnectionPool) async throws {
    let catalog = CatalogStore()
    let rules = BusinessRules(timeZone: zone, minimumNotice: 3_600, horizon: 60 * 86_400)
    try await catalog.put(business: id, name: "Clínica Vluma", rules: rules, in: pool)
    try await catalog.put(
      service: consultation, of: id, name: "Consulta", rules: ServiceRules(duration: 1_800), in: pool)
    try await catalog.put(
      service: massage, of: id, name: "Massagem",
      rules: ServiceRules(duration: 3_600, interval: 1_800, bufferAfter: 600), in: pool)
    for (professional, name) in zip(professionals, Self.names) {
      try await catalog.put(
        professional: professional, of: id, name: name, schedule: try Self.schedule(),
        offering: [consultation, massage], in: pool)
    }
    try await MessageStore().put(
      number: phoneNumberID, of: id, account: "1\(phoneNumberID)", display: "551130031234", in: pool)
  }

  /// The Monday after next: every slot of that week is in the future and inside the booking horizon.
  func monday(_ now: Date) -> Date {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    let next =
      calendar.nextDate(after: now, matching: DateComponents(hour: 0, minute: 0, weekday: 2), matchingPolicy: .nextTime)
      ?? now
    return next + 7 * 86_400
  }
}
