-- What a live process has of its machine's limits, such as open descriptors. Null: not reported, as by processes from
-- before this migration. A node without pools is an ingest process, which is listed for its limits only.

ALTER TABLE jobs.node ADD COLUMN resources jsonb;
