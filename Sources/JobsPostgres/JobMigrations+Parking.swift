internal import Postgres

extension JobMigrations {
  /// Kinds of job can be paused, and their jobs put aside.
  static let parking = PostgresMigration(
    name: "jobs_0003_parking",
    sql: """
      -- Never in the way of the leases and delays of running nodes for longer than a moment: tried until it can be had.
      DO $$
      BEGIN
        LOOP
          BEGIN
            SET LOCAL lock_timeout = '100ms';
            LOCK TABLE jobs.delayed, jobs.pool_setting IN ACCESS EXCLUSIVE MODE;
            EXIT;
          EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(1);
          END;
        END LOOP;
      END $$;
      ALTER TABLE jobs.pool_setting ADD COLUMN paused_kinds text[] NOT NULL DEFAULT '{}';
      ALTER TABLE jobs.delayed ADD COLUMN parked boolean NOT NULL DEFAULT false;
      CREATE INDEX delayed_parked ON jobs.delayed (pool) WHERE parked;
      """)
}
