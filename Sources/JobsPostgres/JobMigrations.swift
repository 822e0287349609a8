public import Postgres

/// The ledger's tables, in the schema `jobs`.
public enum JobMigrations {
  /// In order; never edited once released.
  public static let all = [ledger]

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
}
