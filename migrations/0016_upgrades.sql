-- Upgrades of instances to another major version. An upgraded instance begins a new archive; the former is retired, and kept for as long as
-- it can be restored from.
ALTER TABLE archives
    ADD COLUMN retired_at timestamptz,
    -- The version of the cluster in a retired archive. That of the others is the version of the instance.
    ADD COLUMN postgres_version integer,
    ADD CHECK ((retired_at IS NULL) = (postgres_version IS NULL));
ALTER TABLE archives DROP CONSTRAINT archives_instance_id_key;
CREATE UNIQUE INDEX archives_current ON archives (instance_id) WHERE retired_at IS NULL;
CREATE INDEX archives_retired ON archives (instance_id) WHERE retired_at IS NOT NULL;
