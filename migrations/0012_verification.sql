-- Verification of base backups: each is restored, and read.
ALTER TABLE backups
    ADD COLUMN verification text NOT NULL DEFAULT 'pending' CHECK (verification IN ('pending', 'running', 'verified', 'failed', 'skipped')),
    ADD COLUMN verification_ended_at timestamptz,
    -- How long the restoration has taken.
    ADD COLUMN restore_seconds double precision,
    ADD COLUMN verification_code text,
    ADD COLUMN verification_message text,
    ADD CHECK ((verification_code IS NULL) = (verification_message IS NULL));
CREATE INDEX backups_unverified ON backups (archive_id) WHERE status = 'available' AND verification IN ('pending', 'running');
