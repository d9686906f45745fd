-- Suspended instances, and the suspension of those that nobody uses.

ALTER TABLE instances DROP CONSTRAINT instances_state_check;
ALTER TABLE instances ADD CONSTRAINT instances_state_check
    CHECK (state IN ('creating', 'running', 'updating', 'suspended', 'deleting', 'deleted', 'failed'));

-- Minutes without a session of a client after which an instance is suspended. NULL: never.
ALTER TABLE instances ADD COLUMN idle_suspend_minutes integer CHECK (idle_suspend_minutes > 0);

-- The last sign of a client of the instances that are suspended when idle. It changes with every other check, so it is no column of
-- instances, whose changes are events.
CREATE TABLE instance_activity (
    instance_id uuid PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
    -- What the server counts the sessions of clients by. Another value than at the last check means that there was one.
    sessions    text NOT NULL,
    active_at   timestamptz NOT NULL DEFAULT now()
);
