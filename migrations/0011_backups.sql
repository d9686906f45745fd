-- Backups of instances.

-- What was chosen for an instance. NULL: what the control plane is configured with.
ALTER TABLE instances
    ADD COLUMN backups_enabled boolean,
    ADD COLUMN backup_interval_hours integer CHECK (backup_interval_hours > 0),
    -- Also from its deletion on.
    ADD COLUMN backup_retention_days integer CHECK (backup_retention_days >= 0);

-- The archive of an instance in the store, and how far it is. All this can be computed from the store, except what `durable_at` says of an
-- idle instance.
CREATE TABLE archives (
    id              uuid PRIMARY KEY,
    instance_id     uuid NOT NULL UNIQUE REFERENCES instances,
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- The worker that follows the instance. Another takes over when its time is over.
    worker_id       uuid,
    owned_until     timestamptz,
    -- Whether the server of the instance may have the replication slot of the archive.
    has_slot        boolean NOT NULL DEFAULT false,
    followed        boolean NOT NULL DEFAULT false,
    durable_lsn     text,
    flushed_lsn     text,
    durable_at      timestamptz,
    lag_seconds     double precision,
    failure_code    text,
    failure_message text,
    failing_since   timestamptz,
    -- What can be restored: intervals and gaps.
    coverage        jsonb NOT NULL DEFAULT '{"intervals": [], "gaps": []}',
    stored_bytes    bigint NOT NULL DEFAULT 0,
    CHECK ((failure_code IS NULL) = (failure_message IS NULL) AND (failure_code IS NULL) = (failing_since IS NULL))
);
CREATE INDEX archives_owned_until ON archives (owned_until);

CREATE TABLE backups (
    id             uuid PRIMARY KEY,
    instance_id    uuid NOT NULL REFERENCES instances,
    archive_id     uuid NOT NULL REFERENCES archives ON DELETE CASCADE,
    status         text NOT NULL CHECK (status IN ('pending', 'running', 'available', 'failed', 'deleting')),
    trigger        text NOT NULL CHECK (trigger IN ('schedule', 'request')),
    operation_id   text,
    -- The name of its directory in the store.
    object_id      uuid,
    attempt        integer NOT NULL DEFAULT 0,
    bytes          bigint NOT NULL DEFAULT 0,
    total_bytes    bigint,
    stored_bytes   bigint,
    timeline       bigint,
    start_lsn      text,
    end_lsn        text,
    server_version integer,
    created_at     timestamptz NOT NULL DEFAULT now(),
    started_at     timestamptz,
    finished_at    timestamptz,
    error_code     text,
    error_message  text,
    locked         boolean NOT NULL DEFAULT false,
    keep_until     timestamptz,
    CHECK ((error_code IS NULL) = (error_message IS NULL))
);
CREATE INDEX backups_instance ON backups (instance_id, created_at, id);
CREATE UNIQUE INDEX backups_in_progress ON backups (instance_id) WHERE status IN ('pending', 'running');

-- Wakes workers, and servers whose clients watch. Unlike those of instances, these changes are no events: they are many, and only the
-- latest counts.
CREATE FUNCTION notify_backup_change() RETURNS trigger LANGUAGE plpgsql SET search_path = toygres, pg_temp AS $$
BEGIN
    PERFORM pg_notify('toygres_backups', '');
    RETURN NULL;
END $$;
CREATE TRIGGER backups_notify AFTER INSERT OR UPDATE OR DELETE ON backups FOR EACH STATEMENT EXECUTE FUNCTION notify_backup_change();
CREATE TRIGGER archives_notify AFTER UPDATE OF followed, durable_lsn, durable_at, failure_code, coverage OR DELETE ON archives
    FOR EACH STATEMENT EXECUTE FUNCTION notify_backup_change();
