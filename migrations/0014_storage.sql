-- Disk usage, and volumes that grow by themselves.

-- Percent of the volume that is used when it grows, and the most GiB that it may have. NULL: it does not grow by itself.
ALTER TABLE instances
    ADD COLUMN storage_grow_percent integer CHECK (storage_grow_percent BETWEEN 1 AND 99),
    ADD COLUMN storage_grow_max_gb integer CHECK (storage_grow_max_gb > 0),
    ADD CHECK ((storage_grow_percent IS NULL) = (storage_grow_max_gb IS NULL));

-- The latest measurement of each instance. It changes every minute, so it is no column of instances, whose changes are events.
CREATE TABLE instance_storage (
    instance_id     uuid PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
    used_bytes      bigint NOT NULL,
    capacity_bytes  bigint NOT NULL,
    -- Whether the server is kept from taking writes.
    read_only       boolean NOT NULL,
    measured_at     timestamptz NOT NULL DEFAULT now(),
    -- When the next measurement is due.
    due_at          timestamptz NOT NULL,
    -- What was used when subscribers were last told.
    announced_bytes bigint NOT NULL
);
CREATE INDEX operations_grown ON operations (instance_id, created_at) WHERE kind = 'resize' AND params ? 'automatic';
