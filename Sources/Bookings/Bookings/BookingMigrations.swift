package import Postgres

/// The tables of bookings and the catalogue, in the schema `bookings`.
package enum BookingMigrations {
  /// In order; a migration is never edited once it was released.
  package static let all = [
    PostgresMigration(name: "bookings_0001_initial", bytes: PackageResources.bookings_0001_initial_sql)
  ]
}
