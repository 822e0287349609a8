CREATE SCHEMA reports;

-- Counts per bucket. The nil UUID stands for counts without a business.
CREATE TABLE reports.rollup_minute (
  business_id uuid NOT NULL,
  start timestamptz NOT NULL,
  metric text NOT NULL,
  detail text NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (business_id, start, metric, detail)
) WITH (fillfactor = 70);
CREATE TABLE reports.rollup_hour (LIKE reports.rollup_minute INCLUDING ALL) WITH (fillfactor = 70);
CREATE TABLE reports.rollup_day (LIKE reports.rollup_minute INCLUDING ALL) WITH (fillfactor = 70);
CREATE INDEX rollup_day_start_idx ON reports.rollup_day (start);
