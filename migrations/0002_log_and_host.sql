-- A cursor is a number and the time of its event. The time of the horizon is that of the last deleted event; at first, it is that of the
-- log itself.
ALTER TABLE event_horizon ADD COLUMN at timestamptz NOT NULL DEFAULT clock_timestamp();

-- The last position that a reader of this snapshot can see. `event_head` remains for servers of the release before.
CREATE FUNCTION event_log_head(OUT seq bigint, OUT at timestamptz) LANGUAGE sql STABLE SET search_path = toygres, pg_temp AS $$
    (SELECT seq, at FROM events ORDER BY seq DESC LIMIT 1)
    UNION ALL
    SELECT seq, at FROM event_horizon
    LIMIT 1
$$;

-- When a worker was last alive. Operations get the time back in which none was.
CREATE TABLE worker_heartbeat (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    -- NULL: never.
    at  timestamptz,
    -- The worker's machine, and the same moment by its clock.
    machine    text,
    machine_at timestamptz
);
INSERT INTO worker_heartbeat DEFAULT VALUES;

-- Where the instances are: see `Runtime::host`. NULL: nowhere yet.
CREATE TABLE runtime_host (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    id          text,
    description text
);
INSERT INTO runtime_host DEFAULT VALUES;
