-- The workers that probe healthy instances between the checks of their workflows. The instances are shared among those that have been here within
-- the last seconds.
CREATE TABLE probers (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
