public import Postgres

/// The tables of the job store, in the schema `jobs`.
public enum JobMigrations {
  /// In order; a migration is never edited once it was released.
  public static let all = [
    PostgresMigration(name: "jobs_0001_initial", bytes: PackageResources.jobs_0001_initial_sql)
  ]
}
