package import Postgres

/// The tables of the job store, in the schema `jobs`.
package enum JobMigrations {
  /// In order; a migration is never edited once it was released.
  package static let all = [
    PostgresMigration(name: "jobs_0001_initial", bytes: PackageResources.jobs_0001_initial_sql),
    PostgresMigration(name: "jobs_0002_accepted", bytes: PackageResources.jobs_0002_accepted_sql),
    PostgresMigration(name: "jobs_0003_parked_kinds", bytes: PackageResources.jobs_0003_parked_kinds_sql),
    PostgresMigration(name: "jobs_0004_node_resources", bytes: PackageResources.jobs_0004_node_resources_sql),
  ]
}
