import BookingCalendar
import Bookings
import Foundation
import Postgres

/// The platform's business.
extension Platform {
  /// Stores a business that is open day and night, with slots of half an hour and no minimum notice.
  package func loadCatalog() async throws {
    let catalog = CatalogStore()
    let rules = BusinessRules(timeZone: .gmt, minimumNotice: 0, horizon: 300 * 86_400)
    try await catalog.put(business: business, name: "Always open", rules: rules, in: pool)
    try await catalog.put(
      service: service, of: business, name: "Half an hour", rules: ServiceRules(duration: 1_800), in: pool)
    let allDay = [LocalTime("00:00"), LocalTime("24:00")].compactMap { $0 }
    let hours = Dictionary(
      uniqueKeysWithValues: Weekday.allCases.map { ($0, [Schedule.Hours(start: allDay[0], end: allDay[1])]) })
    try await catalog.put(
      professional: professional, of: business, name: "Tireless", schedule: Schedule(weekly: hours),
      offering: [service], in: pool)
  }

  /// Makes every attempt to validate fail, until ``loadCatalog()`` repairs it.
  package func breakCatalog() async throws {
    try await pool.query("UPDATE bookings.professional SET schedule = '{\"weekly\": {\"someday\": []}}'")
  }

  /// Logs effects by triggers: an effect that happens twice is in the table twice.
  func watchEffects() async throws {
    let connection = try await PostgresConnection.connect(database)
    try await connection.runScript(
      """
      CREATE TABLE effect (booking uuid NOT NULL, what text NOT NULL);
      CREATE FUNCTION note_booking() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'INSERT' THEN INSERT INTO effect VALUES (NEW.id, 'stored');
        ELSIF NEW.status <> OLD.status THEN INSERT INTO effect VALUES (NEW.id, NEW.status); END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER note AFTER INSERT OR UPDATE ON bookings.booking FOR EACH ROW EXECUTE FUNCTION note_booking();
      """, deadline: .now + .seconds(10))
    await connection.close()
  }
}
