package import Postgres

/// The tables of rollups, in the schema `reports`.
package enum ReportMigrations {
  /// In order. A released migration is never edited.
  package static let all = [
    PostgresMigration(name: "reports_0001_initial", bytes: PackageResources.reports_0001_initial_sql)
  ]
}
