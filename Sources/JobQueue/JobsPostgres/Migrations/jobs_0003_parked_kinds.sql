-- Parked jobs are found by pool and kind: of a kind that stays paused no row is read when another kind is resumed.

CREATE INDEX scheduled_parked_kind ON jobs.scheduled (pool, (envelope ->> 'kind')) WHERE parked;
DROP INDEX jobs.scheduled_parked;
