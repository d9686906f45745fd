-- The password that a rotation sets, sealed, until it is the stored one. After a rotation that did not succeed it stays: a retry sets it again,
-- and an instance that turns out to have it keeps it.
ALTER TABLE credentials
    ADD COLUMN pending_password bytea,
    -- Whether the owner's role has it, as far as is known.
    ADD COLUMN pending_in_use boolean NOT NULL DEFAULT false,
    -- What the owner's role had before it, sealed: a verifier, or an empty text for none.
    ADD COLUMN former_verifier bytea,
    ADD CHECK (pending_password IS NOT NULL OR NOT pending_in_use);

-- The users and databases of instances: those that they were created with, and those that operations have made.
CREATE TABLE database_users (
    instance_id   uuid NOT NULL REFERENCES instances ON DELETE CASCADE,
    name          text NOT NULL,
    access        text NOT NULL CHECK (access IN ('owner', 'read_only')),
    -- NULL: those that it owns.
    database_name text,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (instance_id, name)
);
CREATE TABLE instance_databases (
    instance_id uuid NOT NULL REFERENCES instances ON DELETE CASCADE,
    name        text NOT NULL,
    owner_name  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (instance_id, name)
);

-- By a trigger, so that servers of the release before write the first rows of an instance too.
CREATE FUNCTION record_first_user() RETURNS trigger LANGUAGE plpgsql SET search_path = toygres, pg_temp AS $$
BEGIN
    INSERT INTO database_users (instance_id, name, access, database_name) VALUES (NEW.id, NEW.username, 'owner', NEW.database_name);
    INSERT INTO instance_databases (instance_id, name, owner_name) VALUES (NEW.id, NEW.database_name, NEW.username);
    RETURN NULL;
END $$;
CREATE TRIGGER instances_first_user AFTER INSERT ON instances FOR EACH ROW EXECUTE FUNCTION record_first_user();
INSERT INTO database_users (instance_id, name, access, database_name, created_at)
    SELECT id, username, 'owner', database_name, created_at FROM instances WHERE state <> 'deleted';
INSERT INTO instance_databases (instance_id, name, owner_name, created_at)
    SELECT id, database_name, username, created_at FROM instances WHERE state <> 'deleted';

-- The verifier of the user that the latest operation of an instance makes, sealed. It is deleted when the user is made.
CREATE TABLE new_user_verifiers (
    instance_id     uuid PRIMARY KEY REFERENCES credentials ON DELETE CASCADE,
    sealed_verifier bytea NOT NULL
);
