-- The volume that holds the data of an instance, once it has run: another one of the same name is not its data. It is kept here, because
-- the objects of an instance can be deleted together with the volume. Nobody subscribes to it, so it is no column of `instances`.
CREATE TABLE instance_volumes (
    instance_id uuid PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
    volume_id   text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
