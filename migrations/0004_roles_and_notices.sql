-- The passwords of the platform's roles in an instance, sealed. An instance without any was created by an earlier release, and has no such
-- roles. They are deleted with the password of the owner.
CREATE TABLE platform_passwords (
    instance_id     uuid NOT NULL REFERENCES credentials ON DELETE CASCADE,
    role            text NOT NULL,
    sealed_password bytea NOT NULL,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (instance_id, role)
);

-- What else there is to know about an instance: an array of objects with a code, a message and a time.
ALTER TABLE instances ADD COLUMN notices jsonb NOT NULL DEFAULT '[]';
