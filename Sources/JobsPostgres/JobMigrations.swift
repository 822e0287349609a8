public import Postgres

/// The ledger's tables, in the schema `jobs`.
public enum JobMigrations {
  /// In order; never edited once released.
  public static let all = [ledger, pruning, parking]

  private static let ledger = PostgresMigration(
    name: "jobs_0001_ledger",
    sql: """
      CREATE SCHEMA jobs;

      -- A job's run is closed once: the first insert wins. Ids are UUIDv7, so ranges of ids are ranges of time, and old partitions
      -- are dropped whole.
      CREATE TABLE jobs.receipt (
        job_id uuid NOT NULL, run int NOT NULL, outcome text NOT NULL CHECK (outcome IN ('done', 'discarded', 'dead')),
        kind text NOT NULL, pool text NOT NULL, reason text, at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (job_id, run)
      ) PARTITION BY RANGE (job_id);
      CREATE TABLE jobs.receipt_default PARTITION OF jobs.receipt DEFAULT;

      -- Jobs to be enqueued; deleted only when the broker holds them.
      CREATE TABLE jobs.outbox (
        job_id uuid NOT NULL, run int NOT NULL, pool text NOT NULL, envelope jsonb NOT NULL, body bytea NOT NULL,
        at timestamptz NOT NULL DEFAULT now(), tried_at timestamptz, PRIMARY KEY (job_id, run)
      ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
      CREATE INDEX outbox_at ON jobs.outbox (coalesce(tried_at, at));

      CREATE TABLE jobs.delayed (
        job_id uuid NOT NULL, run int NOT NULL, due_at timestamptz NOT NULL, pool text NOT NULL, envelope jsonb NOT NULL,
        body bytea NOT NULL, PRIMARY KEY (job_id, run)
      );
      CREATE INDEX delayed_due_at ON jobs.delayed (due_at);

      CREATE TABLE jobs.dead_letter (
        job_id uuid NOT NULL, run int NOT NULL, pool text NOT NULL, kind text NOT NULL, reason text NOT NULL, detail text NOT NULL,
        fingerprint text NOT NULL, attempts int NOT NULL, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL,
        envelope jsonb, body bytea NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'retried', 'discarded')),
        PRIMARY KEY (job_id, run)
      );
      CREATE INDEX dead_letter_open ON jobs.dead_letter (pool, fingerprint, last_at) WHERE state = 'open';

      CREATE TABLE jobs.start_marker (
        job_id uuid NOT NULL, run int NOT NULL, node text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX start_marker_job ON jobs.start_marker (job_id, run);

      CREATE TABLE jobs.pool_setting (
        pool text PRIMARY KEY, size int, paused boolean NOT NULL DEFAULT false
      );
      CREATE TABLE jobs.node (
        id text PRIMARY KEY, started_at timestamptz NOT NULL, lease_until timestamptz NOT NULL, pools jsonb NOT NULL
      );
      CREATE TABLE jobs.audit (
        at timestamptz NOT NULL DEFAULT now(), who text NOT NULL, action text NOT NULL, target text NOT NULL,
        before text, after text
      );
      CREATE INDEX audit_at ON jobs.audit (at);
      """)

  /// Prepares the tables for ``LedgerPruner``, which makes the partitions to come.
  ///
  /// It needs `jobs.receipt` and `jobs.dead_letter` for itself, and tries once a second until no closing transaction is
  /// open; a try that fails holds them up for 200 ms at most. Then they wait while the receipts that are there are read:
  /// about a second for a million.
  private static let pruning = PostgresMigration(
    name: "jobs_0002_pruning",
    sql: """
      -- What the default partition holds becomes the first range: everything up to the end of a week that is not over
      -- tomorrow either, so that jobs that are under way find their receipts. An empty default takes its place, for it is
      -- read as a whole whenever a partition is attached.
      DO $$
      DECLARE
        week date := DATE '1970-01-01' + 7 * (((now() AT TIME ZONE 'UTC')::date + 1 - DATE '1970-01-01') / 7);
        name text := 'receipt_' || to_char(week, 'YYYYMMDD');
        -- A UUIDv7 begins with 48 bits of Unix milliseconds.
        bound uuid := (lpad(to_hex(extract(epoch FROM week + 7)::bigint * 1000), 12, '0') || repeat('0', 20))::uuid;
      BEGIN
        LOOP
          BEGIN
            SET LOCAL lock_timeout = '100ms';
            LOCK TABLE jobs.receipt, jobs.dead_letter IN ACCESS EXCLUSIVE MODE;
            EXIT;
          EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(1);
          END;
        END LOOP;
        ALTER TABLE jobs.receipt DETACH PARTITION jobs.receipt_default;
        EXECUTE format('ALTER TABLE jobs.receipt_default RENAME TO %I', name);
        EXECUTE format('ALTER INDEX jobs.receipt_default_pkey RENAME TO %I', name || '_pkey');
        CREATE TABLE jobs.receipt_default PARTITION OF jobs.receipt DEFAULT;
        -- Ids that are no UUIDv7 may be greater than the range allows.
        EXECUTE format(
          'WITH later AS (DELETE FROM jobs.%I WHERE job_id >= %L RETURNING *)
           INSERT INTO jobs.receipt_default SELECT * FROM later', name, bound);
        EXECUTE format(
          'ALTER TABLE jobs.receipt ATTACH PARTITION jobs.%I FOR VALUES FROM (MINVALUE) TO (%L)', name, bound);
      END $$;

      -- Small, and cheap to keep: tells which of an old partition's receipts are young.
      CREATE INDEX receipt_at ON jobs.receipt USING brin (at);
      -- From the default partition old receipts are deleted one by one.
      CREATE INDEX receipt_default_at ON jobs.receipt_default (at);

      -- When a letter was first seen to be retried or discarded.
      ALTER TABLE jobs.dead_letter ADD COLUMN resolved_at timestamptz;
      CREATE INDEX dead_letter_resolved ON jobs.dead_letter (resolved_at) WHERE state <> 'open';
      """)
}
