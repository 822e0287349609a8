package import Postgres

/// The tables of bookings and the catalogue, in the schema `bookings`.
package enum BookingMigrations {
  /// In order. A released migration is never edited.
  package static let all = [
    PostgresMigration(name: "bookings_0001_initial", bytes: PackageResources.bookings_0001_initial_sql)
  ]
}
