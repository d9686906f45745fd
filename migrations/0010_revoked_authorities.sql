-- The certificate authorities that an operator has replaced at once. Servers that still have the files of one do not publish it again.
CREATE TABLE revoked_authorities (
    fingerprint text PRIMARY KEY,
    revoked_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
