-- The authorities that issue the certificates of instances. The newest whose time has come issues; all of them are published.
CREATE TABLE certificate_authorities (
    id           uuid PRIMARY KEY,
    -- In PEM; the first is its own.
    certificates text NOT NULL,
    fingerprint  text NOT NULL UNIQUE,
    -- NULL: the key is in a file of the servers.
    sealed_key   bytea,
    not_before   timestamptz NOT NULL,
    not_after    timestamptz NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    issues_from  timestamptz NOT NULL
);

-- Workers renew the certificates of instances when another authority issues.
CREATE FUNCTION notify_authority_change() RETURNS trigger LANGUAGE plpgsql SET search_path = toygres, pg_temp AS $$
BEGIN
    PERFORM pg_notify('toygres_authorities', '');
    RETURN NULL;
END $$;
CREATE TRIGGER certificate_authorities_notify AFTER INSERT OR UPDATE ON certificate_authorities
    FOR EACH STATEMENT EXECUTE FUNCTION notify_authority_change();

-- The certificate of each instance. `presented_*` is what its server was last seen with: NULL is none.
CREATE TABLE instance_certificates (
    instance_id            uuid PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
    authority_id           uuid NOT NULL REFERENCES certificate_authorities,
    chain                  text NOT NULL,
    sealed_key             bytea NOT NULL,
    fingerprint            text NOT NULL,
    names                  text[] NOT NULL,
    not_before             timestamptz NOT NULL,
    not_after              timestamptz NOT NULL,
    presented_fingerprint  text,
    presented_authority_id uuid REFERENCES certificate_authorities,
    presented_not_after    timestamptz
);
CREATE INDEX instance_certificates_authority ON instance_certificates (authority_id);

-- Whether clients without TLS are refused.
ALTER TABLE instances ADD COLUMN require_tls boolean NOT NULL DEFAULT false;
