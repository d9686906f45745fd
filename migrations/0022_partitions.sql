-- Health samples and readings of metrics in partitions of a day (UTC), so that retention drops tables instead of deleting rows. The store creates
-- partitions ahead; what falls into none goes to the default partition, so that no insert fails. What was there becomes one partition, up to the next
-- midnight, without a copy: PostgreSQL reads it once to check that it fits.
--
-- Samples have no primary key any more: their ids come from a sequence, and an index of them alone would only be written. Nor have they a foreign
-- key: it would lock the row of the instance with each sample, and `instances` with each partition that is dropped. Rows of instances are never
-- deleted, and what is left of a deleted instance goes when it is old.

ALTER TABLE health_checks RENAME TO health_checks_former;
ALTER TABLE health_checks_former DROP CONSTRAINT health_checks_instance_id_fkey;
DROP TRIGGER health_checks_notify ON health_checks_former;
ALTER INDEX health_checks_pkey RENAME TO health_checks_former_pkey;
ALTER INDEX health_checks_instance RENAME TO health_checks_former_instance;
ALTER INDEX health_checks_at RENAME TO health_checks_former_at;

ALTER TABLE instance_metrics RENAME TO instance_metrics_former;
ALTER INDEX instance_metrics_pkey RENAME TO instance_metrics_former_pkey;
ALTER INDEX instance_metrics_at RENAME TO instance_metrics_former_at;

-- The sequence goes with the identity, and the next id has to be a later one, also than those that are deleted.
CREATE TABLE next_health_check AS SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END AS id FROM health_checks_id_seq;
ALTER TABLE health_checks_former ALTER id DROP IDENTITY;

CREATE TABLE health_checks (
    id            bigint GENERATED ALWAYS AS IDENTITY,
    instance_id   uuid NOT NULL,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Named as where it was, which a partition has to have too.
    status        text NOT NULL CONSTRAINT health_checks_status_check CHECK (status IN ('healthy', 'unhealthy', 'unknown')),
    latency_us    bigint,
    error_code    text,
    error_message text,
    -- Whether a check that succeeded logged in; otherwise it used a connection that was kept. NULL for one that failed.
    logged_in     boolean
) PARTITION BY RANGE (at);
CREATE INDEX health_checks_instance ON health_checks (instance_id, id);

CREATE TABLE instance_metrics (
    instance_id uuid NOT NULL,
    at          timestamptz NOT NULL,
    epoch       bigint NOT NULL,
    readings    double precision[] NOT NULL,
    PRIMARY KEY (instance_id, at)
) PARTITION BY RANGE (at);

-- The index of the time is for the deletion of what is old here.
CREATE TABLE health_checks_default PARTITION OF health_checks DEFAULT;
CREATE INDEX health_checks_default_at ON health_checks_default (at);
CREATE TABLE instance_metrics_default PARTITION OF instance_metrics DEFAULT;
CREATE INDEX instance_metrics_default_at ON instance_metrics_default (at);

DO $$
DECLARE
    midnight timestamptz := date_trunc('day', clock_timestamp(), 'UTC') + interval '24 hours';
    parent text;
    is_used boolean;
BEGIN
    PERFORM setval('health_checks_id_seq', id, false) FROM next_health_check;
    FOREACH parent IN ARRAY ARRAY['health_checks', 'instance_metrics'] LOOP
        -- Of a clock that was ahead.
        EXECUTE format('WITH later AS (DELETE FROM %I WHERE at >= $1 RETURNING *) INSERT INTO %I %s SELECT * FROM later', parent || '_former',
                       parent, CASE parent WHEN 'health_checks' THEN 'OVERRIDING SYSTEM VALUE' ELSE '' END) USING midnight;
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', parent || '_former') INTO is_used;
        IF is_used THEN
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)', parent, parent || '_former', midnight);
        ELSE
            EXECUTE format('DROP TABLE %I', parent || '_former');
        END IF;
    END LOOP;
END $$;
DROP TABLE next_health_check;

CREATE TRIGGER health_checks_notify AFTER INSERT ON health_checks FOR EACH ROW EXECUTE FUNCTION notify_health_check();

-- The janitor changes partitions with these, also on behalf of a role that does not own the tables: whoever may write rows may create their partition,
-- and whoever may delete them may drop it.
CREATE FUNCTION create_partition(parent text, partition text, lower_bound timestamptz, upper_bound timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = toygres, pg_temp AS $$
BEGIN
    IF NOT has_table_privilege(session_user, parent, 'INSERT') THEN
        RAISE insufficient_privilege USING MESSAGE = format('permission denied for table %s', parent);
    END IF;
    -- Unlike CREATE TABLE ... PARTITION OF, this keeps nobody from writing to the table.
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', partition, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition, lower_bound, upper_bound);
END $$;

CREATE FUNCTION drop_partition(parent text, partition text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = toygres, pg_temp AS $$
BEGIN
    IF NOT has_table_privilege(session_user, parent, 'DELETE') THEN
        RAISE insufficient_privilege USING MESSAGE = format('permission denied for table %s', parent);
    END IF;
    IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = to_regclass(quote_ident(parent)) AND inhrelid = to_regclass(quote_ident(partition))) THEN
        RAISE undefined_table USING MESSAGE = format('%s is no partition of %s', partition, parent);
    END IF;
    EXECUTE format('DROP TABLE %I', partition);
END $$;
