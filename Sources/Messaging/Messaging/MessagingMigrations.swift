package import Postgres

/// The tables of messages, in the schema `messaging`.
package enum MessagingMigrations {
  /// In order; a migration is never edited once it was released.
  package static let all = [
    PostgresMigration(name: "messaging_0001_initial", bytes: PackageResources.messaging_0001_initial_sql)
  ]
}
