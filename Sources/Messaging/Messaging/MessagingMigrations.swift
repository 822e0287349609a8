package import Postgres

/// The tables of messages, in the schema `messaging`.
package enum MessagingMigrations {
  /// In order. A released migration is never edited.
  package static let all = [
    PostgresMigration(name: "messaging_0001_initial", bytes: PackageResources.messaging_0001_initial_sql)
  ]
}
