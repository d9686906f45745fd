-- Metrics of instances. The arrays are in the order of `MetricName` in `domain/src/metric.rs`, to which new ones are added at the end.

-- What servers have answered, with counters as they are there. There is no foreign key, which would lock the row of the instance with each
-- reading: what is left of a deleted instance goes when it is old.
CREATE TABLE instance_metrics (
    instance_id uuid NOT NULL,
    at          timestamptz NOT NULL,
    -- Another one after a reset of the statistics, and after a restart of the server: counters may begin again then.
    epoch       bigint NOT NULL,
    readings    double precision[] NOT NULL,
    PRIMARY KEY (instance_id, at)
);
CREATE INDEX instance_metrics_at ON instance_metrics (at);

-- A summary of each hour, which is kept for longer.
CREATE TABLE instance_metrics_hourly (
    instance_id uuid NOT NULL,
    at          timestamptz NOT NULL,
    -- The readings of that hour.
    readings    integer NOT NULL,
    averages    double precision[] NOT NULL,
    minimums    double precision[] NOT NULL,
    maximums    double precision[] NOT NULL,
    PRIMARY KEY (instance_id, at)
);
CREATE INDEX instance_metrics_hourly_at ON instance_metrics_hourly (at);

-- The hours before this one are summarized.
CREATE TABLE metrics_horizon (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    hour timestamptz NOT NULL
);
INSERT INTO metrics_horizon (hour) VALUES (date_trunc('hour', now(), 'UTC'));

-- What the databases of an instance take of what it uses.
ALTER TABLE instance_storage ADD COLUMN database_bytes bigint;
