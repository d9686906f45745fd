-- Another name, and another exposure, of an instance that runs.
ALTER TABLE instances
    -- The name that it was created with; NULL: the present one. What cannot be renamed without a restart keeps it.
    ADD COLUMN first_name text,
    -- The address that its host has, while that of the row is prepared, and until every other one is removed. The name is in use until then.
    ADD COLUMN former_name text,
    ADD COLUMN former_exposure jsonb,
    -- The names of other addresses that its host is removing. They are in use too.
    ADD COLUMN vacated_names text[] NOT NULL DEFAULT '{}',
    ADD CHECK (former_name IS NOT NULL OR vacated_names = '{}'),
    ADD CHECK ((former_name IS NULL) = (former_exposure IS NULL));
CREATE INDEX instances_former_name ON instances (former_name) WHERE former_name IS NOT NULL;

-- The minor version, or the image, that the server of an instance runs, and the one that its host would start it with now.
ALTER TABLE instances
    ADD COLUMN update_from text,
    ADD COLUMN update_to text,
    -- When the control plane applies it by itself; NULL: never.
    ADD COLUMN maintenance_window jsonb,
    ADD CHECK ((update_from IS NULL) = (update_to IS NULL));
