-- Schema jobs: the job store. Receipts, outbox, scheduled jobs, dead letters, and what operators and nodes share.

CREATE SCHEMA jobs;

-- A run of a job is completed, cancelled or dead once: the first insert wins. Ids are UUIDv7, so ranges of ids are
-- ranges of time, and old partitions are dropped whole.
CREATE TABLE jobs.receipt (
  job_id uuid NOT NULL,
  run int NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('completed', 'cancelled', 'dead')),
  kind text NOT NULL,
  pool text NOT NULL,
  reason text,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (job_id, run)
) PARTITION BY RANGE (job_id);

-- Ids of no partition's range: ids that are no UUIDv7, receipts written long after their jobs were made, and what is
-- still needed of dropped partitions. It is read as a whole whenever a partition is attached, so it must stay small.
CREATE TABLE jobs.receipt_default PARTITION OF jobs.receipt DEFAULT;

-- The first partition takes all ids up to the end of the week that tomorrow belongs to; JobPruner creates the
-- partitions of later weeks. Weeks are counted from 1970-01-01 and begin on Thursdays.
DO $$
DECLARE
  week date := DATE '1970-01-01' + 7 * (((now() AT TIME ZONE 'UTC')::date + 1 - DATE '1970-01-01') / 7);
  -- A UUIDv7 begins with 48 bits of Unix milliseconds.
  bound uuid := (
    lpad(to_hex(extract(epoch FROM (week + 7)::timestamp AT TIME ZONE 'UTC')::bigint * 1000), 12, '0')
    || repeat('0', 20))::uuid;
BEGIN
  EXECUTE format(
    'CREATE TABLE jobs.%I PARTITION OF jobs.receipt FOR VALUES FROM (MINVALUE) TO (%L)',
    'receipt_' || to_char(week, 'YYYYMMDD'), bound);
END $$;

-- Finds the young receipts of an old partition. A BRIN index is small and costs little at each insert.
CREATE INDEX receipt_at ON jobs.receipt USING brin (at);
-- JobPruner deletes the old receipts of the default partition row by row and finds them with this index.
CREATE INDEX receipt_default_at ON jobs.receipt_default (at);

-- Jobs to enqueue; deleted only when the broker holds them. Rows come and go all the time: vacuum by count, not by share.
-- at is -infinity for an operator's retry, which the relay takes at once; tried_at: the last hand-over that failed.
CREATE TABLE jobs.outbox (
  job_id uuid NOT NULL,
  run int NOT NULL,
  pool text NOT NULL,
  envelope jsonb NOT NULL,
  body bytea NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  tried_at timestamptz,
  PRIMARY KEY (job_id, run)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX outbox_at ON jobs.outbox (coalesce(tried_at, at));

-- Jobs that wait for their time: scheduled, retrying after a long delay, or parked because their kind is paused.
CREATE TABLE jobs.scheduled (
  job_id uuid NOT NULL,
  run int NOT NULL,
  due_at timestamptz NOT NULL,
  pool text NOT NULL,
  envelope jsonb NOT NULL,
  body bytea NOT NULL,
  parked boolean NOT NULL DEFAULT false,
  PRIMARY KEY (job_id, run)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX scheduled_due_at ON jobs.scheduled (due_at);
CREATE INDEX scheduled_parked ON jobs.scheduled (pool) WHERE parked;

-- Dead jobs. Without an envelope nothing could be read: such a letter's job_id is made of a hash, and it is never retried.
CREATE TABLE jobs.dead_letter (
  job_id uuid NOT NULL,
  run int NOT NULL,
  pool text NOT NULL,
  kind text NOT NULL,
  reason text NOT NULL,
  detail text NOT NULL,
  fingerprint text NOT NULL,
  attempts int NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  envelope jsonb,
  body bytea NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'retried', 'archived')),
  -- When JobPruner first saw it retried or archived: its retention runs from then.
  resolved_at timestamptz,
  PRIMARY KEY (job_id, run)
);
CREATE INDEX dead_letter_open ON jobs.dead_letter (pool, fingerprint, last_at) WHERE state = 'open';
CREATE INDEX dead_letter_resolved ON jobs.dead_letter (resolved_at) WHERE state <> 'open';

-- Starts of redelivered runs, one row each. The number of a run's rows is how many processes may have crashed in it.
CREATE TABLE jobs.start_marker (
  job_id uuid NOT NULL,
  run int NOT NULL,
  node text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX start_marker_job ON jobs.start_marker (job_id, run);

-- What operators have set; a null size: what queues.yaml says.
CREATE TABLE jobs.pool_setting (
  pool text PRIMARY KEY,
  size int,
  paused boolean NOT NULL DEFAULT false,
  paused_kinds text[] NOT NULL DEFAULT '{}'
);

-- Live worker processes, by lease; pools: what each says of the pools it runs.
CREATE TABLE jobs.node (
  id text PRIMARY KEY,
  started_at timestamptz NOT NULL,
  lease_until timestamptz NOT NULL,
  pools jsonb NOT NULL
);

CREATE TABLE jobs.audit (
  at timestamptz NOT NULL DEFAULT now(),
  who text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  before text,
  after text
);
CREATE INDEX audit_at ON jobs.audit (at);
