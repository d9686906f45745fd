-- The metadata of Toygres. Everything lives in the schema `toygres`; the connection's search_path names it,
-- so that statements here and in the store stay unqualified. Functions name it themselves: writes by hand work from any session.

CREATE TABLE instances (
    id                            uuid PRIMARY KEY,
    name                          text NOT NULL,
    state                         text NOT NULL CHECK (state IN ('creating', 'running', 'updating', 'deleting', 'deleted', 'failed')),
    health_status                 text NOT NULL DEFAULT 'unknown' CHECK (health_status IN ('healthy', 'unhealthy', 'unknown')),
    reason_code                   text,
    reason_message                text,
    -- The spec: what the caller asked for.
    postgres_version              integer NOT NULL,
    storage_gb                    integer NOT NULL CHECK (storage_gb > 0),
    cpu_millis                    integer NOT NULL CHECK (cpu_millis > 0),
    memory_mb                     integer NOT NULL CHECK (memory_mb > 0),
    username                      text NOT NULL,
    database_name                 text NOT NULL,
    exposure                      jsonb NOT NULL,
    health_interval_seconds       integer NOT NULL CHECK (health_interval_seconds > 0),
    health_timeout_seconds        integer NOT NULL CHECK (health_timeout_seconds > 0),
    -- What the runtime answered.
    endpoint_host                 text,
    endpoint_port                 integer CHECK (endpoint_port BETWEEN 1 AND 65535),
    connection_string             text,
    -- The one HealthCheck workflow that may run for this instance: health-<id>-<generation>.
    health_generation             bigint NOT NULL DEFAULT 0,
    health_check_orchestration_id text,
    labels                        jsonb NOT NULL DEFAULT '{}',
    deletion_protected            boolean NOT NULL DEFAULT false,
    operation_count               bigint NOT NULL DEFAULT 0,
    revision                      bigint NOT NULL DEFAULT 1,
    created_at                    timestamptz NOT NULL DEFAULT now(),
    updated_at                    timestamptz NOT NULL DEFAULT now(),
    deleted_at                    timestamptz,
    CHECK ((reason_code IS NULL) = (reason_message IS NULL)),
    CHECK ((endpoint_host IS NULL) = (endpoint_port IS NULL)),
    CHECK ((state = 'deleted') = (deleted_at IS NOT NULL))
);
-- A name is free again as soon as its instance is deleted.
CREATE UNIQUE INDEX instances_live_name ON instances (name) WHERE state <> 'deleted';
CREATE INDEX instances_state ON instances (state);
CREATE INDEX instances_health_status ON instances (health_status);
CREATE INDEX instances_created_at ON instances (created_at, id);
CREATE INDEX instances_name ON instances (name, id);

CREATE TABLE credentials (
    instance_id     uuid PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
    sealed_password bytea NOT NULL,
    updated_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE operations (
    id               text PRIMARY KEY,
    instance_id      uuid NOT NULL REFERENCES instances,
    -- The kinds, their parameters and their rules are in `domain/src/operation`.
    kind             text NOT NULL,
    params           jsonb NOT NULL,
    -- Whether it excludes other excluding operations of its instance.
    excludes         boolean NOT NULL,
    -- The run is the k of the engine id <operation id>-r<k>: a run that the engine lost is followed by the next.
    run              integer NOT NULL DEFAULT 1,
    engine_id        text NOT NULL UNIQUE,
    status           text NOT NULL CHECK (status IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')),
    steps            jsonb NOT NULL,
    error_code       text,
    error_message    text,
    cancel_requested boolean NOT NULL DEFAULT false,
    idempotency_key  text,
    -- Digest of the input that came with the key: the same key with another input is a conflict.
    input_digest     bytea,
    requested_by     text,
    -- The state that the instance had before: what it gets back from an operation that is cancelled, or fails, without effect.
    former_state     text,
    -- NULL: it continues until it succeeds.
    deadline         timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    started_at       timestamptz,
    -- When the present run was given to the engine.
    dispatched_at    timestamptz,
    finished_at      timestamptz,
    CHECK ((error_code IS NULL) = (error_message IS NULL)),
    CHECK ((status IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX operations_idempotency ON operations (kind, idempotency_key) WHERE idempotency_key IS NOT NULL;
-- At most one excluding operation of an instance is in progress.
CREATE UNIQUE INDEX operations_excluding ON operations (instance_id) WHERE excludes AND status IN ('pending', 'running');
CREATE INDEX operations_unfinished ON operations (created_at) WHERE status IN ('pending', 'running');
CREATE INDEX operations_created_at ON operations (created_at, id);
CREATE INDEX operations_instance ON operations (instance_id, created_at);

-- One row per change, in commit order: the cursor of every resumable subscription is its seq.
CREATE TABLE events (
    seq            bigint PRIMARY KEY,
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    type           text NOT NULL CHECK (type IN ('instance_created', 'state_changed', 'health_changed', 'instance_updated', 'instance_repaired',
                                                 'operation_created', 'operation_changed', 'operation_progressed')),
    instance_id    uuid NOT NULL,
    operation_id   text,
    from_value     text,
    to_value       text,
    reason_code    text,
    reason_message text
);
CREATE INDEX events_instance ON events (instance_id, seq);
CREATE INDEX events_at ON events (at);
CREATE SEQUENCE events_seq OWNED BY events.seq;

-- Events up to and including this seq were dropped by the retention.
CREATE TABLE event_horizon (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq bigint NOT NULL DEFAULT 0
);
INSERT INTO event_horizon DEFAULT VALUES;

-- The last seq that a reader of this snapshot can see.
CREATE FUNCTION event_head() RETURNS bigint LANGUAGE sql STABLE SET search_path = toygres, pg_temp AS $$
    SELECT greatest((SELECT max(seq) FROM events), (SELECT seq FROM event_horizon))
$$;

CREATE TABLE health_checks (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_id uuid NOT NULL REFERENCES instances ON DELETE CASCADE,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    status      text NOT NULL CHECK (status IN ('healthy', 'unhealthy', 'unknown')),
    latency_us  bigint,
    error_code    text,
    error_message text
);
CREATE INDEX health_checks_instance ON health_checks (instance_id, id);
CREATE INDEX health_checks_at ON health_checks (at);

-- Samples are not events: they wake only the servers that listen because somebody watches.
CREATE FUNCTION notify_health_check() RETURNS trigger LANGUAGE plpgsql SET search_path = toygres, pg_temp AS $$
BEGIN
    PERFORM pg_notify('toygres_health', NEW.instance_id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER health_checks_notify AFTER INSERT ON health_checks FOR EACH ROW EXECUTE FUNCTION notify_health_check();

CREATE TABLE api_tokens (
    id           uuid PRIMARY KEY,
    name         text NOT NULL,
    role         text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    secret_hash  bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);
-- A token that is revoked, or has another role, ends its sessions on every server.
CREATE FUNCTION notify_token_change() RETURNS trigger LANGUAGE plpgsql SET search_path = toygres, pg_temp AS $$
BEGIN
    PERFORM pg_notify('toygres_tokens', '');
    RETURN NULL;
END $$;
CREATE TRIGGER api_tokens_notify AFTER UPDATE OF role, revoked_at, expires_at OR DELETE ON api_tokens
    FOR EACH STATEMENT EXECUTE FUNCTION notify_token_change();

-- Every write moves the revision, whoever wrote it, psql included.
CREATE FUNCTION touch_instance() RETURNS trigger LANGUAGE plpgsql SET search_path = toygres, pg_temp AS $$
BEGIN
    NEW.revision := OLD.revision + 1;
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER instances_touch BEFORE UPDATE ON instances FOR EACH ROW EXECUTE FUNCTION touch_instance();

-- The event log. The triggers are deferred to the end of the transaction, where append_event takes one advisory
-- lock that is held until the commit is over and only then draws the number: so the order of seq is the order of
-- commits, and a reader that continues after the last seq it saw can miss none. NOTIFY takes a lock of the same kind
-- anyway, so the order costs nothing beside it. The payload is empty and the same each time: one NOTIFY a transaction.
CREATE FUNCTION append_event(event_type text, instance uuid, operation text, from_value text, to_value text,
                             reason_code text, reason_message text) RETURNS void LANGUAGE plpgsql SET search_path = toygres, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7096810441);
    INSERT INTO events (seq, type, instance_id, operation_id, from_value, to_value, reason_code, reason_message)
    VALUES (nextval('events_seq'), event_type, instance, operation, from_value, to_value, reason_code, reason_message);
    PERFORM pg_notify('toygres_events', '');
END $$;

CREATE FUNCTION record_instance_change() RETURNS trigger LANGUAGE plpgsql SET search_path = toygres, pg_temp AS $$
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
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER instances_event AFTER INSERT OR UPDATE ON instances
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION record_instance_change();

CREATE FUNCTION record_operation_change() RETURNS trigger LANGUAGE plpgsql SET search_path = toygres, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM append_event('operation_created', NEW.instance_id, NEW.id, NULL, NEW.status, NULL, NULL);
    ELSIF NEW.status <> OLD.status THEN
        PERFORM append_event('operation_changed', NEW.instance_id, NEW.id, OLD.status, NEW.status, NEW.error_code, NEW.error_message);
    ELSE
        PERFORM append_event('operation_progressed', NEW.instance_id, NEW.id, NULL, NULL, NEW.error_code, NEW.error_message);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER operations_event AFTER INSERT OR UPDATE ON operations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION record_operation_change();
