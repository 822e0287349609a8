public import Postgres

/// The tables of rollups, in the schema `reports`.
public enum ReportMigrations {
  /// In order; a migration is never edited once it was released.
  public static let all = [
    PostgresMigration(name: "reports_0001_initial", bytes: PackageResources.reports_0001_initial_sql)
  ]
}
