internal import Postgres

extension JobMigrations {
  /// Kinds of job can be paused, and their jobs put aside.
  static let parking = PostgresMigration(
    name: "jobs_0003_parking",
    sql: """
      ALTER TABLE jobs.pool_setting ADD COLUMN paused_kinds text[] NOT NULL DEFAULT '{}';
      ALTER TABLE jobs.delayed ADD COLUMN parked boolean NOT NULL DEFAULT false;
      CREATE INDEX delayed_parked ON jobs.delayed (pool) WHERE parked;
      """, locking: ["jobs.delayed", "jobs.pool_setting"])
}
