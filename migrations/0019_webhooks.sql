-- Webhooks: who is told of events, and how far each has been told.
CREATE TABLE webhooks (
    id              uuid PRIMARY KEY,
    -- The URL is sealed like the secrets, because its path often holds a credential.
    sealed_url      bytea NOT NULL,
    description     text NOT NULL,
    -- Empty: every kind.
    events          text[] NOT NULL,
    sealed_secret   bytea NOT NULL,
    -- Signs too until then, so that a receiver can change to the new one.
    former_secret   bytea,
    former_until    timestamptz,
    -- NULL while it is enabled.
    disabled_code   text CHECK (disabled_code IN ('requested', 'failing', 'gone')),
    disabled_message text,
    disabled_at     timestamptz,
    revision        bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    idempotency_key text UNIQUE,
    input_digest    bytea,
    CHECK ((former_secret IS NULL) = (former_until IS NULL)),
    CHECK ((idempotency_key IS NULL) = (input_digest IS NULL)),
    CHECK ((disabled_code IS NULL) = (disabled_message IS NULL) AND (disabled_code IS NULL) = (disabled_at IS NULL))
);

-- Up to where the log has been delivered to each webhook. Rows change with every message, so they are apart from what people edit, and have room
-- to change in place.
CREATE TABLE webhook_cursors (
    webhook_id       uuid PRIMARY KEY REFERENCES webhooks ON DELETE CASCADE,
    seq              bigint NOT NULL,
    at               timestamptz NOT NULL,
    last_delivered_at timestamptz,
    attempt_at       timestamptz,
    attempt_status   integer,
    attempt_error    text,
    -- Since when every attempt has failed, how many did, and when the next one is due.
    failing_since    timestamptz,
    failures         integer NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz,
    -- The worker that delivers, and until when no other may.
    worker_id        uuid,
    owned_until      timestamptz
) WITH (fillfactor = 50);

CREATE FUNCTION notify_webhook_change() RETURNS trigger LANGUAGE plpgsql SET search_path = toygres, pg_temp AS $$
BEGIN
    PERFORM pg_notify('toygres_webhooks', '');
    RETURN NULL;
END $$;
CREATE TRIGGER webhooks_notify AFTER INSERT OR UPDATE OR DELETE ON webhooks FOR EACH STATEMENT EXECUTE FUNCTION notify_webhook_change();
-- A delivery that succeeds after others did not and one that fails are worth a look; one of many that succeed is not.
CREATE TRIGGER webhook_cursors_notify AFTER UPDATE ON webhook_cursors FOR EACH ROW
    WHEN (OLD.failing_since IS DISTINCT FROM NEW.failing_since OR OLD.failures <> NEW.failures)
    EXECUTE FUNCTION notify_webhook_change();

-- The notices that came and went with a change of an instance, as [{"raised": boolean, "notice": {...}}]; NULL if none did. It is part of the last
-- event of the change, whose type is one that earlier releases know.
ALTER TABLE events ADD COLUMN notice_changes jsonb;

CREATE FUNCTION notice_changes(former jsonb, present jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = toygres, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_object('raised', raised, 'notice', notice) ORDER BY raised, notice->>'code')
    FROM (
        SELECT true AS raised, notice FROM jsonb_array_elements(present) notice
        WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(former) other WHERE other->>'code' = notice->>'code')
        UNION ALL
        SELECT false, notice FROM jsonb_array_elements(former) notice
        WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(present) other WHERE other->>'code' = notice->>'code')
    ) changes
$$;

CREATE OR REPLACE FUNCTION record_instance_change() RETURNS trigger LANGUAGE plpgsql SET search_path = toygres, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM append_event('instance_created', NEW.id, NULL, NULL, NEW.state, NEW.reason_code, NEW.reason_message);
        RETURN NULL;
    END IF;
    IF NEW.state <> OLD.state THEN
        PERFORM append_event('state_changed', NEW.id, NULL, OLD.state, NEW.state, NEW.reason_code, NEW.reason_message);
    END IF;
    IF NEW.health_status <> OLD.health_status THEN
        PERFORM append_event('health_changed', NEW.id, NULL, OLD.health_status, NEW.health_status, NEW.reason_code, NEW.reason_message);
    END IF;
    IF NEW.state = OLD.state AND NEW.health_status = OLD.health_status THEN
        PERFORM append_event('instance_updated', NEW.id, NULL, NULL, NULL, NEW.reason_code, NEW.reason_message);
    END IF;
    IF NEW.notices IS DISTINCT FROM OLD.notices THEN
        UPDATE events SET notice_changes = notice_changes(OLD.notices, NEW.notices) WHERE seq = currval('events_seq');
    END IF;
    RETURN NULL;
END $$;
