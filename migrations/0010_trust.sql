-- The certificate authorities that an operator has replaced at once, by the SHA-256 digest of their public key. Servers that still have the
-- files of one do not publish it again, also if its certificate is another.
CREATE TABLE revoked_authorities (
    public_key text PRIMARY KEY,
    revoked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Whether the server of an instance refuses clients without TLS, as it was last seen; NULL is not known.
ALTER TABLE instance_certificates ADD COLUMN requires_tls boolean;
