-- What was accepted stays findable when a queue is lost, and every job can be accounted for.

-- A run that the broker holds and that has not ended. Written after the broker has confirmed it: by the front for its
-- jobs, and by whoever deletes the outbox row for all others. Deleted by the transaction that ends the run.
CREATE TABLE jobs.accepted (
  job_id uuid NOT NULL,
  run int NOT NULL,
  pool text NOT NULL,
  accepted_at timestamptz NOT NULL DEFAULT now(),
  -- True: writing this row counted the run as accepted, because nobody had counted it before.
  counts boolean NOT NULL,
  envelope jsonb NOT NULL,
  -- Null: the pool is configured to keep ids only; then source and event_ids say what to ask the sender for.
  body bytea,
  source text,
  event_ids text[],
  PRIMARY KEY (job_id, run)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX accepted_pool ON jobs.accepted (pool, accepted_at);

-- How many runs were accepted and have ended, as a transaction counted them: rows are only added, so that no two
-- transactions wait for each other, and are added up in flow_total every few seconds. Numbers may be negative.
CREATE TABLE jobs.flow (
  pool text NOT NULL,
  accepted bigint NOT NULL DEFAULT 0,
  completed bigint NOT NULL DEFAULT 0,
  cancelled bigint NOT NULL DEFAULT 0,
  dead bigint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE TABLE jobs.flow_total (
  pool text PRIMARY KEY,
  accepted bigint NOT NULL DEFAULT 0,
  completed bigint NOT NULL DEFAULT 0,
  cancelled bigint NOT NULL DEFAULT 0,
  dead bigint NOT NULL DEFAULT 0
);

-- How the jobs of each pool add up. since: from when on jobs were missing at every look; least: how many at any of them.
CREATE TABLE jobs.gap (
  pool text PRIMARY KEY,
  least bigint NOT NULL,
  since timestamptz,
  looks int NOT NULL,
  checked_at timestamptz NOT NULL,
  -- The fewest jobs that were unroutable since the pool added up: only more of them can be this pool's.
  unroutable bigint NOT NULL,
  -- What the last five looks, the newest first, could not find of the jobs that were recorded long before; and since when
  -- most of them were short of some.
  overdue bigint[] NOT NULL,
  overdue_since timestamptz
);

-- The one row of the sweep that looks: when a process last began a look and finished one, and why it could not judge.
CREATE TABLE jobs.gap_sweep (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  begun_at timestamptz NOT NULL DEFAULT '-infinity',
  checked_at timestamptz,
  unknown text,
  -- Queues of retry tiers, also of those that are no longer in queues.yaml and not yet empty.
  tiers text[] NOT NULL DEFAULT '{}'
);
INSERT INTO jobs.gap_sweep DEFAULT VALUES;
