-- The password that a rotation sets, sealed, until it is the stored one. After a rotation that did not succeed it stays: a retry sets it again,
-- and an instance that turns out to have it keeps it.
ALTER TABLE credentials
    ADD COLUMN pending_password bytea,
    -- Whether the owner's role has it, as far as is known.
    ADD COLUMN pending_in_use boolean NOT NULL DEFAULT false,
    -- What the owner's role had before it, sealed: a verifier, or an empty text for none.
    ADD COLUMN former_verifier bytea,
    ADD CHECK (pending_password IS NOT NULL OR NOT pending_in_use);
