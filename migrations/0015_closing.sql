-- The end of an archive: before an instance is removed whose backups are kept, everything that it has committed is archived.

ALTER TABLE archives
    -- How far that is; NULL unless the instance is being deleted, or was.
    ADD COLUMN closing text CHECK (closing IN ('following', 'stopping', 'closed', 'incomplete')),
    -- Until when it is attempted.
    ADD COLUMN close_by timestamptz,
    -- Why what was committed last may not be in the archive.
    ADD COLUMN incomplete_code text,
    ADD COLUMN incomplete_message text,
    ADD CONSTRAINT archives_incomplete CHECK (
        (incomplete_code IS NULL) = (incomplete_message IS NULL) AND (incomplete_code IS NOT NULL) = (closing IS NOT DISTINCT FROM 'incomplete'));

DROP TRIGGER archives_notify ON archives;
CREATE TRIGGER archives_notify AFTER UPDATE OF followed, durable_lsn, durable_at, failure_code, coverage, closing OR DELETE ON archives
    FOR EACH STATEMENT EXECUTE FUNCTION notify_backup_change();

-- Users that read and write what others own.
ALTER TABLE database_users
    DROP CONSTRAINT database_users_access_check,
    ADD CONSTRAINT database_users_access_check CHECK (access IN ('owner', 'read_write', 'read_only'));
