--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: duroxide; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA duroxide;


ALTER SCHEMA duroxide OWNER TO postgres;

--
-- Name: toygres; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA toygres;


ALTER SCHEMA toygres OWNER TO postgres;

--
-- Name: abandon_orchestration_item(text, bigint, bigint, boolean); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.abandon_orchestration_item(p_lock_token text, p_now_ms bigint, p_delay_ms bigint DEFAULT NULL::bigint, p_ignore_attempt boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_instance_id TEXT;
            v_visible_at TIMESTAMPTZ;
        BEGIN
            SELECT il.instance_id INTO v_instance_id
            FROM duroxide.instance_locks il
            WHERE il.lock_token = p_lock_token;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'Invalid lock token';
            END IF;
            IF p_delay_ms IS NOT NULL AND p_delay_ms > 0 THEN
                v_visible_at := TO_TIMESTAMP((p_now_ms + p_delay_ms) / 1000.0);
            ELSE
                v_visible_at := TO_TIMESTAMP(p_now_ms / 1000.0);
            END IF;
            IF p_delay_ms IS NOT NULL AND p_delay_ms > 0 THEN
                IF p_ignore_attempt THEN
                    UPDATE duroxide.orchestrator_queue
                    SET lock_token = NULL,
                        locked_until = NULL,
                        visible_at = v_visible_at,
                        attempt_count = GREATEST(0, attempt_count - 1)
                    WHERE lock_token = p_lock_token;
                ELSE
                    UPDATE duroxide.orchestrator_queue
                    SET lock_token = NULL,
                        locked_until = NULL,
                        visible_at = v_visible_at
                    WHERE lock_token = p_lock_token;
                END IF;
            ELSE
                IF p_ignore_attempt THEN
                    UPDATE duroxide.orchestrator_queue
                    SET lock_token = NULL,
                        locked_until = NULL,
                        attempt_count = GREATEST(0, attempt_count - 1)
                    WHERE lock_token = p_lock_token;
                ELSE
                    UPDATE duroxide.orchestrator_queue
                    SET lock_token = NULL,
                        locked_until = NULL
                    WHERE lock_token = p_lock_token;
                END IF;
            END IF;
            DELETE FROM duroxide.instance_locks
            WHERE lock_token = p_lock_token;
            RETURN v_instance_id;
        END;
        $$;


ALTER FUNCTION duroxide.abandon_orchestration_item(p_lock_token text, p_now_ms bigint, p_delay_ms bigint, p_ignore_attempt boolean) OWNER TO postgres;

--
-- Name: abandon_work_item(text, bigint, bigint, boolean); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.abandon_work_item(p_lock_token text, p_now_ms bigint, p_delay_ms bigint DEFAULT NULL::bigint, p_ignore_attempt boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_rows_affected INTEGER;
            v_visible_at TIMESTAMPTZ;
        BEGIN
            IF p_delay_ms IS NOT NULL AND p_delay_ms > 0 THEN
                v_visible_at := TO_TIMESTAMP((p_now_ms + p_delay_ms) / 1000.0);
            ELSE
                v_visible_at := TO_TIMESTAMP(p_now_ms / 1000.0);
            END IF;
            IF p_ignore_attempt THEN
                UPDATE duroxide.worker_queue
                SET lock_token = NULL,
                    locked_until = NULL,
                    visible_at = v_visible_at,
                    attempt_count = GREATEST(0, attempt_count - 1)
                WHERE lock_token = p_lock_token;
            ELSE
                UPDATE duroxide.worker_queue
                SET lock_token = NULL,
                    locked_until = NULL,
                    visible_at = v_visible_at
                WHERE lock_token = p_lock_token;
            END IF;
            GET DIAGNOSTICS v_rows_affected = ROW_COUNT;
            IF v_rows_affected = 0 THEN
                RAISE EXCEPTION 'Invalid lock token or already acked';
            END IF;
        END;
        $$;


ALTER FUNCTION duroxide.abandon_work_item(p_lock_token text, p_now_ms bigint, p_delay_ms bigint, p_ignore_attempt boolean) OWNER TO postgres;

--
-- Name: ack_orchestration(text, jsonb, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.ack_orchestration(p_lock_token text, p_state_json jsonb, p_now_ms bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_instance_id TEXT;
            v_execution_id BIGINT;
            v_status TEXT;
            v_now_ts TIMESTAMPTZ;
            elem JSONB;
            v_event JSONB;
            v_visible_at_ms BIGINT;
            v_visible_at TIMESTAMPTZ;
            v_item_instance_id TEXT;
            v_existing_name TEXT;
            v_existing_version TEXT;
        BEGIN
            v_now_ts := TO_TIMESTAMP(p_now_ms / 1000.0);
            SELECT il.instance_id, il.locked_at
            INTO v_instance_id, v_execution_id
            FROM duroxide.instance_locks il
            WHERE il.lock_token = p_lock_token;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'Invalid lock token';
            END IF;
            v_status := p_state_json ->> 'status';
            SELECT i.orchestration_name, i.orchestration_version
            INTO v_existing_name, v_existing_version
            FROM duroxide.instances i
            WHERE i.instance_id = v_instance_id;
            IF FOUND THEN
                UPDATE duroxide.instances
                SET status = v_status,
                    current_execution_id = v_execution_id,
                    completed_at = CASE
                        WHEN v_status IN ('Completed', 'Failed') THEN v_now_ts
                        ELSE completed_at
                    END
                WHERE instance_id = v_instance_id;
            ELSE
                INSERT INTO duroxide.instances (instance_id, orchestration_name, orchestration_version, status, current_execution_id, created_at)
                VALUES (v_instance_id, p_state_json ->> 'name', COALESCE(p_state_json ->> 'version', 'unknown'), v_status, v_execution_id, v_now_ts)
                ON CONFLICT (instance_id) DO UPDATE
                SET status = EXCLUDED.status,
                    current_execution_id = EXCLUDED.current_execution_id;
            END IF;
            DELETE FROM duroxide.orchestrator_queue
            WHERE lock_token = p_lock_token;
            FOR elem IN SELECT * FROM jsonb_array_elements(p_state_json -> 'history')
            LOOP
                INSERT INTO duroxide.history (instance_id, execution_id, event_data, created_at)
                SELECT v_instance_id, v_execution_id, elem::TEXT, v_now_ts;
            END LOOP;
            FOR v_event IN SELECT * FROM jsonb_array_elements(p_state_json -> 'orchestrator_messages')
            LOOP
                IF v_event ? 'visible_at' THEN
                    v_visible_at_ms := (v_event ->> 'visible_at')::BIGINT;
                    v_visible_at := TO_TIMESTAMP(v_visible_at_ms / 1000.0);
                ELSE
                    v_visible_at := v_now_ts;
                END IF;
                v_item_instance_id := v_event ->> 'instance_id';
                IF v_item_instance_id IS NULL THEN
                    v_item_instance_id := v_instance_id;
                END IF;
                INSERT INTO duroxide.orchestrator_queue (instance_id, work_item, visible_at, created_at)
                VALUES (v_item_instance_id, v_event::TEXT, v_visible_at, v_now_ts);
            END LOOP;
            FOR v_event IN SELECT * FROM jsonb_array_elements(p_state_json -> 'worker_messages')
            LOOP
                INSERT INTO duroxide.worker_queue (work_item, visible_at, created_at)
                VALUES (v_event::TEXT, v_now_ts, v_now_ts);
            END LOOP;
            DELETE FROM duroxide.instance_locks
            WHERE lock_token = p_lock_token;
        END;
        $$;


ALTER FUNCTION duroxide.ack_orchestration(p_lock_token text, p_state_json jsonb, p_now_ms bigint) OWNER TO postgres;

--
-- Name: ack_orchestration_item(text, bigint, bigint, jsonb, jsonb, jsonb, jsonb, jsonb); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.ack_orchestration_item(p_lock_token text, p_now_ms bigint, p_execution_id bigint, p_history_delta jsonb, p_worker_items jsonb, p_orchestrator_items jsonb, p_metadata jsonb, p_cancelled_activities jsonb DEFAULT '[]'::jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_instance_id TEXT;
            v_orchestration_name TEXT;
            v_orchestration_version TEXT;
            v_parent_instance_id TEXT;
            v_status TEXT;
            v_output TEXT;
            v_completed_at TIMESTAMPTZ;
            v_elem JSONB;
            v_visible_at TIMESTAMPTZ;
            v_fire_at_ms BIGINT;
            v_item_instance_id TEXT;
            v_item_execution_id BIGINT;
            v_item_activity_id BIGINT;
            v_item_session_id TEXT;
            v_item_tag TEXT;
            v_now_ts TIMESTAMPTZ;
            v_custom_status_action TEXT;
            v_custom_status_value TEXT;
            v_current_execution_id BIGINT;
            v_kv_mutations JSONB;
            v_kv_item JSONB;
            v_kv_action TEXT;
            v_i INTEGER;
            v_is_terminal BOOLEAN;
            v_rows_affected INTEGER;
        BEGIN
            v_now_ts := TO_TIMESTAMP(p_now_ms / 1000.0);
            SELECT il.instance_id INTO v_instance_id
            FROM duroxide.instance_locks il
            WHERE il.lock_token = p_lock_token AND il.locked_until > p_now_ms;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'Invalid lock token';
            END IF;
            PERFORM pg_advisory_xact_lock(hashtext(v_instance_id));
            PERFORM 1
            FROM duroxide.instance_locks il
            WHERE il.instance_id = v_instance_id
              AND il.lock_token = p_lock_token;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'Invalid lock token';
            END IF;
            v_orchestration_name := p_metadata->>'orchestration_name';
            v_orchestration_version := p_metadata->>'orchestration_version';
            v_parent_instance_id := p_metadata->>'parent_instance_id';
            v_status := p_metadata->>'status';
            v_output := p_metadata->>'output';
            v_current_execution_id := p_execution_id;
            v_is_terminal := v_status IN ('Completed', 'ContinuedAsNew', 'Failed');
            IF v_orchestration_name IS NOT NULL AND v_orchestration_version IS NOT NULL THEN
                INSERT INTO duroxide.instances (instance_id, orchestration_name, orchestration_version, current_execution_id, parent_instance_id, created_at, updated_at)
                VALUES (v_instance_id, v_orchestration_name, v_orchestration_version, p_execution_id, v_parent_instance_id, v_now_ts, v_now_ts)
                ON CONFLICT (instance_id) DO NOTHING;
                UPDATE duroxide.instances i
                SET orchestration_name = v_orchestration_name,
                    orchestration_version = v_orchestration_version,
                    parent_instance_id = COALESCE(i.parent_instance_id, v_parent_instance_id),
                    updated_at = v_now_ts
                WHERE i.instance_id = v_instance_id;
            END IF;
            INSERT INTO duroxide.executions (instance_id, execution_id, status, started_at)
            VALUES (v_instance_id, p_execution_id, 'Running', v_now_ts)
            ON CONFLICT (instance_id, execution_id) DO NOTHING;
            UPDATE duroxide.instances i
            SET current_execution_id = GREATEST(i.current_execution_id, p_execution_id),
                updated_at = v_now_ts
            WHERE i.instance_id = v_instance_id;
            IF p_history_delta IS NOT NULL AND JSONB_ARRAY_LENGTH(p_history_delta) > 0 THEN
                INSERT INTO duroxide.history (instance_id, execution_id, event_id, event_type, event_data, created_at)
                SELECT
                    v_instance_id,
                    p_execution_id,
                    (elem->>'event_id')::BIGINT,
                    elem->>'event_type',
                    elem->>'event_data',
                    v_now_ts
                FROM JSONB_ARRAY_ELEMENTS(p_history_delta) AS elem;
            END IF;
            IF v_status IS NOT NULL THEN
                v_completed_at := CASE
                    WHEN v_status IN ('Completed', 'Failed') THEN v_now_ts
                    ELSE NULL
                END;
                UPDATE duroxide.executions e
                SET status = v_status, output = v_output, completed_at = v_completed_at
                WHERE e.instance_id = v_instance_id AND e.execution_id = p_execution_id;
            END IF;
            IF p_metadata ? 'pinned_duroxide_version' AND p_metadata->'pinned_duroxide_version' IS NOT NULL
               AND p_metadata->>'pinned_duroxide_version' != 'null' THEN
                UPDATE duroxide.executions
                SET duroxide_version_major = (p_metadata->'pinned_duroxide_version'->>'major')::INTEGER,
                    duroxide_version_minor = (p_metadata->'pinned_duroxide_version'->>'minor')::INTEGER,
                    duroxide_version_patch = (p_metadata->'pinned_duroxide_version'->>'patch')::INTEGER
                WHERE instance_id = v_instance_id AND execution_id = p_execution_id;
            END IF;
            v_custom_status_action := p_metadata->>'custom_status_action';
            IF v_custom_status_action = 'set' THEN
                v_custom_status_value := p_metadata->>'custom_status_value';
                UPDATE duroxide.instances
                SET custom_status = v_custom_status_value,
                    custom_status_version = custom_status_version + 1
                WHERE instance_id = v_instance_id;
            ELSIF v_custom_status_action = 'clear' THEN
                UPDATE duroxide.instances
                SET custom_status = NULL,
                    custom_status_version = custom_status_version + 1
                WHERE instance_id = v_instance_id;
            END IF;
            v_kv_mutations := p_metadata->'kv_mutations';
            IF v_kv_mutations IS NOT NULL AND jsonb_array_length(v_kv_mutations) > 0 THEN
                FOR v_i IN 0..jsonb_array_length(v_kv_mutations) - 1 LOOP
                    v_kv_item := v_kv_mutations->v_i;
                    v_kv_action := v_kv_item->>'action';
                    IF v_kv_action = 'set' THEN
                        INSERT INTO duroxide.kv_delta (instance_id, key, value, last_updated_at_ms)
                        VALUES (v_instance_id, v_kv_item->>'key', v_kv_item->>'value', COALESCE((v_kv_item->>'last_updated_at_ms')::BIGINT, p_now_ms))
                        ON CONFLICT (instance_id, key)
                        DO UPDATE SET value = EXCLUDED.value, last_updated_at_ms = EXCLUDED.last_updated_at_ms;
                    ELSIF v_kv_action = 'clear_key' THEN
                        INSERT INTO duroxide.kv_delta (instance_id, key, value, last_updated_at_ms)
                        VALUES (v_instance_id, v_kv_item->>'key', NULL, p_now_ms)
                        ON CONFLICT (instance_id, key)
                        DO UPDATE SET value = NULL, last_updated_at_ms = EXCLUDED.last_updated_at_ms;
                    ELSIF v_kv_action = 'clear_all' THEN
                        UPDATE duroxide.kv_delta
                        SET value = NULL,
                            last_updated_at_ms = p_now_ms
                        WHERE instance_id = v_instance_id;
                        INSERT INTO duroxide.kv_delta (instance_id, key, value, last_updated_at_ms)
                        SELECT ks.instance_id, ks.key, NULL, p_now_ms
                        FROM duroxide.kv_store ks
                        WHERE ks.instance_id = v_instance_id
                        ON CONFLICT (instance_id, key) DO NOTHING;
                    END IF;
                END LOOP;
            END IF;
            IF v_is_terminal THEN
                INSERT INTO duroxide.kv_store (instance_id, key, value, execution_id, last_updated_at_ms)
                SELECT kd.instance_id, kd.key, kd.value, p_execution_id, kd.last_updated_at_ms
                FROM duroxide.kv_delta kd
                WHERE kd.instance_id = v_instance_id AND kd.value IS NOT NULL
                ON CONFLICT (instance_id, key)
                DO UPDATE SET value = EXCLUDED.value,
                              execution_id = EXCLUDED.execution_id,
                              last_updated_at_ms = EXCLUDED.last_updated_at_ms;
                DELETE FROM duroxide.kv_store ks
                WHERE ks.instance_id = v_instance_id
                  AND ks.key IN (
                      SELECT kd.key
                      FROM duroxide.kv_delta kd
                      WHERE kd.instance_id = v_instance_id
                        AND kd.value IS NULL
                  );
                DELETE FROM duroxide.kv_delta kd
                WHERE kd.instance_id = v_instance_id;
            END IF;
            IF p_worker_items IS NOT NULL AND JSONB_ARRAY_LENGTH(p_worker_items) > 0 THEN
                FOR v_elem IN SELECT value FROM JSONB_ARRAY_ELEMENTS(p_worker_items) LOOP
                    IF v_elem ? 'ActivityExecute' THEN
                        v_item_instance_id := v_elem->'ActivityExecute'->>'instance';
                        v_item_execution_id := (v_elem->'ActivityExecute'->>'execution_id')::BIGINT;
                        v_item_activity_id := (v_elem->'ActivityExecute'->>'id')::BIGINT;
                        v_item_session_id := v_elem->'ActivityExecute'->>'session_id';
                        v_item_tag := v_elem->'ActivityExecute'->>'tag';
                    ELSE
                        v_item_instance_id := NULL;
                        v_item_execution_id := NULL;
                        v_item_activity_id := NULL;
                        v_item_session_id := NULL;
                        v_item_tag := NULL;
                    END IF;
                    INSERT INTO duroxide.worker_queue (work_item, visible_at, created_at, instance_id, execution_id, activity_id, session_id, tag)
                    VALUES (v_elem::TEXT, v_now_ts, v_now_ts, v_item_instance_id, v_item_execution_id, v_item_activity_id, v_item_session_id, v_item_tag);
                END LOOP;
            END IF;
            IF p_cancelled_activities IS NOT NULL AND JSONB_ARRAY_LENGTH(p_cancelled_activities) > 0 THEN
                FOR v_elem IN SELECT value FROM JSONB_ARRAY_ELEMENTS(p_cancelled_activities) LOOP
                    DELETE FROM duroxide.worker_queue
                    WHERE instance_id = v_elem->>'instance'
                      AND execution_id = (v_elem->>'execution_id')::BIGINT
                      AND activity_id = (v_elem->>'activity_id')::BIGINT;
                END LOOP;
            END IF;
            IF p_orchestrator_items IS NOT NULL AND JSONB_ARRAY_LENGTH(p_orchestrator_items) > 0 THEN
                FOR v_elem IN SELECT value FROM JSONB_ARRAY_ELEMENTS(p_orchestrator_items) LOOP
                    IF v_elem ? 'StartOrchestration' THEN
                        v_item_instance_id := v_elem->'StartOrchestration'->>'instance';
                    ELSIF v_elem ? 'ContinueAsNew' THEN
                        v_item_instance_id := v_elem->'ContinueAsNew'->>'instance';
                    ELSIF v_elem ? 'TimerFired' THEN
                        v_item_instance_id := v_elem->'TimerFired'->>'instance';
                        v_fire_at_ms := (v_elem->'TimerFired'->>'fire_at_ms')::BIGINT;
                    ELSIF v_elem ? 'ActivityCompleted' THEN
                        v_item_instance_id := v_elem->'ActivityCompleted'->>'instance';
                    ELSIF v_elem ? 'ActivityFailed' THEN
                        v_item_instance_id := v_elem->'ActivityFailed'->>'instance';
                    ELSIF v_elem ? 'ExternalRaised' THEN
                        v_item_instance_id := v_elem->'ExternalRaised'->>'instance';
                    ELSIF v_elem ? 'CancelInstance' THEN
                        v_item_instance_id := v_elem->'CancelInstance'->>'instance';
                    ELSIF v_elem ? 'SubOrchCompleted' THEN
                        v_item_instance_id := v_elem->'SubOrchCompleted'->>'parent_instance';
                    ELSIF v_elem ? 'SubOrchFailed' THEN
                        v_item_instance_id := v_elem->'SubOrchFailed'->>'parent_instance';
                    ELSIF v_elem ? 'QueueMessage' THEN
                        v_item_instance_id := v_elem->'QueueMessage'->>'instance';
                    ELSE
                        v_item_instance_id := v_instance_id;
                    END IF;
                    IF v_elem ? 'TimerFired' AND v_fire_at_ms IS NOT NULL AND v_fire_at_ms > 0 THEN
                        v_visible_at := TO_TIMESTAMP(v_fire_at_ms / 1000.0);
                    ELSE
                        v_visible_at := v_now_ts;
                    END IF;
                    INSERT INTO duroxide.orchestrator_queue (instance_id, work_item, visible_at, created_at)
                    VALUES (v_item_instance_id, v_elem::TEXT, v_visible_at, v_now_ts);
                    v_fire_at_ms := NULL;
                END LOOP;
            END IF;
            DELETE FROM duroxide.orchestrator_queue q WHERE q.lock_token = p_lock_token;
            DELETE FROM duroxide.instance_locks il
            WHERE il.instance_id = v_instance_id AND il.lock_token = p_lock_token;
            GET DIAGNOSTICS v_rows_affected = ROW_COUNT;
            IF v_rows_affected = 0 THEN
                RAISE EXCEPTION 'Invalid lock token';
            END IF;
        END;
        $$;


ALTER FUNCTION duroxide.ack_orchestration_item(p_lock_token text, p_now_ms bigint, p_execution_id bigint, p_history_delta jsonb, p_worker_items jsonb, p_orchestrator_items jsonb, p_metadata jsonb, p_cancelled_activities jsonb) OWNER TO postgres;

--
-- Name: ack_worker(text, text, text, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.ack_worker(p_lock_token text, p_instance_id text DEFAULT NULL::text, p_completion_json text DEFAULT NULL::text, p_now_ms bigint DEFAULT NULL::bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_rows_affected INTEGER;
            v_now_ts TIMESTAMPTZ;
            v_session_id TEXT;
        BEGIN
            SELECT session_id INTO v_session_id
            FROM duroxide.worker_queue WHERE lock_token = p_lock_token;
            IF p_now_ms IS NOT NULL THEN
                DELETE FROM duroxide.worker_queue WHERE lock_token = p_lock_token AND locked_until > p_now_ms;
            ELSE
                DELETE FROM duroxide.worker_queue WHERE lock_token = p_lock_token;
            END IF;
            GET DIAGNOSTICS v_rows_affected = ROW_COUNT;
            IF v_rows_affected = 0 THEN
                RAISE EXCEPTION 'Worker queue item not found or already processed';
            END IF;
            IF p_completion_json IS NOT NULL THEN
                IF p_instance_id IS NULL THEN
                    RAISE EXCEPTION 'p_instance_id is required when p_completion_json is provided';
                END IF;
                IF p_now_ms IS NULL THEN
                    RAISE EXCEPTION 'p_now_ms is required when p_completion_json is provided';
                END IF;
                
                v_now_ts := TO_TIMESTAMP(p_now_ms / 1000.0);
                INSERT INTO duroxide.orchestrator_queue (instance_id, work_item, visible_at, created_at)
                VALUES (p_instance_id, p_completion_json, v_now_ts, v_now_ts);
            END IF;
            IF v_session_id IS NOT NULL AND p_now_ms IS NOT NULL THEN
                UPDATE duroxide.sessions SET last_activity_at = p_now_ms
                WHERE session_id = v_session_id AND locked_until > p_now_ms;
            END IF;
        END;
        $$;


ALTER FUNCTION duroxide.ack_worker(p_lock_token text, p_instance_id text, p_completion_json text, p_now_ms bigint) OWNER TO postgres;

--
-- Name: append_history(text, bigint, jsonb); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.append_history(p_instance_id text, p_execution_id bigint, p_events jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
        BEGIN
            IF p_events IS NULL OR JSONB_ARRAY_LENGTH(p_events) = 0 THEN
                RETURN;
            END IF;
            IF EXISTS (
                SELECT 1
                FROM JSONB_ARRAY_ELEMENTS(p_events) elem
                WHERE COALESCE((elem->>'event_id')::BIGINT, 0) <= 0
            ) THEN
                RAISE EXCEPTION 'Invalid event_id in append_history';
            END IF;
            INSERT INTO duroxide.history (instance_id, execution_id, event_id, event_type, event_data)
            SELECT
                p_instance_id,
                p_execution_id,
                (elem->>'event_id')::BIGINT,
                elem->>'event_type',
                elem->>'event_data'
            FROM JSONB_ARRAY_ELEMENTS(p_events) AS elem
            ON CONFLICT (instance_id, execution_id, event_id) DO NOTHING;
        END;
        $$;


ALTER FUNCTION duroxide.append_history(p_instance_id text, p_execution_id bigint, p_events jsonb) OWNER TO postgres;

--
-- Name: cleanup_orphaned_sessions(bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.cleanup_orphaned_sessions(p_now_ms bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_count BIGINT;
        BEGIN
            DELETE FROM duroxide.sessions
            WHERE locked_until < p_now_ms
              AND NOT EXISTS (SELECT 1 FROM duroxide.worker_queue WHERE worker_queue.session_id = sessions.session_id);
            GET DIAGNOSTICS v_count = ROW_COUNT;
            RETURN v_count;
        END;
        $$;


ALTER FUNCTION duroxide.cleanup_orphaned_sessions(p_now_ms bigint) OWNER TO postgres;

--
-- Name: cleanup_schema(); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.cleanup_schema() RETURNS void
    LANGUAGE plpgsql
    AS $$
        BEGIN
            DROP TABLE IF EXISTS duroxide.sessions CASCADE;
            DROP TABLE IF EXISTS duroxide.kv_delta CASCADE;
            DROP TABLE IF EXISTS duroxide.kv_store CASCADE;
            DROP TABLE IF EXISTS duroxide.instances CASCADE;
            DROP TABLE IF EXISTS duroxide.executions CASCADE;
            DROP TABLE IF EXISTS duroxide.history CASCADE;
            DROP TABLE IF EXISTS duroxide.orchestrator_queue CASCADE;
            DROP TABLE IF EXISTS duroxide.worker_queue CASCADE;
            DROP TABLE IF EXISTS duroxide.instance_locks CASCADE;
            DROP TABLE IF EXISTS duroxide._duroxide_migrations CASCADE;
            DROP FUNCTION IF EXISTS duroxide.cleanup_schema();
            DROP FUNCTION IF EXISTS duroxide.list_instances();
            DROP FUNCTION IF EXISTS duroxide.list_executions(TEXT);
            DROP FUNCTION IF EXISTS duroxide.latest_execution_id(TEXT);
            DROP FUNCTION IF EXISTS duroxide.list_instances_by_status(TEXT);
            DROP FUNCTION IF EXISTS duroxide.get_instance_info(TEXT);
            DROP FUNCTION IF EXISTS duroxide.get_execution_info(TEXT, BIGINT);
            DROP FUNCTION IF EXISTS duroxide.get_system_metrics();
            DROP FUNCTION IF EXISTS duroxide.get_queue_depths(BIGINT);
            DROP FUNCTION IF EXISTS duroxide.enqueue_worker_work(TEXT, BIGINT, TEXT, BIGINT, BIGINT, TEXT);
            DROP FUNCTION IF EXISTS duroxide.enqueue_worker_work(TEXT, BIGINT, TEXT, BIGINT, BIGINT, TEXT, TEXT);
            DROP FUNCTION IF EXISTS duroxide.ack_worker(TEXT, TEXT, TEXT, BIGINT);
            DROP FUNCTION IF EXISTS duroxide.renew_work_item_lock(TEXT, BIGINT, BIGINT);
            DROP FUNCTION IF EXISTS duroxide.fetch_work_item(BIGINT, BIGINT, TEXT, BIGINT);
            DROP FUNCTION IF EXISTS duroxide.fetch_work_item(BIGINT, BIGINT, TEXT, BIGINT, TEXT[], TEXT);
            DROP FUNCTION IF EXISTS duroxide.abandon_work_item(TEXT, BIGINT, BIGINT, BOOLEAN);
            DROP FUNCTION IF EXISTS duroxide.enqueue_orchestrator_work(TEXT, TEXT, TIMESTAMPTZ, TEXT, TEXT, BIGINT);
            DROP FUNCTION IF EXISTS duroxide.fetch_orchestration_item(BIGINT, BIGINT);
            DROP FUNCTION IF EXISTS duroxide.fetch_orchestration_item(BIGINT, BIGINT, BIGINT, BIGINT);
            DROP FUNCTION IF EXISTS duroxide.ack_orchestration_item(TEXT, BIGINT, BIGINT, JSONB, JSONB, JSONB, JSONB, JSONB);
            DROP FUNCTION IF EXISTS duroxide.abandon_orchestration_item(TEXT, BIGINT, BIGINT, BOOLEAN);
            DROP FUNCTION IF EXISTS duroxide.renew_orchestration_item_lock(TEXT, BIGINT, BIGINT);
            DROP FUNCTION IF EXISTS duroxide.fetch_history(TEXT);
            DROP FUNCTION IF EXISTS duroxide.fetch_history_with_execution(TEXT, BIGINT);
            DROP FUNCTION IF EXISTS duroxide.append_history(TEXT, BIGINT, JSONB);
            DROP FUNCTION IF EXISTS duroxide.list_children(TEXT);
            DROP FUNCTION IF EXISTS duroxide.get_parent_id(TEXT);
            DROP FUNCTION IF EXISTS duroxide.delete_instances_atomic(TEXT[], BOOLEAN);
            DROP FUNCTION IF EXISTS duroxide.prune_executions(TEXT, INTEGER, BIGINT);
            DROP FUNCTION IF EXISTS duroxide.renew_session_lock(TEXT[], BIGINT, BIGINT, BIGINT);
            DROP FUNCTION IF EXISTS duroxide.cleanup_orphaned_sessions(BIGINT);
            DROP FUNCTION IF EXISTS duroxide.get_custom_status(TEXT, BIGINT);
            DROP FUNCTION IF EXISTS duroxide.get_kv_value(TEXT, TEXT);
            DROP FUNCTION IF EXISTS duroxide.get_kv_all_values(TEXT);
            DROP FUNCTION IF EXISTS duroxide.get_instance_stats(TEXT);
        END;
        $$;


ALTER FUNCTION duroxide.cleanup_schema() OWNER TO postgres;

--
-- Name: delete_instances_atomic(text[], boolean); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.delete_instances_atomic(p_instance_ids text[], p_force boolean) RETURNS TABLE(instances_deleted bigint, executions_deleted bigint, events_deleted bigint, queue_messages_deleted bigint)
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_instance_id TEXT;
            v_orphan_id TEXT;
            v_instances_deleted BIGINT := 0;
            v_executions_deleted BIGINT := 0;
            v_events_deleted BIGINT := 0;
            v_queue_deleted BIGINT := 0;
            v_count BIGINT;
        BEGIN
            IF p_instance_ids IS NULL OR array_length(p_instance_ids, 1) IS NULL THEN
                instances_deleted := 0;
                executions_deleted := 0;
                events_deleted := 0;
                queue_messages_deleted := 0;
                RETURN NEXT;
                RETURN;
            END IF;
            IF NOT p_force THEN
                SELECT i.instance_id INTO v_instance_id
                FROM duroxide.instances i
                JOIN duroxide.executions e ON i.instance_id = e.instance_id
                  AND i.current_execution_id = e.execution_id
                WHERE i.instance_id = ANY(p_instance_ids)
                  AND e.status = 'Running'
                LIMIT 1;
                IF v_instance_id IS NOT NULL THEN
                    RAISE EXCEPTION 'Instance % is Running. Use force=true to delete.', v_instance_id;
                END IF;
            END IF;
            PERFORM 1 FROM duroxide.instances
            WHERE instance_id = ANY(p_instance_ids)
            FOR UPDATE;
            SELECT i.instance_id INTO v_orphan_id
            FROM duroxide.instances i
            WHERE i.parent_instance_id = ANY(p_instance_ids)
              AND NOT (i.instance_id = ANY(p_instance_ids))
            LIMIT 1;
            IF v_orphan_id IS NOT NULL THEN
                RAISE EXCEPTION 'Orphan detected: instance % has parent in delete list but is not included', v_orphan_id;
            END IF;
            DELETE FROM duroxide.history WHERE instance_id = ANY(p_instance_ids);
            GET DIAGNOSTICS v_count = ROW_COUNT;
            v_events_deleted := v_count;
            DELETE FROM duroxide.executions WHERE instance_id = ANY(p_instance_ids);
            GET DIAGNOSTICS v_count = ROW_COUNT;
            v_executions_deleted := v_count;
            DELETE FROM duroxide.orchestrator_queue WHERE instance_id = ANY(p_instance_ids);
            GET DIAGNOSTICS v_count = ROW_COUNT;
            v_queue_deleted := v_count;
            DELETE FROM duroxide.worker_queue WHERE instance_id = ANY(p_instance_ids);
            GET DIAGNOSTICS v_count = ROW_COUNT;
            v_queue_deleted := v_queue_deleted + v_count;
            DELETE FROM duroxide.instance_locks WHERE instance_id = ANY(p_instance_ids);
            DELETE FROM duroxide.kv_delta WHERE instance_id = ANY(p_instance_ids);
            DELETE FROM duroxide.kv_store WHERE instance_id = ANY(p_instance_ids);
            DELETE FROM duroxide.instances WHERE instance_id = ANY(p_instance_ids);
            GET DIAGNOSTICS v_count = ROW_COUNT;
            v_instances_deleted := v_count;
            instances_deleted := v_instances_deleted;
            executions_deleted := v_executions_deleted;
            events_deleted := v_events_deleted;
            queue_messages_deleted := v_queue_deleted;
            RETURN NEXT;
        END;
        $$;


ALTER FUNCTION duroxide.delete_instances_atomic(p_instance_ids text[], p_force boolean) OWNER TO postgres;

--
-- Name: enqueue_completion(text, text, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.enqueue_completion(p_instance_id text, p_completion_json text, p_now_ms bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_now_ts TIMESTAMPTZ;
        BEGIN
            v_now_ts := TO_TIMESTAMP(p_now_ms / 1000.0);
            INSERT INTO duroxide.orchestrator_queue (instance_id, work_item, visible_at, created_at)
            VALUES (p_instance_id, p_completion_json, v_now_ts, v_now_ts);
        END;
        $$;


ALTER FUNCTION duroxide.enqueue_completion(p_instance_id text, p_completion_json text, p_now_ms bigint) OWNER TO postgres;

--
-- Name: enqueue_message(text, text, bigint, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.enqueue_message(p_instance_id text, p_work_item text, p_visible_at_ms bigint, p_now_ms bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_visible_at TIMESTAMPTZ;
            v_now_ts TIMESTAMPTZ;
        BEGIN
            v_visible_at := TO_TIMESTAMP(p_visible_at_ms / 1000.0);
            v_now_ts := TO_TIMESTAMP(p_now_ms / 1000.0);
            INSERT INTO duroxide.orchestrator_queue (instance_id, work_item, visible_at, created_at)
            VALUES (p_instance_id, p_work_item, v_visible_at, v_now_ts);
        END;
        $$;


ALTER FUNCTION duroxide.enqueue_message(p_instance_id text, p_work_item text, p_visible_at_ms bigint, p_now_ms bigint) OWNER TO postgres;

--
-- Name: enqueue_orchestration_work(text, text, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.enqueue_orchestration_work(p_instance_id text, p_work_item text, p_now_ms bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_now_ts TIMESTAMPTZ;
        BEGIN
            v_now_ts := TO_TIMESTAMP(p_now_ms / 1000.0);
            INSERT INTO duroxide.orchestrator_queue (instance_id, work_item, visible_at, created_at)
            VALUES (p_instance_id, p_work_item, v_now_ts, v_now_ts);
        END;
        $$;


ALTER FUNCTION duroxide.enqueue_orchestration_work(p_instance_id text, p_work_item text, p_now_ms bigint) OWNER TO postgres;

--
-- Name: enqueue_orchestrator_work(text, text, timestamp with time zone, text, text, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.enqueue_orchestrator_work(p_instance_id text, p_work_item text, p_visible_at timestamp with time zone, p_orchestration_name text DEFAULT NULL::text, p_orchestration_version text DEFAULT NULL::text, p_execution_id bigint DEFAULT NULL::bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
        BEGIN
            
            INSERT INTO duroxide.orchestrator_queue (instance_id, work_item, visible_at, created_at)
            VALUES (p_instance_id, p_work_item, p_visible_at, NOW());
        END;
        $$;


ALTER FUNCTION duroxide.enqueue_orchestrator_work(p_instance_id text, p_work_item text, p_visible_at timestamp with time zone, p_orchestration_name text, p_orchestration_version text, p_execution_id bigint) OWNER TO postgres;

--
-- Name: enqueue_worker_work(text, bigint, text, bigint, bigint, text, text); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.enqueue_worker_work(p_work_item text, p_now_ms bigint, p_instance_id text DEFAULT NULL::text, p_execution_id bigint DEFAULT NULL::bigint, p_activity_id bigint DEFAULT NULL::bigint, p_session_id text DEFAULT NULL::text, p_tag text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_now_ts TIMESTAMPTZ;
        BEGIN
            v_now_ts := TO_TIMESTAMP(p_now_ms / 1000.0);
            INSERT INTO duroxide.worker_queue (work_item, visible_at, created_at, instance_id, execution_id, activity_id, session_id, tag)
            VALUES (p_work_item, v_now_ts, v_now_ts, p_instance_id, p_execution_id, p_activity_id, p_session_id, p_tag);
        END;
        $$;


ALTER FUNCTION duroxide.enqueue_worker_work(p_work_item text, p_now_ms bigint, p_instance_id text, p_execution_id bigint, p_activity_id bigint, p_session_id text, p_tag text) OWNER TO postgres;

--
-- Name: fetch_history(text); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.fetch_history(p_instance_id text) RETURNS TABLE(out_event_data text)
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_execution_id BIGINT;
        BEGIN
            SELECT COALESCE(MAX(execution_id), 1)
            INTO v_execution_id
            FROM duroxide.executions
            WHERE instance_id = p_instance_id;
            RETURN QUERY
            SELECT h.event_data
            FROM duroxide.history h
            WHERE h.instance_id = p_instance_id
              AND h.execution_id = v_execution_id
            ORDER BY h.event_id;
        END;
        $$;


ALTER FUNCTION duroxide.fetch_history(p_instance_id text) OWNER TO postgres;

--
-- Name: fetch_history_with_execution(text, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.fetch_history_with_execution(p_instance_id text, p_execution_id bigint) RETURNS TABLE(out_event_data text)
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RETURN QUERY
            SELECT h.event_data
            FROM duroxide.history h
            WHERE h.instance_id = p_instance_id
              AND h.execution_id = p_execution_id
            ORDER BY h.event_id;
        END;
        $$;


ALTER FUNCTION duroxide.fetch_history_with_execution(p_instance_id text, p_execution_id bigint) OWNER TO postgres;

--
-- Name: fetch_orchestration_item(bigint, bigint, bigint, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.fetch_orchestration_item(p_now_ms bigint, p_lock_timeout_ms bigint, p_min_version_packed bigint DEFAULT NULL::bigint, p_max_version_packed bigint DEFAULT NULL::bigint) RETURNS TABLE(out_instance_id text, out_orchestration_name text, out_orchestration_version text, out_execution_id bigint, out_history jsonb, out_messages jsonb, out_lock_token text, out_attempt_count integer, out_kv_snapshot jsonb)
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_instance_id TEXT;
            v_lock_token TEXT;
            v_locked_until BIGINT;
            v_lease_base_ms BIGINT;
            v_orchestration_name TEXT;
            v_orchestration_version TEXT;
            v_current_execution_id BIGINT;
            v_history JSONB;
            v_messages JSONB;
            v_kv_snapshot JSONB;
            v_lock_acquired INTEGER;
            v_max_attempt_count INTEGER;
        BEGIN
            LOOP
                v_instance_id := NULL;
                IF p_min_version_packed IS NOT NULL THEN
                    SELECT q.instance_id INTO v_instance_id
                    FROM duroxide.orchestrator_queue q
                    LEFT JOIN duroxide.instances i ON i.instance_id = q.instance_id
                    LEFT JOIN duroxide.executions e ON e.instance_id = i.instance_id
                        AND e.execution_id = i.current_execution_id
                    WHERE q.visible_at <= TO_TIMESTAMP(p_now_ms / 1000.0)
                      AND NOT EXISTS (
                        SELECT 1 FROM duroxide.instance_locks il
                        WHERE il.instance_id = q.instance_id AND il.locked_until > p_now_ms
                      )
                      AND (
                        e.duroxide_version_major IS NULL
                        OR (e.duroxide_version_major * 1000000 + e.duroxide_version_minor * 1000 + e.duroxide_version_patch)
                           BETWEEN p_min_version_packed AND p_max_version_packed
                      )
                    ORDER BY q.visible_at, q.id
                    LIMIT 1;
                ELSE
                    SELECT q.instance_id INTO v_instance_id
                    FROM duroxide.orchestrator_queue q
                    WHERE q.visible_at <= TO_TIMESTAMP(p_now_ms / 1000.0)
                      AND NOT EXISTS (
                        SELECT 1 FROM duroxide.instance_locks il
                        WHERE il.instance_id = q.instance_id AND il.locked_until > p_now_ms
                      )
                    ORDER BY q.visible_at, q.id
                    LIMIT 1;
                END IF;
                IF NOT FOUND THEN
                    RETURN;
                END IF;
                PERFORM pg_advisory_xact_lock(hashtext(v_instance_id));
                IF p_min_version_packed IS NOT NULL THEN
                    SELECT q.instance_id INTO v_instance_id
                    FROM duroxide.orchestrator_queue q
                    LEFT JOIN duroxide.instances i ON i.instance_id = q.instance_id
                    LEFT JOIN duroxide.executions e ON e.instance_id = i.instance_id
                        AND e.execution_id = i.current_execution_id
                    WHERE q.instance_id = v_instance_id
                      AND q.visible_at <= TO_TIMESTAMP(p_now_ms / 1000.0)
                      AND NOT EXISTS (
                        SELECT 1 FROM duroxide.instance_locks il
                        WHERE il.instance_id = q.instance_id AND il.locked_until > p_now_ms
                      )
                      AND (
                        e.duroxide_version_major IS NULL
                        OR (e.duroxide_version_major * 1000000 + e.duroxide_version_minor * 1000 + e.duroxide_version_patch)
                           BETWEEN p_min_version_packed AND p_max_version_packed
                      )
                    FOR UPDATE OF q SKIP LOCKED;
                ELSE
                    SELECT q.instance_id INTO v_instance_id
                    FROM duroxide.orchestrator_queue q
                    WHERE q.instance_id = v_instance_id
                      AND q.visible_at <= TO_TIMESTAMP(p_now_ms / 1000.0)
                      AND NOT EXISTS (
                        SELECT 1 FROM duroxide.instance_locks il
                        WHERE il.instance_id = q.instance_id AND il.locked_until > p_now_ms
                      )
                    FOR UPDATE OF q SKIP LOCKED;
                END IF;
                IF NOT FOUND THEN
                    CONTINUE;
                END IF;
                v_lease_base_ms := GREATEST(
                    p_now_ms + (EXTRACT(EPOCH FROM (clock_timestamp() - statement_timestamp())) * 1000)::BIGINT,
                    (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT
                );
                v_lock_token := 'lock_' || gen_random_uuid()::TEXT;
                v_locked_until := v_lease_base_ms + p_lock_timeout_ms;
                INSERT INTO duroxide.instance_locks (instance_id, lock_token, locked_until, locked_at)
                VALUES (v_instance_id, v_lock_token, v_locked_until, p_now_ms)
                ON CONFLICT(instance_id) DO UPDATE
                SET lock_token = EXCLUDED.lock_token,
                    locked_until = EXCLUDED.locked_until,
                    locked_at = EXCLUDED.locked_at
                WHERE duroxide.instance_locks.locked_until <= p_now_ms;
                GET DIAGNOSTICS v_lock_acquired = ROW_COUNT;
                IF v_lock_acquired = 0 THEN
                    CONTINUE;
                END IF;
                UPDATE duroxide.orchestrator_queue q
                SET lock_token = v_lock_token,
                    locked_until = v_locked_until,
                    attempt_count = q.attempt_count + 1
                WHERE q.instance_id = v_instance_id
                  AND q.visible_at <= TO_TIMESTAMP(p_now_ms / 1000.0)
                  AND (q.lock_token IS NULL OR q.locked_until <= p_now_ms);
                SELECT COALESCE(JSONB_AGG(q.work_item::JSONB ORDER BY q.id), '[]'::JSONB),
                       COALESCE(MAX(q.attempt_count), 1)
                INTO v_messages, v_max_attempt_count
                FROM duroxide.orchestrator_queue q
                WHERE q.lock_token = v_lock_token;
                SELECT i.orchestration_name, i.orchestration_version, i.current_execution_id
                INTO v_orchestration_name, v_orchestration_version, v_current_execution_id
                FROM duroxide.instances i
                WHERE i.instance_id = v_instance_id;
                IF FOUND THEN
                    SELECT COALESCE(JSONB_AGG(h.event_data::JSONB ORDER BY h.event_id), '[]'::JSONB)
                    INTO v_history
                    FROM duroxide.history h
                    WHERE h.instance_id = v_instance_id AND h.execution_id = v_current_execution_id;
                    v_orchestration_version := COALESCE(v_orchestration_version, 'unknown');
                ELSE
                    SELECT COALESCE(JSONB_AGG(h.event_data::JSONB ORDER BY h.execution_id, h.event_id), '[]'::JSONB)
                    INTO v_history
                    FROM duroxide.history h
                    WHERE h.instance_id = v_instance_id;
                    IF JSONB_ARRAY_LENGTH(v_history) > 0 AND v_history->0 ? 'OrchestrationStarted' THEN
                        v_orchestration_name := v_history->0->'OrchestrationStarted'->>'name';
                        v_orchestration_version := v_history->0->'OrchestrationStarted'->>'version';
                        v_current_execution_id := 1;
                    ELSIF JSONB_ARRAY_LENGTH(v_messages) > 0 AND v_messages->0 ? 'StartOrchestration' THEN
                        v_orchestration_name := v_messages->0->'StartOrchestration'->>'orchestration';
                        v_orchestration_version := COALESCE(v_messages->0->'StartOrchestration'->>'version', 'unknown');
                        v_current_execution_id := COALESCE((v_messages->0->'StartOrchestration'->>'execution_id')::BIGINT, 1);
                    ELSIF JSONB_ARRAY_LENGTH(v_messages) > 0 AND v_messages->0 ? 'ContinueAsNew' THEN
                        v_orchestration_name := v_messages->0->'ContinueAsNew'->>'orchestration';
                        v_orchestration_version := COALESCE(v_messages->0->'ContinueAsNew'->>'version', 'unknown');
                        v_current_execution_id := 1;
                    ELSE
                        v_orchestration_name := 'Unknown';
                        v_orchestration_version := 'unknown';
                        v_current_execution_id := 1;
                    END IF;
                END IF;
                SELECT COALESCE(
                    jsonb_object_agg(
                        ks.key,
                        jsonb_build_object('value', ks.value, 'last_updated_at_ms', ks.last_updated_at_ms)
                    ),
                    '{}'::jsonb
                )
                INTO v_kv_snapshot
                FROM duroxide.kv_store ks
                WHERE ks.instance_id = v_instance_id;
                RETURN QUERY SELECT
                    v_instance_id,
                    v_orchestration_name,
                    v_orchestration_version,
                    v_current_execution_id,
                    v_history,
                    v_messages,
                    v_lock_token,
                    v_max_attempt_count,
                    v_kv_snapshot;
                RETURN;
            END LOOP;
        END;
        $$;


ALTER FUNCTION duroxide.fetch_orchestration_item(p_now_ms bigint, p_lock_timeout_ms bigint, p_min_version_packed bigint, p_max_version_packed bigint) OWNER TO postgres;

--
-- Name: fetch_work_item(bigint, bigint, text, bigint, text[], text); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.fetch_work_item(p_now_ms bigint, p_lock_timeout_ms bigint, p_owner_id text DEFAULT NULL::text, p_session_lock_timeout_ms bigint DEFAULT NULL::bigint, p_tag_filter text[] DEFAULT NULL::text[], p_tag_mode text DEFAULT 'default_only'::text) RETURNS TABLE(out_work_item text, out_lock_token text, out_attempt_count integer)
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_id BIGINT;
            v_session_id TEXT;
            v_session_locked_until BIGINT;
        BEGIN
            IF p_tag_mode = 'none' THEN
                RETURN;
            END IF;
            IF p_owner_id IS NOT NULL THEN
                SELECT q.id, q.session_id INTO v_id, v_session_id
                FROM duroxide.worker_queue q
                LEFT JOIN duroxide.sessions s ON s.session_id = q.session_id AND s.locked_until > p_now_ms
                WHERE q.visible_at <= TO_TIMESTAMP(p_now_ms / 1000.0)
                  AND (q.lock_token IS NULL OR q.locked_until <= p_now_ms)
                  AND (
                    q.session_id IS NULL
                    OR s.worker_id = p_owner_id
                    OR s.session_id IS NULL
                  )
                  AND (
                    CASE p_tag_mode
                        WHEN 'default_only' THEN q.tag IS NULL
                        WHEN 'tags' THEN q.tag = ANY(p_tag_filter)
                        WHEN 'default_and' THEN (q.tag IS NULL OR q.tag = ANY(p_tag_filter))
                        WHEN 'any' THEN TRUE
                        ELSE FALSE
                    END
                  )
                ORDER BY q.id
                LIMIT 1
                FOR UPDATE OF q SKIP LOCKED;
            ELSE
                SELECT q.id, q.session_id INTO v_id, v_session_id
                FROM duroxide.worker_queue q
                WHERE q.visible_at <= TO_TIMESTAMP(p_now_ms / 1000.0)
                  AND (q.lock_token IS NULL OR q.locked_until <= p_now_ms)
                  AND q.session_id IS NULL
                  AND (
                    CASE p_tag_mode
                        WHEN 'default_only' THEN q.tag IS NULL
                        WHEN 'tags' THEN q.tag = ANY(p_tag_filter)
                        WHEN 'default_and' THEN (q.tag IS NULL OR q.tag = ANY(p_tag_filter))
                        WHEN 'any' THEN TRUE
                        ELSE FALSE
                    END
                  )
                ORDER BY q.id
                LIMIT 1
                FOR UPDATE OF q SKIP LOCKED;
            END IF;
            IF NOT FOUND THEN
                RETURN;
            END IF;
            out_lock_token := 'lock_' || gen_random_uuid()::TEXT;
            UPDATE duroxide.worker_queue
            SET lock_token = out_lock_token,
                locked_until = p_now_ms + p_lock_timeout_ms,
                attempt_count = attempt_count + 1
            WHERE id = v_id;
            SELECT work_item, attempt_count
            INTO out_work_item, out_attempt_count
            FROM duroxide.worker_queue
            WHERE id = v_id;
            IF v_session_id IS NOT NULL AND p_owner_id IS NOT NULL THEN
                v_session_locked_until := p_now_ms + COALESCE(p_session_lock_timeout_ms, p_lock_timeout_ms);
                INSERT INTO duroxide.sessions (session_id, worker_id, locked_until, last_activity_at)
                VALUES (v_session_id, p_owner_id, v_session_locked_until, p_now_ms)
                ON CONFLICT (session_id) DO UPDATE
                SET worker_id = p_owner_id,
                    locked_until = v_session_locked_until,
                    last_activity_at = p_now_ms
                WHERE duroxide.sessions.locked_until <= p_now_ms OR duroxide.sessions.worker_id = p_owner_id;
                IF NOT FOUND THEN
                    UPDATE duroxide.worker_queue
                    SET lock_token = NULL,
                        locked_until = NULL,
                        attempt_count = attempt_count - 1
                    WHERE id = v_id;
                    RETURN;
                END IF;
            END IF;
            RETURN NEXT;
        END;
        $$;


ALTER FUNCTION duroxide.fetch_work_item(p_now_ms bigint, p_lock_timeout_ms bigint, p_owner_id text, p_session_lock_timeout_ms bigint, p_tag_filter text[], p_tag_mode text) OWNER TO postgres;

--
-- Name: get_custom_status(text, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.get_custom_status(p_instance_id text, p_last_seen_version bigint) RETURNS TABLE(out_custom_status text, out_custom_status_version bigint)
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RETURN QUERY
            SELECT i.custom_status, i.custom_status_version::BIGINT
            FROM duroxide.instances i
            WHERE i.instance_id = p_instance_id
              AND i.custom_status_version > p_last_seen_version;
        END;
        $$;


ALTER FUNCTION duroxide.get_custom_status(p_instance_id text, p_last_seen_version bigint) OWNER TO postgres;

--
-- Name: get_execution_info(text, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.get_execution_info(p_instance_id text, p_execution_id bigint) RETURNS TABLE(execution_id bigint, status text, output text, started_at timestamp with time zone, completed_at timestamp with time zone, event_count bigint)
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RETURN QUERY
            SELECT e.execution_id, e.status, e.output, 
                   e.started_at, e.completed_at,
                   COALESCE(COUNT(h.event_id), 0)::BIGINT as event_count
            FROM duroxide.executions e
            LEFT JOIN duroxide.history h ON e.instance_id = h.instance_id 
              AND e.execution_id = h.execution_id
            WHERE e.instance_id = p_instance_id AND e.execution_id = p_execution_id
            GROUP BY e.execution_id, e.status, e.output, e.started_at, e.completed_at;
        END;
        $$;


ALTER FUNCTION duroxide.get_execution_info(p_instance_id text, p_execution_id bigint) OWNER TO postgres;

--
-- Name: get_instance_info(text); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.get_instance_info(p_instance_id text) RETURNS TABLE(instance_id text, orchestration_name text, orchestration_version text, current_execution_id bigint, created_at timestamp with time zone, updated_at timestamp with time zone, status text, output text, parent_instance_id text)
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RETURN QUERY
            SELECT i.instance_id, i.orchestration_name, 
                   COALESCE(i.orchestration_version, 'unknown') as orchestration_version,
                   i.current_execution_id, i.created_at, i.updated_at,
                   e.status, e.output, i.parent_instance_id
            FROM duroxide.instances i
            LEFT JOIN duroxide.executions e ON i.instance_id = e.instance_id 
              AND i.current_execution_id = e.execution_id
            WHERE i.instance_id = p_instance_id;
        END;
        $$;


ALTER FUNCTION duroxide.get_instance_info(p_instance_id text) OWNER TO postgres;

--
-- Name: get_instance_stats(text); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.get_instance_stats(p_instance text) RETURNS TABLE(out_found boolean, out_history_event_count bigint, out_history_size_bytes bigint, out_queue_pending_count bigint, out_kv_user_key_count bigint, out_kv_total_value_bytes bigint)
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_execution_id BIGINT;
            v_event_data TEXT;
            v_event_json JSONB;
            v_cf_events JSONB;
        BEGIN
            SELECT current_execution_id
            INTO v_execution_id
            FROM duroxide.instances
            WHERE instance_id = p_instance;
            IF NOT FOUND THEN
                out_found := FALSE;
                out_history_event_count := 0;
                out_history_size_bytes := 0;
                out_queue_pending_count := 0;
                out_kv_user_key_count := 0;
                out_kv_total_value_bytes := 0;
                RETURN NEXT;
                RETURN;
            END IF;
            out_found := TRUE;
            SELECT COUNT(*)::BIGINT,
                   COALESCE(SUM(OCTET_LENGTH(event_data)), 0)::BIGINT
            INTO out_history_event_count, out_history_size_bytes
            FROM duroxide.history
            WHERE instance_id = p_instance AND execution_id = v_execution_id;
            SELECT COUNT(DISTINCT k.key)::BIGINT
            INTO out_kv_user_key_count
            FROM (
                SELECT key FROM duroxide.kv_store WHERE instance_id = p_instance
                UNION
                SELECT key FROM duroxide.kv_delta WHERE instance_id = p_instance AND value IS NOT NULL
            ) k;
            SELECT (
                COALESCE((SELECT SUM(OCTET_LENGTH(value)) FROM duroxide.kv_store WHERE instance_id = p_instance), 0)
              + COALESCE((SELECT SUM(OCTET_LENGTH(value)) FROM duroxide.kv_delta WHERE instance_id = p_instance), 0)
            )::BIGINT
            INTO out_kv_total_value_bytes;
            SELECT event_data
            INTO v_event_data
            FROM duroxide.history
            WHERE instance_id = p_instance
              AND execution_id = v_execution_id
              AND event_id = 1;
            out_queue_pending_count := 0;
            IF v_event_data IS NOT NULL THEN
                v_event_json := v_event_data::JSONB;
                v_cf_events := v_event_json -> 'carry_forward_events';
                IF v_cf_events IS NOT NULL AND jsonb_typeof(v_cf_events) = 'array' THEN
                    out_queue_pending_count := jsonb_array_length(v_cf_events)::BIGINT;
                END IF;
            END IF;
            RETURN NEXT;
        END;
        $$;


ALTER FUNCTION duroxide.get_instance_stats(p_instance text) OWNER TO postgres;

--
-- Name: get_kv_all_values(text); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.get_kv_all_values(p_instance text) RETURNS TABLE(out_key text, out_value text)
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RETURN QUERY
            SELECT COALESCE(d.key, s.key) AS out_key,
                   CASE WHEN d.key IS NOT NULL THEN d.value ELSE s.value END AS out_value
            FROM duroxide.kv_store s
            FULL OUTER JOIN duroxide.kv_delta d
                ON s.instance_id = d.instance_id AND s.key = d.key
            WHERE (s.instance_id = p_instance OR d.instance_id = p_instance)
              AND CASE WHEN d.key IS NOT NULL THEN d.value IS NOT NULL ELSE TRUE END;
        END;
        $$;


ALTER FUNCTION duroxide.get_kv_all_values(p_instance text) OWNER TO postgres;

--
-- Name: get_kv_value(text, text); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.get_kv_value(p_instance text, p_key text) RETURNS TABLE(out_value text, out_found boolean)
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_delta_value TEXT;
            v_store_value TEXT;
        BEGIN
            SELECT value
            INTO v_delta_value
            FROM duroxide.kv_delta
            WHERE instance_id = p_instance AND key = p_key;
            IF FOUND THEN
                out_value := v_delta_value;
                out_found := v_delta_value IS NOT NULL;
                RETURN NEXT;
                RETURN;
            END IF;
            SELECT value
            INTO v_store_value
            FROM duroxide.kv_store
            WHERE instance_id = p_instance AND key = p_key;
            IF FOUND THEN
                out_value := v_store_value;
                out_found := TRUE;
                RETURN NEXT;
                RETURN;
            END IF;
            out_value := NULL;
            out_found := FALSE;
            RETURN NEXT;
        END;
        $$;


ALTER FUNCTION duroxide.get_kv_value(p_instance text, p_key text) OWNER TO postgres;

--
-- Name: get_parent_id(text); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.get_parent_id(p_instance_id text) RETURNS text
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_parent_id TEXT;
        BEGIN
            SELECT i.parent_instance_id
            INTO v_parent_id
            FROM duroxide.instances i
            WHERE i.instance_id = p_instance_id;
            
            IF NOT FOUND THEN
                RAISE EXCEPTION 'Instance not found: %', p_instance_id;
            END IF;
            
            RETURN v_parent_id;
        END;
        $$;


ALTER FUNCTION duroxide.get_parent_id(p_instance_id text) OWNER TO postgres;

--
-- Name: get_queue_depths(bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.get_queue_depths(p_now_ms bigint) RETURNS TABLE(orchestrator_queue bigint, worker_queue bigint)
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RETURN QUERY
            SELECT 
                (SELECT COUNT(*)::BIGINT FROM duroxide.orchestrator_queue 
                 WHERE visible_at <= TO_TIMESTAMP(p_now_ms / 1000.0)
                   AND (lock_token IS NULL OR locked_until <= p_now_ms)) as orchestrator_queue,
                (SELECT COUNT(*)::BIGINT FROM duroxide.worker_queue 
                 WHERE visible_at <= TO_TIMESTAMP(p_now_ms / 1000.0)
                   AND (lock_token IS NULL OR locked_until <= p_now_ms)) as worker_queue;
        END;
        $$;


ALTER FUNCTION duroxide.get_queue_depths(p_now_ms bigint) OWNER TO postgres;

--
-- Name: get_system_metrics(); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.get_system_metrics() RETURNS TABLE(total_instances bigint, total_executions bigint, running_instances bigint, completed_instances bigint, failed_instances bigint, total_events bigint)
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RETURN QUERY
            SELECT 
                (SELECT COUNT(*)::BIGINT FROM duroxide.instances) as total_instances,
                (SELECT COUNT(*)::BIGINT FROM duroxide.executions) as total_executions,
                (SELECT COUNT(DISTINCT i.instance_id)::BIGINT
                 FROM duroxide.instances i
                 JOIN duroxide.executions e ON i.instance_id = e.instance_id 
                   AND i.current_execution_id = e.execution_id
                 WHERE e.status = 'Running') as running_instances,
                (SELECT COUNT(DISTINCT i.instance_id)::BIGINT
                 FROM duroxide.instances i
                 JOIN duroxide.executions e ON i.instance_id = e.instance_id 
                   AND i.current_execution_id = e.execution_id
                 WHERE e.status = 'Completed') as completed_instances,
                (SELECT COUNT(DISTINCT i.instance_id)::BIGINT
                 FROM duroxide.instances i
                 JOIN duroxide.executions e ON i.instance_id = e.instance_id 
                   AND i.current_execution_id = e.execution_id
                 WHERE e.status = 'Failed') as failed_instances,
                (SELECT COUNT(*)::BIGINT FROM duroxide.history) as total_events;
        END;
        $$;


ALTER FUNCTION duroxide.get_system_metrics() OWNER TO postgres;

--
-- Name: latest_execution_id(text); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.latest_execution_id(p_instance_id text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_execution_id BIGINT;
        BEGIN
            SELECT i.current_execution_id INTO v_execution_id
            FROM duroxide.instances i
            WHERE i.instance_id = p_instance_id;
            
            RETURN v_execution_id;
        END;
        $$;


ALTER FUNCTION duroxide.latest_execution_id(p_instance_id text) OWNER TO postgres;

--
-- Name: list_children(text); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.list_children(p_instance_id text) RETURNS TABLE(child_instance_id text)
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RETURN QUERY
            SELECT i.instance_id
            FROM duroxide.instances i
            WHERE i.parent_instance_id = p_instance_id
            ORDER BY i.created_at;
        END;
        $$;


ALTER FUNCTION duroxide.list_children(p_instance_id text) OWNER TO postgres;

--
-- Name: list_executions(text); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.list_executions(p_instance_id text) RETURNS TABLE(execution_id bigint)
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RETURN QUERY
            SELECT e.execution_id
            FROM duroxide.executions e
            WHERE e.instance_id = p_instance_id
            ORDER BY e.execution_id;
        END;
        $$;


ALTER FUNCTION duroxide.list_executions(p_instance_id text) OWNER TO postgres;

--
-- Name: list_instances(); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.list_instances() RETURNS TABLE(instance_id text)
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RETURN QUERY
            SELECT i.instance_id
            FROM duroxide.instances i
            ORDER BY i.created_at DESC;
        END;
        $$;


ALTER FUNCTION duroxide.list_instances() OWNER TO postgres;

--
-- Name: list_instances_by_status(text); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.list_instances_by_status(p_status text) RETURNS TABLE(instance_id text)
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RETURN QUERY
            SELECT i.instance_id
            FROM duroxide.instances i
            JOIN duroxide.executions e ON i.instance_id = e.instance_id 
              AND i.current_execution_id = e.execution_id
            WHERE e.status = p_status
            ORDER BY i.created_at DESC;
        END;
        $$;


ALTER FUNCTION duroxide.list_instances_by_status(p_status text) OWNER TO postgres;

--
-- Name: prune_executions(text, integer, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.prune_executions(p_instance_id text, p_keep_last integer DEFAULT NULL::integer, p_completed_before_ms bigint DEFAULT NULL::bigint) RETURNS TABLE(instances_processed bigint, executions_deleted bigint, events_deleted bigint)
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_current_execution_id BIGINT;
            v_executions_deleted BIGINT := 0;
            v_events_deleted BIGINT := 0;
            v_count BIGINT;
            v_exec_ids_to_delete BIGINT[];
            v_exec_id BIGINT;
        BEGIN
            SELECT i.current_execution_id INTO v_current_execution_id
            FROM duroxide.instances i
            WHERE i.instance_id = p_instance_id;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'Instance % not found', p_instance_id;
            END IF;
            SELECT array_agg(e.execution_id) INTO v_exec_ids_to_delete
            FROM duroxide.executions e
            WHERE e.instance_id = p_instance_id
AND e.execution_id != v_current_execution_id
AND e.status != 'Running'
              AND (p_completed_before_ms IS NULL 
                   OR e.completed_at < TO_TIMESTAMP(p_completed_before_ms / 1000.0))
              AND (p_keep_last IS NULL 
                   OR e.execution_id NOT IN (
                       SELECT e2.execution_id 
                       FROM duroxide.executions e2
                       WHERE e2.instance_id = p_instance_id
                       ORDER BY e2.execution_id DESC
                       LIMIT p_keep_last
                   ));
            IF v_exec_ids_to_delete IS NULL OR array_length(v_exec_ids_to_delete, 1) IS NULL THEN
                instances_processed := 1;
                executions_deleted := 0;
                events_deleted := 0;
                RETURN NEXT;
                RETURN;
            END IF;
            FOREACH v_exec_id IN ARRAY v_exec_ids_to_delete LOOP
                DELETE FROM duroxide.history h
                WHERE h.instance_id = p_instance_id
                  AND h.execution_id = v_exec_id;
                GET DIAGNOSTICS v_count = ROW_COUNT;
                v_events_deleted := v_events_deleted + v_count;
            END LOOP;
            DELETE FROM duroxide.executions e
            WHERE e.instance_id = p_instance_id
              AND e.execution_id = ANY(v_exec_ids_to_delete);
            GET DIAGNOSTICS v_count = ROW_COUNT;
            v_executions_deleted := v_count;
            instances_processed := 1;
            executions_deleted := v_executions_deleted;
            events_deleted := v_events_deleted;
            RETURN NEXT;
        END;
        $$;


ALTER FUNCTION duroxide.prune_executions(p_instance_id text, p_keep_last integer, p_completed_before_ms bigint) OWNER TO postgres;

--
-- Name: renew_orchestration_item_lock(text, bigint, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.renew_orchestration_item_lock(p_lock_token text, p_now_ms bigint, p_extend_secs bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_instance_id TEXT;
            v_now_ms BIGINT;
            v_locked_until BIGINT;
            v_rows_affected INTEGER;
        BEGIN
            SELECT il.instance_id INTO v_instance_id
            FROM duroxide.instance_locks il
            WHERE il.lock_token = p_lock_token
              AND il.locked_until > p_now_ms;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'Lock token invalid, expired, or already released';
            END IF;
            PERFORM pg_advisory_xact_lock(hashtext(v_instance_id));
            v_now_ms := GREATEST(
                p_now_ms + (EXTRACT(EPOCH FROM (clock_timestamp() - statement_timestamp())) * 1000)::BIGINT,
                (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT
            );
            SELECT GREATEST(il.locked_until, v_now_ms + (p_extend_secs * 1000))
            INTO v_locked_until
            FROM duroxide.instance_locks il
            WHERE il.instance_id = v_instance_id
              AND il.lock_token = p_lock_token
              AND il.locked_until > v_now_ms;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'Lock token invalid, expired, or already released';
            END IF;
            UPDATE duroxide.orchestrator_queue
            SET locked_until = v_locked_until
            WHERE lock_token = p_lock_token;
            UPDATE duroxide.instance_locks
            SET locked_until = v_locked_until
            WHERE instance_id = v_instance_id
              AND lock_token = p_lock_token;
            GET DIAGNOSTICS v_rows_affected = ROW_COUNT;
            IF v_rows_affected = 0 THEN
                RAISE EXCEPTION 'Lock token invalid, expired, or already released';
            END IF;
        END;
        $$;


ALTER FUNCTION duroxide.renew_orchestration_item_lock(p_lock_token text, p_now_ms bigint, p_extend_secs bigint) OWNER TO postgres;

--
-- Name: renew_session_lock(text[], bigint, bigint, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.renew_session_lock(p_owner_ids text[], p_now_ms bigint, p_extend_ms bigint, p_idle_timeout_ms bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_count BIGINT;
        BEGIN
            UPDATE duroxide.sessions SET locked_until = p_now_ms + p_extend_ms
            WHERE worker_id = ANY(p_owner_ids)
              AND locked_until > p_now_ms
              AND last_activity_at > (p_now_ms - p_idle_timeout_ms);
            GET DIAGNOSTICS v_count = ROW_COUNT;
            RETURN v_count;
        END;
        $$;


ALTER FUNCTION duroxide.renew_session_lock(p_owner_ids text[], p_now_ms bigint, p_extend_ms bigint, p_idle_timeout_ms bigint) OWNER TO postgres;

--
-- Name: renew_work_item_lock(text, bigint, bigint); Type: FUNCTION; Schema: duroxide; Owner: postgres
--

CREATE FUNCTION duroxide.renew_work_item_lock(p_lock_token text, p_now_ms bigint, p_extend_secs bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
        DECLARE
            v_locked_until BIGINT;
            v_rows_affected INTEGER;
            v_session_id TEXT;
        BEGIN
            v_locked_until := p_now_ms + (p_extend_secs * 1000);
            SELECT session_id INTO v_session_id
            FROM duroxide.worker_queue
            WHERE lock_token = p_lock_token;
            
            UPDATE duroxide.worker_queue
            SET locked_until = v_locked_until
            WHERE lock_token = p_lock_token
              AND locked_until > p_now_ms;
            
            GET DIAGNOSTICS v_rows_affected = ROW_COUNT;
            
            IF v_rows_affected = 0 THEN
                RAISE EXCEPTION 'Lock token invalid, expired, or already acked';
            END IF;
            IF v_session_id IS NOT NULL THEN
                UPDATE duroxide.sessions SET last_activity_at = p_now_ms
                WHERE session_id = v_session_id AND locked_until > p_now_ms;
            END IF;
        END;
        $$;


ALTER FUNCTION duroxide.renew_work_item_lock(p_lock_token text, p_now_ms bigint, p_extend_secs bigint) OWNER TO postgres;

--
-- Name: append_event(text, uuid, text, text, text, text, text); Type: FUNCTION; Schema: toygres; Owner: postgres
--

CREATE FUNCTION toygres.append_event(event_type text, instance uuid, operation text, from_value text, to_value text, reason_code text, reason_message text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'toygres', 'pg_temp'
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7096810441);
    INSERT INTO events (seq, type, instance_id, operation_id, from_value, to_value, reason_code, reason_message)
    VALUES (nextval('events_seq'), event_type, instance, operation, from_value, to_value, reason_code, reason_message);
    PERFORM pg_notify('toygres_events', '');
END $$;


ALTER FUNCTION toygres.append_event(event_type text, instance uuid, operation text, from_value text, to_value text, reason_code text, reason_message text) OWNER TO postgres;

--
-- Name: event_head(); Type: FUNCTION; Schema: toygres; Owner: postgres
--

CREATE FUNCTION toygres.event_head() RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'toygres', 'pg_temp'
    AS $$
    SELECT greatest((SELECT max(seq) FROM events), (SELECT seq FROM event_horizon))
$$;


ALTER FUNCTION toygres.event_head() OWNER TO postgres;

--
-- Name: event_log_head(); Type: FUNCTION; Schema: toygres; Owner: postgres
--

CREATE FUNCTION toygres.event_log_head(OUT seq bigint, OUT at timestamp with time zone) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'toygres', 'pg_temp'
    AS $$
    (SELECT seq, at FROM events ORDER BY seq DESC LIMIT 1)
    UNION ALL
    SELECT seq, at FROM event_horizon
    LIMIT 1
$$;


ALTER FUNCTION toygres.event_log_head(OUT seq bigint, OUT at timestamp with time zone) OWNER TO postgres;

--
-- Name: notify_authority_change(); Type: FUNCTION; Schema: toygres; Owner: postgres
--

CREATE FUNCTION toygres.notify_authority_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'toygres', 'pg_temp'
    AS $$
BEGIN
    PERFORM pg_notify('toygres_authorities', '');
    RETURN NULL;
END $$;


ALTER FUNCTION toygres.notify_authority_change() OWNER TO postgres;

--
-- Name: notify_backup_change(); Type: FUNCTION; Schema: toygres; Owner: postgres
--

CREATE FUNCTION toygres.notify_backup_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'toygres', 'pg_temp'
    AS $$
BEGIN
    PERFORM pg_notify('toygres_backups', '');
    RETURN NULL;
END $$;


ALTER FUNCTION toygres.notify_backup_change() OWNER TO postgres;

--
-- Name: notify_health_check(); Type: FUNCTION; Schema: toygres; Owner: postgres
--

CREATE FUNCTION toygres.notify_health_check() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'toygres', 'pg_temp'
    AS $$
BEGIN
    PERFORM pg_notify('toygres_health', NEW.instance_id::text);
    RETURN NULL;
END $$;


ALTER FUNCTION toygres.notify_health_check() OWNER TO postgres;

--
-- Name: notify_token_change(); Type: FUNCTION; Schema: toygres; Owner: postgres
--

CREATE FUNCTION toygres.notify_token_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'toygres', 'pg_temp'
    AS $$
BEGIN
    PERFORM pg_notify('toygres_tokens', '');
    RETURN NULL;
END $$;


ALTER FUNCTION toygres.notify_token_change() OWNER TO postgres;

--
-- Name: record_first_user(); Type: FUNCTION; Schema: toygres; Owner: postgres
--

CREATE FUNCTION toygres.record_first_user() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'toygres', 'pg_temp'
    AS $$
BEGIN
    INSERT INTO database_users (instance_id, name, access, database_name) VALUES (NEW.id, NEW.username, 'owner', NEW.database_name);
    INSERT INTO instance_databases (instance_id, name, owner_name) VALUES (NEW.id, NEW.database_name, NEW.username);
    RETURN NULL;
END $$;


ALTER FUNCTION toygres.record_first_user() OWNER TO postgres;

--
-- Name: record_instance_change(); Type: FUNCTION; Schema: toygres; Owner: postgres
--

CREATE FUNCTION toygres.record_instance_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'toygres', 'pg_temp'
    AS $$
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


ALTER FUNCTION toygres.record_instance_change() OWNER TO postgres;

--
-- Name: record_operation_change(); Type: FUNCTION; Schema: toygres; Owner: postgres
--

CREATE FUNCTION toygres.record_operation_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'toygres', 'pg_temp'
    AS $$
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


ALTER FUNCTION toygres.record_operation_change() OWNER TO postgres;

--
-- Name: touch_instance(); Type: FUNCTION; Schema: toygres; Owner: postgres
--

CREATE FUNCTION toygres.touch_instance() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'toygres', 'pg_temp'
    AS $$
BEGIN
    NEW.revision := OLD.revision + 1;
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;


ALTER FUNCTION toygres.touch_instance() OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: _duroxide_migrations; Type: TABLE; Schema: duroxide; Owner: postgres
--

CREATE TABLE duroxide._duroxide_migrations (
    version bigint NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);


ALTER TABLE duroxide._duroxide_migrations OWNER TO postgres;

--
-- Name: executions; Type: TABLE; Schema: duroxide; Owner: postgres
--

CREATE TABLE duroxide.executions (
    instance_id text NOT NULL,
    execution_id bigint NOT NULL,
    status text DEFAULT 'Running'::text NOT NULL,
    output text,
    started_at timestamp with time zone NOT NULL,
    completed_at timestamp with time zone,
    duroxide_version_major integer,
    duroxide_version_minor integer,
    duroxide_version_patch integer
);


ALTER TABLE duroxide.executions OWNER TO postgres;

--
-- Name: history; Type: TABLE; Schema: duroxide; Owner: postgres
--

CREATE TABLE duroxide.history (
    instance_id text NOT NULL,
    execution_id bigint NOT NULL,
    event_id bigint NOT NULL,
    event_type text NOT NULL,
    event_data text NOT NULL,
    created_at timestamp with time zone NOT NULL
);


ALTER TABLE duroxide.history OWNER TO postgres;

--
-- Name: instance_locks; Type: TABLE; Schema: duroxide; Owner: postgres
--

CREATE TABLE duroxide.instance_locks (
    instance_id text NOT NULL,
    lock_token text NOT NULL,
    locked_until bigint NOT NULL,
    locked_at bigint NOT NULL
);


ALTER TABLE duroxide.instance_locks OWNER TO postgres;

--
-- Name: instances; Type: TABLE; Schema: duroxide; Owner: postgres
--

CREATE TABLE duroxide.instances (
    instance_id text NOT NULL,
    orchestration_name text NOT NULL,
    orchestration_version text,
    current_execution_id bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    parent_instance_id text,
    custom_status text,
    custom_status_version integer DEFAULT 0 NOT NULL
);


ALTER TABLE duroxide.instances OWNER TO postgres;

--
-- Name: kv_delta; Type: TABLE; Schema: duroxide; Owner: postgres
--

CREATE TABLE duroxide.kv_delta (
    instance_id text NOT NULL,
    key text NOT NULL,
    value text,
    last_updated_at_ms bigint NOT NULL
);


ALTER TABLE duroxide.kv_delta OWNER TO postgres;

--
-- Name: kv_store; Type: TABLE; Schema: duroxide; Owner: postgres
--

CREATE TABLE duroxide.kv_store (
    instance_id text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    execution_id bigint NOT NULL,
    last_updated_at_ms bigint DEFAULT 0 NOT NULL
);


ALTER TABLE duroxide.kv_store OWNER TO postgres;

--
-- Name: orchestrator_queue; Type: TABLE; Schema: duroxide; Owner: postgres
--

CREATE TABLE duroxide.orchestrator_queue (
    id bigint NOT NULL,
    instance_id text NOT NULL,
    work_item text NOT NULL,
    visible_at timestamp with time zone NOT NULL,
    lock_token text,
    locked_until bigint,
    created_at timestamp with time zone NOT NULL,
    attempt_count integer DEFAULT 0 NOT NULL
);


ALTER TABLE duroxide.orchestrator_queue OWNER TO postgres;

--
-- Name: orchestrator_queue_id_seq; Type: SEQUENCE; Schema: duroxide; Owner: postgres
--

CREATE SEQUENCE duroxide.orchestrator_queue_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE duroxide.orchestrator_queue_id_seq OWNER TO postgres;

--
-- Name: orchestrator_queue_id_seq; Type: SEQUENCE OWNED BY; Schema: duroxide; Owner: postgres
--

ALTER SEQUENCE duroxide.orchestrator_queue_id_seq OWNED BY duroxide.orchestrator_queue.id;


--
-- Name: sessions; Type: TABLE; Schema: duroxide; Owner: postgres
--

CREATE TABLE duroxide.sessions (
    session_id text NOT NULL,
    worker_id text NOT NULL,
    locked_until bigint NOT NULL,
    last_activity_at bigint NOT NULL
);


ALTER TABLE duroxide.sessions OWNER TO postgres;

--
-- Name: worker_queue; Type: TABLE; Schema: duroxide; Owner: postgres
--

CREATE TABLE duroxide.worker_queue (
    id bigint NOT NULL,
    work_item text NOT NULL,
    visible_at timestamp with time zone NOT NULL,
    lock_token text,
    locked_until bigint,
    created_at timestamp with time zone NOT NULL,
    attempt_count integer DEFAULT 0 NOT NULL,
    instance_id text,
    execution_id bigint,
    activity_id bigint,
    session_id text,
    tag text
);


ALTER TABLE duroxide.worker_queue OWNER TO postgres;

--
-- Name: worker_queue_id_seq; Type: SEQUENCE; Schema: duroxide; Owner: postgres
--

CREATE SEQUENCE duroxide.worker_queue_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE duroxide.worker_queue_id_seq OWNER TO postgres;

--
-- Name: worker_queue_id_seq; Type: SEQUENCE OWNED BY; Schema: duroxide; Owner: postgres
--

ALTER SEQUENCE duroxide.worker_queue_id_seq OWNED BY duroxide.worker_queue.id;


--
-- Name: _sqlx_migrations; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);


ALTER TABLE toygres._sqlx_migrations OWNER TO postgres;

--
-- Name: api_tokens; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.api_tokens (
    id uuid NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT api_tokens_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'operator'::text, 'admin'::text])))
);


ALTER TABLE toygres.api_tokens OWNER TO postgres;

--
-- Name: archives; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.archives (
    id uuid NOT NULL,
    instance_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    worker_id uuid,
    owned_until timestamp with time zone,
    has_slot boolean DEFAULT false NOT NULL,
    followed boolean DEFAULT false NOT NULL,
    durable_lsn text,
    flushed_lsn text,
    durable_at timestamp with time zone,
    lag_seconds double precision,
    failure_code text,
    failure_message text,
    failing_since timestamp with time zone,
    coverage jsonb DEFAULT '{"gaps": [], "intervals": []}'::jsonb NOT NULL,
    stored_bytes bigint DEFAULT 0 NOT NULL,
    CONSTRAINT archives_check CHECK ((((failure_code IS NULL) = (failure_message IS NULL)) AND ((failure_code IS NULL) = (failing_since IS NULL))))
);


ALTER TABLE toygres.archives OWNER TO postgres;

--
-- Name: backups; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.backups (
    id uuid NOT NULL,
    instance_id uuid NOT NULL,
    archive_id uuid NOT NULL,
    status text NOT NULL,
    trigger text NOT NULL,
    operation_id text,
    object_id uuid,
    attempt integer DEFAULT 0 NOT NULL,
    bytes bigint DEFAULT 0 NOT NULL,
    total_bytes bigint,
    stored_bytes bigint,
    timeline bigint,
    start_lsn text,
    end_lsn text,
    server_version integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    error_code text,
    error_message text,
    locked boolean DEFAULT false NOT NULL,
    keep_until timestamp with time zone,
    verification text DEFAULT 'pending'::text NOT NULL,
    verification_ended_at timestamp with time zone,
    restore_seconds double precision,
    verification_code text,
    verification_message text,
    CONSTRAINT backups_check CHECK (((error_code IS NULL) = (error_message IS NULL))),
    CONSTRAINT backups_check1 CHECK (((verification_code IS NULL) = (verification_message IS NULL))),
    CONSTRAINT backups_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'running'::text, 'available'::text, 'failed'::text, 'deleting'::text]))),
    CONSTRAINT backups_trigger_check CHECK ((trigger = ANY (ARRAY['schedule'::text, 'request'::text]))),
    CONSTRAINT backups_verification_check CHECK ((verification = ANY (ARRAY['pending'::text, 'running'::text, 'verified'::text, 'failed'::text, 'skipped'::text])))
);


ALTER TABLE toygres.backups OWNER TO postgres;

--
-- Name: certificate_authorities; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.certificate_authorities (
    id uuid NOT NULL,
    certificates text NOT NULL,
    fingerprint text NOT NULL,
    sealed_key bytea,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    published_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    issues_from timestamp with time zone NOT NULL
);


ALTER TABLE toygres.certificate_authorities OWNER TO postgres;

--
-- Name: credentials; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.credentials (
    instance_id uuid NOT NULL,
    sealed_password bytea NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    pending_password bytea,
    pending_in_use boolean DEFAULT false NOT NULL,
    former_verifier bytea,
    CONSTRAINT credentials_check CHECK (((pending_password IS NOT NULL) OR (NOT pending_in_use)))
);


ALTER TABLE toygres.credentials OWNER TO postgres;

--
-- Name: database_users; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.database_users (
    instance_id uuid NOT NULL,
    name text NOT NULL,
    access text NOT NULL,
    database_name text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT database_users_access_check CHECK ((access = ANY (ARRAY['owner'::text, 'read_only'::text])))
);


ALTER TABLE toygres.database_users OWNER TO postgres;

--
-- Name: event_horizon; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.event_horizon (
    one boolean DEFAULT true NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT event_horizon_one_check CHECK (one)
);


ALTER TABLE toygres.event_horizon OWNER TO postgres;

--
-- Name: events; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.events (
    seq bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    type text NOT NULL,
    instance_id uuid NOT NULL,
    operation_id text,
    from_value text,
    to_value text,
    reason_code text,
    reason_message text,
    CONSTRAINT events_type_check CHECK ((type = ANY (ARRAY['instance_created'::text, 'state_changed'::text, 'health_changed'::text, 'instance_updated'::text, 'instance_repaired'::text, 'operation_created'::text, 'operation_changed'::text, 'operation_progressed'::text])))
);


ALTER TABLE toygres.events OWNER TO postgres;

--
-- Name: events_seq; Type: SEQUENCE; Schema: toygres; Owner: postgres
--

CREATE SEQUENCE toygres.events_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE toygres.events_seq OWNER TO postgres;

--
-- Name: events_seq; Type: SEQUENCE OWNED BY; Schema: toygres; Owner: postgres
--

ALTER SEQUENCE toygres.events_seq OWNED BY toygres.events.seq;


--
-- Name: health_checks; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.health_checks (
    id bigint NOT NULL,
    instance_id uuid NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    status text NOT NULL,
    latency_us bigint,
    error_code text,
    error_message text,
    CONSTRAINT health_checks_status_check CHECK ((status = ANY (ARRAY['healthy'::text, 'unhealthy'::text, 'unknown'::text])))
);


ALTER TABLE toygres.health_checks OWNER TO postgres;

--
-- Name: health_checks_id_seq; Type: SEQUENCE; Schema: toygres; Owner: postgres
--

ALTER TABLE toygres.health_checks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME toygres.health_checks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: instance_activity; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.instance_activity (
    instance_id uuid NOT NULL,
    sessions text NOT NULL,
    active_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE toygres.instance_activity OWNER TO postgres;

--
-- Name: instance_certificates; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.instance_certificates (
    instance_id uuid NOT NULL,
    authority_id uuid NOT NULL,
    chain text NOT NULL,
    sealed_key bytea NOT NULL,
    fingerprint text NOT NULL,
    names text[] NOT NULL,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    presented_fingerprint text,
    presented_authority_id uuid,
    presented_not_after timestamp with time zone,
    requires_tls boolean
);


ALTER TABLE toygres.instance_certificates OWNER TO postgres;

--
-- Name: instance_databases; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.instance_databases (
    instance_id uuid NOT NULL,
    name text NOT NULL,
    owner_name text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


ALTER TABLE toygres.instance_databases OWNER TO postgres;

--
-- Name: instance_volumes; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.instance_volumes (
    instance_id uuid NOT NULL,
    volume_id text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE toygres.instance_volumes OWNER TO postgres;

--
-- Name: instances; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.instances (
    id uuid NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    health_status text DEFAULT 'unknown'::text NOT NULL,
    reason_code text,
    reason_message text,
    postgres_version integer NOT NULL,
    storage_gb integer NOT NULL,
    cpu_millis integer NOT NULL,
    memory_mb integer NOT NULL,
    username text NOT NULL,
    database_name text NOT NULL,
    exposure jsonb NOT NULL,
    health_interval_seconds integer NOT NULL,
    health_timeout_seconds integer NOT NULL,
    endpoint_host text,
    endpoint_port integer,
    connection_string text,
    health_generation bigint DEFAULT 0 NOT NULL,
    health_check_orchestration_id text,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    deletion_protected boolean DEFAULT false NOT NULL,
    operation_count bigint DEFAULT 0 NOT NULL,
    revision bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    notices jsonb DEFAULT '[]'::jsonb NOT NULL,
    require_tls boolean DEFAULT false NOT NULL,
    idle_suspend_minutes integer,
    parameters jsonb DEFAULT '{}'::jsonb NOT NULL,
    backups_enabled boolean,
    backup_interval_hours integer,
    backup_retention_days integer,
    CONSTRAINT instances_backup_interval_hours_check CHECK ((backup_interval_hours > 0)),
    CONSTRAINT instances_backup_retention_days_check CHECK ((backup_retention_days >= 0)),
    CONSTRAINT instances_check CHECK (((reason_code IS NULL) = (reason_message IS NULL))),
    CONSTRAINT instances_check1 CHECK (((endpoint_host IS NULL) = (endpoint_port IS NULL))),
    CONSTRAINT instances_check2 CHECK (((state = 'deleted'::text) = (deleted_at IS NOT NULL))),
    CONSTRAINT instances_cpu_millis_check CHECK ((cpu_millis > 0)),
    CONSTRAINT instances_endpoint_port_check CHECK (((endpoint_port >= 1) AND (endpoint_port <= 65535))),
    CONSTRAINT instances_health_interval_seconds_check CHECK ((health_interval_seconds > 0)),
    CONSTRAINT instances_health_status_check CHECK ((health_status = ANY (ARRAY['healthy'::text, 'unhealthy'::text, 'unknown'::text]))),
    CONSTRAINT instances_health_timeout_seconds_check CHECK ((health_timeout_seconds > 0)),
    CONSTRAINT instances_idle_suspend_minutes_check CHECK ((idle_suspend_minutes > 0)),
    CONSTRAINT instances_memory_mb_check CHECK ((memory_mb > 0)),
    CONSTRAINT instances_state_check CHECK ((state = ANY (ARRAY['creating'::text, 'running'::text, 'updating'::text, 'suspended'::text, 'deleting'::text, 'deleted'::text, 'failed'::text]))),
    CONSTRAINT instances_storage_gb_check CHECK ((storage_gb > 0))
);


ALTER TABLE toygres.instances OWNER TO postgres;

--
-- Name: new_user_verifiers; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.new_user_verifiers (
    instance_id uuid NOT NULL,
    sealed_verifier bytea NOT NULL
);


ALTER TABLE toygres.new_user_verifiers OWNER TO postgres;

--
-- Name: operations; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.operations (
    id text NOT NULL,
    instance_id uuid NOT NULL,
    kind text NOT NULL,
    params jsonb NOT NULL,
    excludes boolean NOT NULL,
    run integer DEFAULT 1 NOT NULL,
    engine_id text NOT NULL,
    status text NOT NULL,
    steps jsonb NOT NULL,
    error_code text,
    error_message text,
    cancel_requested boolean DEFAULT false NOT NULL,
    idempotency_key text,
    input_digest bytea,
    requested_by text,
    former_state text,
    deadline timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    dispatched_at timestamp with time zone,
    finished_at timestamp with time zone,
    CONSTRAINT operations_check CHECK (((error_code IS NULL) = (error_message IS NULL))),
    CONSTRAINT operations_check1 CHECK (((status = ANY (ARRAY['succeeded'::text, 'failed'::text, 'cancelled'::text])) = (finished_at IS NOT NULL))),
    CONSTRAINT operations_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text])))
);


ALTER TABLE toygres.operations OWNER TO postgres;

--
-- Name: platform_passwords; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.platform_passwords (
    instance_id uuid NOT NULL,
    role text NOT NULL,
    sealed_password bytea NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE toygres.platform_passwords OWNER TO postgres;

--
-- Name: revoked_authorities; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.revoked_authorities (
    public_key text NOT NULL,
    revoked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


ALTER TABLE toygres.revoked_authorities OWNER TO postgres;

--
-- Name: runtime_host; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.runtime_host (
    one boolean DEFAULT true NOT NULL,
    id text,
    description text,
    CONSTRAINT runtime_host_one_check CHECK (one)
);


ALTER TABLE toygres.runtime_host OWNER TO postgres;

--
-- Name: worker_heartbeat; Type: TABLE; Schema: toygres; Owner: postgres
--

CREATE TABLE toygres.worker_heartbeat (
    one boolean DEFAULT true NOT NULL,
    at timestamp with time zone,
    machine text,
    machine_at timestamp with time zone,
    CONSTRAINT worker_heartbeat_one_check CHECK (one)
);


ALTER TABLE toygres.worker_heartbeat OWNER TO postgres;

--
-- Name: orchestrator_queue id; Type: DEFAULT; Schema: duroxide; Owner: postgres
--

ALTER TABLE ONLY duroxide.orchestrator_queue ALTER COLUMN id SET DEFAULT nextval('duroxide.orchestrator_queue_id_seq'::regclass);


--
-- Name: worker_queue id; Type: DEFAULT; Schema: duroxide; Owner: postgres
--

ALTER TABLE ONLY duroxide.worker_queue ALTER COLUMN id SET DEFAULT nextval('duroxide.worker_queue_id_seq'::regclass);


--
-- Data for Name: _duroxide_migrations; Type: TABLE DATA; Schema: duroxide; Owner: postgres
--

INSERT INTO duroxide._duroxide_migrations VALUES (1, '0001_initial_schema.sql', '2026-11-29 20:15:58.131277+00');
INSERT INTO duroxide._duroxide_migrations VALUES (2, '0002_create_stored_procedures.sql', '2026-11-29 20:15:58.22008+00');
INSERT INTO duroxide._duroxide_migrations VALUES (3, '0003_add_attempt_count.sql', '2026-11-29 20:15:58.273401+00');
INSERT INTO duroxide._duroxide_migrations VALUES (4, '0004_update_stored_procedures_for_attempt_count.sql', '2026-11-29 20:15:58.277585+00');
INSERT INTO duroxide._duroxide_migrations VALUES (5, '0005_add_visible_at_to_worker_queue.sql', '2026-11-29 20:15:58.289971+00');
INSERT INTO duroxide._duroxide_migrations VALUES (6, '0006_use_rust_timestamps.sql', '2026-11-29 20:15:58.29645+00');
INSERT INTO duroxide._duroxide_migrations VALUES (7, '0007_add_execution_state_support.sql', '2026-11-29 20:15:58.302694+00');
INSERT INTO duroxide._duroxide_migrations VALUES (8, '0008_remove_execution_state.sql', '2026-11-29 20:15:58.307888+00');
INSERT INTO duroxide._duroxide_migrations VALUES (9, '0009_add_activity_cancellation_support.sql', '2026-11-29 20:15:58.311436+00');
INSERT INTO duroxide._duroxide_migrations VALUES (10, '0010_add_deletion_and_pruning_support.sql', '2026-11-29 20:15:58.342804+00');
INSERT INTO duroxide._duroxide_migrations VALUES (11, '0011_fix_cancellation_ordering.sql', '2026-11-29 20:15:58.35703+00');
INSERT INTO duroxide._duroxide_migrations VALUES (12, '0012_require_timestamps.sql', '2026-11-29 20:15:58.368297+00');
INSERT INTO duroxide._duroxide_migrations VALUES (13, '0013_add_capability_filtering.sql', '2026-11-29 20:15:58.373214+00');
INSERT INTO duroxide._duroxide_migrations VALUES (14, '0014_add_session_support.sql', '2026-11-29 20:15:58.3775+00');
INSERT INTO duroxide._duroxide_migrations VALUES (15, '0015_add_custom_status.sql', '2026-11-29 20:15:58.38876+00');
INSERT INTO duroxide._duroxide_migrations VALUES (16, '0016_add_activity_tags.sql', '2026-11-29 20:15:58.392779+00');
INSERT INTO duroxide._duroxide_migrations VALUES (17, '0017_retry_orchestration_fetch_on_contention.sql', '2026-11-29 20:15:58.410391+00');
INSERT INTO duroxide._duroxide_migrations VALUES (18, '0018_add_kv_store.sql', '2026-11-29 20:15:58.412733+00');
INSERT INTO duroxide._duroxide_migrations VALUES (19, '0019_add_kv_last_updated.sql', '2026-11-29 20:15:58.421792+00');
INSERT INTO duroxide._duroxide_migrations VALUES (20, '0020_add_kv_delta.sql', '2026-11-29 20:15:58.431509+00');
INSERT INTO duroxide._duroxide_migrations VALUES (21, '0021_add_get_instance_stats.sql', '2026-11-29 20:15:58.447419+00');
INSERT INTO duroxide._duroxide_migrations VALUES (23, '0023_partial_secondary_indexes.sql', '2026-11-29 20:15:58.452599+00');
INSERT INTO duroxide._duroxide_migrations VALUES (25, '0025_fetch_orchestration_lease_at_claim.sql', '2026-11-29 20:15:58.459265+00');
INSERT INTO duroxide._duroxide_migrations VALUES (26, '0026_serialize_orchestration_lock_mutations.sql', '2026-11-29 20:15:58.461422+00');


--
-- Data for Name: executions; Type: TABLE DATA; Schema: duroxide; Owner: postgres
--

INSERT INTO duroxide.executions VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 'Completed', 'finished', '2026-11-29 20:15:58.74+00', '2026-11-29 20:16:05.903+00', 0, 1, 32);
INSERT INTO duroxide.executions VALUES ('monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 'Completed', 'finished', '2026-11-29 20:15:58.716+00', '2026-11-29 20:16:06+00', 0, 1, 32);
INSERT INTO duroxide.executions VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 'Failed', 'canceled: the instance is being deleted', '2026-11-29 20:16:05.91+00', '2026-11-29 20:16:06.32+00', 0, 1, 32);
INSERT INTO duroxide.executions VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 'Completed', 'finished', '2026-11-29 20:16:06.217+00', '2026-11-29 20:16:07.306+00', 0, 1, 32);
INSERT INTO duroxide.executions VALUES ('monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', 1, 'Completed', 'finished', '2026-11-29 20:16:06.214+00', '2026-11-29 20:16:07.373+00', 0, 1, 32);
INSERT INTO duroxide.executions VALUES ('monitor-create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1', 1, 'Running', NULL, '2026-11-29 20:16:07.791+00', NULL, 0, 1, 32);
INSERT INTO duroxide.executions VALUES ('create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1', 1, 'Running', NULL, '2026-11-29 20:16:07.798+00', NULL, 0, 1, 32);


--
-- Data for Name: history; Type: TABLE DATA; Schema: duroxide; Owner: postgres
--

INSERT INTO duroxide.history VALUES ('monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 1, 'Event', '{"event_id":1,"source_event_id":null,"instance_id":"monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983358715,"duroxide_version":"0.1.32","type":"OrchestrationStarted","name":"toygres-workflows::orchestration::monitor-operation","version":"1.0.0","input":"{\"operation\":\"create-01a228f3-3a57-73fc-8515-25131e87fe40-1\"}","parent_instance":null,"parent_id":null}', '2026-11-29 20:15:58.716+00');
INSERT INTO duroxide.history VALUES ('monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 2, 'Event', '{"event_id":2,"source_event_id":null,"instance_id":"monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983358715,"duroxide_version":"0.1.32","type":"ExternalSubscribedPersistent","name":"nudge"}', '2026-11-29 20:15:58.716+00');
INSERT INTO duroxide.history VALUES ('monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 3, 'Event', '{"event_id":3,"source_event_id":null,"instance_id":"monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983358715,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983388715}', '2026-11-29 20:15:58.716+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 1, 'Event', '{"event_id":1,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983358740,"duroxide_version":"0.1.32","type":"OrchestrationStarted","name":"toygres-workflows::orchestration::create-instance","version":"1.0.0","input":"{\"operation\":\"create-01a228f3-3a57-73fc-8515-25131e87fe40-1\",\"run\":1}","parent_instance":null,"parent_id":null}', '2026-11-29 20:15:58.74+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 2, 'Event', '{"event_id":2,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983358740,"duroxide_version":"0.1.32","type":"ActivityScheduled","name":"toygres-workflows::activity::deploy-postgres","input":"{\"operation\":\"create-01a228f3-3a57-73fc-8515-25131e87fe40-1\",\"run\":1}"}', '2026-11-29 20:15:58.74+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 3, 'Event', '{"event_id":3,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983358740,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983478740}', '2026-11-29 20:15:58.74+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 4, 'Event', '{"event_id":4,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983363964,"duroxide_version":"0.1.32","type":"ExternalEventPersistent","name":"nudge","data":""}', '2026-11-29 20:16:03.964+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 5, 'Event', '{"event_id":5,"source_event_id":2,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983364073,"duroxide_version":"0.1.32","type":"ActivityCompleted","result":"null"}', '2026-11-29 20:16:04.073+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 6, 'Event', '{"event_id":6,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983364073,"duroxide_version":"0.1.32","type":"ActivityScheduled","name":"toygres-workflows::activity::get-instance-status","input":"{\"operation\":\"create-01a228f3-3a57-73fc-8515-25131e87fe40-1\",\"run\":1}"}', '2026-11-29 20:16:04.073+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 7, 'Event', '{"event_id":7,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983364073,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983484073}', '2026-11-29 20:16:04.073+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 8, 'Event', '{"event_id":8,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983364284,"duroxide_version":"0.1.32","type":"ExternalEventPersistent","name":"nudge","data":""}', '2026-11-29 20:16:04.285+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 9, 'Event', '{"event_id":9,"source_event_id":6,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983364393,"duroxide_version":"0.1.32","type":"ActivityCompleted","result":"{\"ready\":{\"host\":\"127.0.0.1\",\"port\":31596}}"}', '2026-11-29 20:16:04.394+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 10, 'Event', '{"event_id":10,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983364394,"duroxide_version":"0.1.32","type":"ActivityScheduled","name":"toygres-workflows::activity::generate-connection-string","input":"{\"run\":{\"operation\":\"create-01a228f3-3a57-73fc-8515-25131e87fe40-1\",\"run\":1},\"endpoint\":{\"host\":\"127.0.0.1\",\"port\":31596}}"}', '2026-11-29 20:16:04.394+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 11, 'Event', '{"event_id":11,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983364394,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983484394}', '2026-11-29 20:16:04.394+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 12, 'Event', '{"event_id":12,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983364399,"duroxide_version":"0.1.32","type":"ExternalEventPersistent","name":"nudge","data":""}', '2026-11-29 20:16:04.399+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 13, 'Event', '{"event_id":13,"source_event_id":10,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983365787,"duroxide_version":"0.1.32","type":"ActivityCompleted","result":"\"postgresql://app@127.0.0.1:31596/app\""}', '2026-11-29 20:16:05.787+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 14, 'Event', '{"event_id":14,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983365787,"duroxide_version":"0.1.32","type":"ActivityScheduled","name":"toygres-workflows::activity::update-metadata","input":"{\"run\":{\"operation\":\"create-01a228f3-3a57-73fc-8515-25131e87fe40-1\",\"run\":1},\"outcome\":{\"succeeded\":{\"endpoint\":{\"host\":\"127.0.0.1\",\"port\":31596},\"connection_string\":\"postgresql://app@127.0.0.1:31596/app\"}}}"}', '2026-11-29 20:16:05.787+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 15, 'Event', '{"event_id":15,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983365787,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983395787}', '2026-11-29 20:16:05.787+00');
INSERT INTO duroxide.history VALUES ('monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 4, 'Event', '{"event_id":4,"source_event_id":null,"instance_id":"monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983365899,"duroxide_version":"0.1.32","type":"ExternalEventPersistent","name":"nudge","data":""}', '2026-11-29 20:16:05.9+00');
INSERT INTO duroxide.history VALUES ('monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', 1, 4, 'Event', '{"event_id":4,"source_event_id":null,"instance_id":"monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2","execution_id":1,"timestamp_ms":1795983367281,"duroxide_version":"0.1.32","type":"ExternalEventPersistent","name":"nudge","data":""}', '2026-11-29 20:16:07.281+00');
INSERT INTO duroxide.history VALUES ('monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 5, 'Event', '{"event_id":5,"source_event_id":null,"instance_id":"monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983365900,"duroxide_version":"0.1.32","type":"ActivityScheduled","name":"toygres-workflows::activity::settle-operation","input":"\"create-01a228f3-3a57-73fc-8515-25131e87fe40-1\""}', '2026-11-29 20:16:05.9+00');
INSERT INTO duroxide.history VALUES ('monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 6, 'Event', '{"event_id":6,"source_event_id":null,"instance_id":"monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983365900,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983395900}', '2026-11-29 20:16:05.9+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 16, 'Event', '{"event_id":16,"source_event_id":14,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983365903,"duroxide_version":"0.1.32","type":"ActivityCompleted","result":"{\"health_check\":{\"instance\":\"01a228f3-3a57-73fc-8515-25131e87fe40\",\"workflow\":\"health-01a228f3-3a57-73fc-8515-25131e87fe40-1\",\"wait_ms\":0,\"due_ms\":1795983365895,\"failures\":0,\"iterations\":9}}"}', '2026-11-29 20:16:05.903+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 17, 'Event', '{"event_id":17,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983365903,"duroxide_version":"0.1.32","type":"OrchestrationChained","name":"toygres-workflows::orchestration::health-check","instance":"health-01a228f3-3a57-73fc-8515-25131e87fe40-1","input":"{\"instance\":\"01a228f3-3a57-73fc-8515-25131e87fe40\",\"workflow\":\"health-01a228f3-3a57-73fc-8515-25131e87fe40-1\",\"wait_ms\":0,\"due_ms\":1795983365895,\"failures\":0,\"iterations\":9}"}', '2026-11-29 20:16:05.903+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 1, 18, 'Event', '{"event_id":18,"source_event_id":null,"instance_id":"create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1","execution_id":1,"timestamp_ms":1795983365903,"duroxide_version":"0.1.32","type":"OrchestrationCompleted","output":"finished"}', '2026-11-29 20:16:05.903+00');
INSERT INTO duroxide.history VALUES ('monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 7, 'Event', '{"event_id":7,"source_event_id":5,"instance_id":"monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983366000,"duroxide_version":"0.1.32","type":"ActivityCompleted","result":"\"finished\""}', '2026-11-29 20:16:06+00');
INSERT INTO duroxide.history VALUES ('monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 8, 'Event', '{"event_id":8,"source_event_id":null,"instance_id":"monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983366000,"duroxide_version":"0.1.32","type":"OrchestrationCompleted","output":"finished"}', '2026-11-29 20:16:06+00');
INSERT INTO duroxide.history VALUES ('monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', 1, 1, 'Event', '{"event_id":1,"source_event_id":null,"instance_id":"monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2","execution_id":1,"timestamp_ms":1795983366214,"duroxide_version":"0.1.32","type":"OrchestrationStarted","name":"toygres-workflows::orchestration::monitor-operation","version":"1.0.0","input":"{\"operation\":\"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2\"}","parent_instance":null,"parent_id":null}', '2026-11-29 20:16:06.214+00');
INSERT INTO duroxide.history VALUES ('monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', 1, 2, 'Event', '{"event_id":2,"source_event_id":null,"instance_id":"monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2","execution_id":1,"timestamp_ms":1795983366214,"duroxide_version":"0.1.32","type":"ExternalSubscribedPersistent","name":"nudge"}', '2026-11-29 20:16:06.214+00');
INSERT INTO duroxide.history VALUES ('monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', 1, 3, 'Event', '{"event_id":3,"source_event_id":null,"instance_id":"monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2","execution_id":1,"timestamp_ms":1795983366214,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983396214}', '2026-11-29 20:16:06.214+00');
INSERT INTO duroxide.history VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 9, 'Event', '{"event_id":9,"source_event_id":null,"instance_id":"health-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983366320,"duroxide_version":"0.1.32","type":"OrchestrationCancelRequested","reason":"the instance is being deleted"}', '2026-11-29 20:16:06.32+00');
INSERT INTO duroxide.history VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 10, 'Event', '{"event_id":10,"source_event_id":7,"instance_id":"health-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983366320,"duroxide_version":"0.1.32","type":"ExternalSubscribedPersistentCancelled","reason":"orchestration_terminal"}', '2026-11-29 20:16:06.32+00');
INSERT INTO duroxide.history VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 11, 'Event', '{"event_id":11,"source_event_id":null,"instance_id":"health-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983366320,"duroxide_version":"0.1.32","type":"OrchestrationFailed","details":{"Application":{"kind":{"Cancelled":{"reason":"the instance is being deleted"}},"message":"","retryable":false}}}', '2026-11-29 20:16:06.32+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 7, 'Event', '{"event_id":7,"source_event_id":null,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983366544,"duroxide_version":"0.1.32","type":"ExternalEventPersistent","name":"nudge","data":""}', '2026-11-29 20:16:06.544+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 8, 'Event', '{"event_id":8,"source_event_id":null,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983366647,"duroxide_version":"0.1.32","type":"ExternalEventPersistent","name":"nudge","data":""}', '2026-11-29 20:16:06.647+00');
INSERT INTO duroxide.history VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 1, 'Event', '{"event_id":1,"source_event_id":null,"instance_id":"health-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983365910,"duroxide_version":"0.1.32","type":"OrchestrationStarted","name":"toygres-workflows::orchestration::health-check","version":"1.0.0","input":"{\"instance\":\"01a228f3-3a57-73fc-8515-25131e87fe40\",\"workflow\":\"health-01a228f3-3a57-73fc-8515-25131e87fe40-1\",\"wait_ms\":0,\"due_ms\":1795983365895,\"failures\":0,\"iterations\":9}","parent_instance":null,"parent_id":null}', '2026-11-29 20:16:05.91+00');
INSERT INTO duroxide.history VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 2, 'Event', '{"event_id":2,"source_event_id":null,"instance_id":"health-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983365910,"duroxide_version":"0.1.32","type":"ActivityScheduled","name":"toygres-workflows::activity::health-check","input":"{\"instance\":\"01a228f3-3a57-73fc-8515-25131e87fe40\",\"workflow\":\"health-01a228f3-3a57-73fc-8515-25131e87fe40-1\",\"failures\":0,\"death\":null,\"due_ms\":1795983365895}"}', '2026-11-29 20:16:05.91+00');
INSERT INTO duroxide.history VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 3, 'Event', '{"event_id":3,"source_event_id":2,"instance_id":"health-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983366014,"duroxide_version":"0.1.32","type":"ActivityCompleted","result":"{\"checked\":{\"wait_ms\":18518,\"due_ms\":1795983384528,\"failures\":0,\"change\":{\"health\":\"healthy\",\"reason\":null,\"moved_to\":null,\"operation_count\":1}}}"}', '2026-11-29 20:16:06.015+00');
INSERT INTO duroxide.history VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 4, 'Event', '{"event_id":4,"source_event_id":null,"instance_id":"health-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983366015,"duroxide_version":"0.1.32","type":"ActivityScheduled","name":"toygres-workflows::activity::update-health","input":"{\"instance\":\"01a228f3-3a57-73fc-8515-25131e87fe40\",\"workflow\":\"health-01a228f3-3a57-73fc-8515-25131e87fe40-1\",\"change\":{\"health\":\"healthy\",\"reason\":null,\"moved_to\":null,\"operation_count\":1}}"}', '2026-11-29 20:16:06.015+00');
INSERT INTO duroxide.history VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 5, 'Event', '{"event_id":5,"source_event_id":null,"instance_id":"health-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983366015,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983396015}', '2026-11-29 20:16:06.015+00');
INSERT INTO duroxide.history VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 6, 'Event', '{"event_id":6,"source_event_id":4,"instance_id":"health-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983366107,"duroxide_version":"0.1.32","type":"ActivityCompleted","result":"null"}', '2026-11-29 20:16:06.107+00');
INSERT INTO duroxide.history VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 7, 'Event', '{"event_id":7,"source_event_id":null,"instance_id":"health-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983366107,"duroxide_version":"0.1.32","type":"ExternalSubscribedPersistent","name":"nudge"}', '2026-11-29 20:16:06.107+00');
INSERT INTO duroxide.history VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 1, 8, 'Event', '{"event_id":8,"source_event_id":null,"instance_id":"health-01a228f3-3a57-73fc-8515-25131e87fe40-1","execution_id":1,"timestamp_ms":1795983366107,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983384625}', '2026-11-29 20:16:06.107+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 9, 'Event', '{"event_id":9,"source_event_id":5,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983367177,"duroxide_version":"0.1.32","type":"ActivityCompleted","result":"{\"progress\":\"done\"}"}', '2026-11-29 20:16:07.178+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 10, 'Event', '{"event_id":10,"source_event_id":null,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983367177,"duroxide_version":"0.1.32","type":"ActivityScheduled","name":"toygres-workflows::activity::update-metadata","input":"{\"run\":{\"operation\":\"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2\",\"run\":1},\"outcome\":{\"succeeded\":null}}"}', '2026-11-29 20:16:07.178+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 11, 'Event', '{"event_id":11,"source_event_id":null,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983367177,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983397177}', '2026-11-29 20:16:07.178+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 12, 'Event', '{"event_id":12,"source_event_id":10,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983367306,"duroxide_version":"0.1.32","type":"ActivityCompleted","result":"{\"health_check\":null}"}', '2026-11-29 20:16:07.306+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 13, 'Event', '{"event_id":13,"source_event_id":null,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983367306,"duroxide_version":"0.1.32","type":"OrchestrationCompleted","output":"finished"}', '2026-11-29 20:16:07.306+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 1, 'Event', '{"event_id":1,"source_event_id":null,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983366216,"duroxide_version":"0.1.32","type":"OrchestrationStarted","name":"toygres-workflows::orchestration::delete-instance","version":"1.0.0","input":"{\"operation\":\"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2\",\"run\":1}","parent_instance":null,"parent_id":null}', '2026-11-29 20:16:06.217+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 2, 'Event', '{"event_id":2,"source_event_id":null,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983366216,"duroxide_version":"0.1.32","type":"ActivityScheduled","name":"toygres-workflows::activity::stop-workflows","input":"{\"operation\":\"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2\",\"run\":1}"}', '2026-11-29 20:16:06.217+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 3, 'Event', '{"event_id":3,"source_event_id":null,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983366216,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983396216}', '2026-11-29 20:16:06.217+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 4, 'Event', '{"event_id":4,"source_event_id":2,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983366325,"duroxide_version":"0.1.32","type":"ActivityCompleted","result":"null"}', '2026-11-29 20:16:06.325+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 5, 'Event', '{"event_id":5,"source_event_id":null,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983366325,"duroxide_version":"0.1.32","type":"ActivityScheduled","name":"toygres-workflows::activity::delete-postgres","input":"{\"run\":{\"operation\":\"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2\",\"run\":1},\"clean_up\":false}"}', '2026-11-29 20:16:06.325+00');
INSERT INTO duroxide.history VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 1, 6, 'Event', '{"event_id":6,"source_event_id":null,"instance_id":"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1","execution_id":1,"timestamp_ms":1795983366325,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983486325}', '2026-11-29 20:16:06.325+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1', 1, 1, 'Event', '{"event_id":1,"source_event_id":null,"instance_id":"create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1","execution_id":1,"timestamp_ms":1795983367795,"duroxide_version":"0.1.32","type":"OrchestrationStarted","name":"toygres-workflows::orchestration::create-instance","version":"1.0.0","input":"{\"operation\":\"create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1\",\"run\":1}","parent_instance":null,"parent_id":null}', '2026-11-29 20:16:07.798+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1', 1, 2, 'Event', '{"event_id":2,"source_event_id":null,"instance_id":"create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1","execution_id":1,"timestamp_ms":1795983367795,"duroxide_version":"0.1.32","type":"ActivityScheduled","name":"toygres-workflows::activity::deploy-postgres","input":"{\"operation\":\"create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1\",\"run\":1}"}', '2026-11-29 20:16:07.798+00');
INSERT INTO duroxide.history VALUES ('create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1', 1, 3, 'Event', '{"event_id":3,"source_event_id":null,"instance_id":"create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1","execution_id":1,"timestamp_ms":1795983367795,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983487795}', '2026-11-29 20:16:07.798+00');
INSERT INTO duroxide.history VALUES ('monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', 1, 5, 'Event', '{"event_id":5,"source_event_id":null,"instance_id":"monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2","execution_id":1,"timestamp_ms":1795983367281,"duroxide_version":"0.1.32","type":"ActivityScheduled","name":"toygres-workflows::activity::settle-operation","input":"\"delete-01a228f3-3a57-73fc-8515-25131e87fe40-2\""}', '2026-11-29 20:16:07.281+00');
INSERT INTO duroxide.history VALUES ('monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', 1, 6, 'Event', '{"event_id":6,"source_event_id":null,"instance_id":"monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2","execution_id":1,"timestamp_ms":1795983367281,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983397281}', '2026-11-29 20:16:07.281+00');
INSERT INTO duroxide.history VALUES ('monitor-create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1', 1, 1, 'Event', '{"event_id":1,"source_event_id":null,"instance_id":"monitor-create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1","execution_id":1,"timestamp_ms":1795983367791,"duroxide_version":"0.1.32","type":"OrchestrationStarted","name":"toygres-workflows::orchestration::monitor-operation","version":"1.0.0","input":"{\"operation\":\"create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1\"}","parent_instance":null,"parent_id":null}', '2026-11-29 20:16:07.791+00');
INSERT INTO duroxide.history VALUES ('monitor-create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1', 1, 2, 'Event', '{"event_id":2,"source_event_id":null,"instance_id":"monitor-create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1","execution_id":1,"timestamp_ms":1795983367791,"duroxide_version":"0.1.32","type":"ExternalSubscribedPersistent","name":"nudge"}', '2026-11-29 20:16:07.791+00');
INSERT INTO duroxide.history VALUES ('monitor-create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1', 1, 3, 'Event', '{"event_id":3,"source_event_id":null,"instance_id":"monitor-create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1","execution_id":1,"timestamp_ms":1795983367791,"duroxide_version":"0.1.32","type":"TimerCreated","fire_at_ms":1795983397791}', '2026-11-29 20:16:07.791+00');
INSERT INTO duroxide.history VALUES ('monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', 1, 7, 'Event', '{"event_id":7,"source_event_id":5,"instance_id":"monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2","execution_id":1,"timestamp_ms":1795983367372,"duroxide_version":"0.1.32","type":"ActivityCompleted","result":"\"finished\""}', '2026-11-29 20:16:07.373+00');
INSERT INTO duroxide.history VALUES ('monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', 1, 8, 'Event', '{"event_id":8,"source_event_id":null,"instance_id":"monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2","execution_id":1,"timestamp_ms":1795983367372,"duroxide_version":"0.1.32","type":"OrchestrationCompleted","output":"finished"}', '2026-11-29 20:16:07.373+00');


--
-- Data for Name: instance_locks; Type: TABLE DATA; Schema: duroxide; Owner: postgres
--



--
-- Data for Name: instances; Type: TABLE DATA; Schema: duroxide; Owner: postgres
--

INSERT INTO duroxide.instances VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 'toygres-workflows::orchestration::create-instance', '1.0.0', 1, '2026-11-29 20:15:58.74+00', '2026-11-29 20:16:05.903+00', NULL, NULL, 0);
INSERT INTO duroxide.instances VALUES ('monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1', 'toygres-workflows::orchestration::monitor-operation', '1.0.0', 1, '2026-11-29 20:15:58.716+00', '2026-11-29 20:16:06+00', NULL, NULL, 0);
INSERT INTO duroxide.instances VALUES ('health-01a228f3-3a57-73fc-8515-25131e87fe40-1', 'toygres-workflows::orchestration::health-check', '1.0.0', 1, '2026-11-29 20:16:05.91+00', '2026-11-29 20:16:06.32+00', NULL, NULL, 0);
INSERT INTO duroxide.instances VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 'toygres-workflows::orchestration::delete-instance', '1.0.0', 1, '2026-11-29 20:16:06.217+00', '2026-11-29 20:16:07.306+00', NULL, NULL, 0);
INSERT INTO duroxide.instances VALUES ('monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', 'toygres-workflows::orchestration::monitor-operation', '1.0.0', 1, '2026-11-29 20:16:06.214+00', '2026-11-29 20:16:07.373+00', NULL, NULL, 0);
INSERT INTO duroxide.instances VALUES ('monitor-create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1', 'toygres-workflows::orchestration::monitor-operation', '1.0.0', 1, '2026-11-29 20:16:07.791+00', '2026-11-29 20:16:07.791+00', NULL, NULL, 0);
INSERT INTO duroxide.instances VALUES ('create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1', 'toygres-workflows::orchestration::create-instance', '1.0.0', 1, '2026-11-29 20:16:07.798+00', '2026-11-29 20:16:07.798+00', NULL, NULL, 0);


--
-- Data for Name: kv_delta; Type: TABLE DATA; Schema: duroxide; Owner: postgres
--



--
-- Data for Name: kv_store; Type: TABLE DATA; Schema: duroxide; Owner: postgres
--



--
-- Data for Name: orchestrator_queue; Type: TABLE DATA; Schema: duroxide; Owner: postgres
--

INSERT INTO duroxide.orchestrator_queue VALUES (3, 'monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1', '{"TimerFired": {"id": 3, "instance": "monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1", "fire_at_ms": 1795983388715, "execution_id": 1}}', '2026-11-29 20:16:28.715+00', NULL, NULL, '2026-11-29 20:15:58.716+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (4, 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', '{"TimerFired": {"id": 3, "instance": "create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1", "fire_at_ms": 1795983478740, "execution_id": 1}}', '2026-11-29 20:17:58.74+00', NULL, NULL, '2026-11-29 20:15:58.74+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (7, 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', '{"TimerFired": {"id": 7, "instance": "create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1", "fire_at_ms": 1795983484073, "execution_id": 1}}', '2026-11-29 20:18:04.073+00', NULL, NULL, '2026-11-29 20:16:04.073+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (11, 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', '{"TimerFired": {"id": 11, "instance": "create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1", "fire_at_ms": 1795983484394, "execution_id": 1}}', '2026-11-29 20:18:04.394+00', NULL, NULL, '2026-11-29 20:16:04.394+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (13, 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', '{"TimerFired": {"id": 15, "instance": "create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1", "fire_at_ms": 1795983395787, "execution_id": 1}}', '2026-11-29 20:16:35.787+00', NULL, NULL, '2026-11-29 20:16:05.787+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (16, 'monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1', '{"TimerFired": {"id": 6, "instance": "monitor-create-01a228f3-3a57-73fc-8515-25131e87fe40-1", "fire_at_ms": 1795983395900, "execution_id": 1}}', '2026-11-29 20:16:35.9+00', NULL, NULL, '2026-11-29 20:16:05.9+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (20, 'health-01a228f3-3a57-73fc-8515-25131e87fe40-1', '{"TimerFired": {"id": 5, "instance": "health-01a228f3-3a57-73fc-8515-25131e87fe40-1", "fire_at_ms": 1795983396015, "execution_id": 1}}', '2026-11-29 20:16:36.015+00', NULL, NULL, '2026-11-29 20:16:06.015+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (22, 'health-01a228f3-3a57-73fc-8515-25131e87fe40-1', '{"TimerFired": {"id": 8, "instance": "health-01a228f3-3a57-73fc-8515-25131e87fe40-1", "fire_at_ms": 1795983384625, "execution_id": 1}}', '2026-11-29 20:16:24.625+00', NULL, NULL, '2026-11-29 20:16:06.107+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (25, 'monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', '{"TimerFired": {"id": 3, "instance": "monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2", "fire_at_ms": 1795983396214, "execution_id": 1}}', '2026-11-29 20:16:36.214+00', NULL, NULL, '2026-11-29 20:16:06.214+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (26, 'delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', '{"TimerFired": {"id": 3, "instance": "delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1", "fire_at_ms": 1795983396216, "execution_id": 1}}', '2026-11-29 20:16:36.216+00', NULL, NULL, '2026-11-29 20:16:06.217+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (29, 'delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', '{"TimerFired": {"id": 6, "instance": "delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1", "fire_at_ms": 1795983486325, "execution_id": 1}}', '2026-11-29 20:18:06.325+00', NULL, NULL, '2026-11-29 20:16:06.325+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (33, 'delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', '{"TimerFired": {"id": 11, "instance": "delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1", "fire_at_ms": 1795983397177, "execution_id": 1}}', '2026-11-29 20:16:37.177+00', NULL, NULL, '2026-11-29 20:16:07.178+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (36, 'monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', '{"TimerFired": {"id": 6, "instance": "monitor-delete-01a228f3-3a57-73fc-8515-25131e87fe40-2", "fire_at_ms": 1795983397281, "execution_id": 1}}', '2026-11-29 20:16:37.281+00', NULL, NULL, '2026-11-29 20:16:07.281+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (40, 'monitor-create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1', '{"TimerFired": {"id": 3, "instance": "monitor-create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1", "fire_at_ms": 1795983397791, "execution_id": 1}}', '2026-11-29 20:16:37.791+00', NULL, NULL, '2026-11-29 20:16:07.791+00', 0);
INSERT INTO duroxide.orchestrator_queue VALUES (41, 'create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1', '{"TimerFired": {"id": 3, "instance": "create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1", "fire_at_ms": 1795983487795, "execution_id": 1}}', '2026-11-29 20:18:07.795+00', NULL, NULL, '2026-11-29 20:16:07.798+00', 0);


--
-- Data for Name: sessions; Type: TABLE DATA; Schema: duroxide; Owner: postgres
--



--
-- Data for Name: worker_queue; Type: TABLE DATA; Schema: duroxide; Owner: postgres
--

INSERT INTO duroxide.worker_queue VALUES (12, '{"ActivityExecute": {"id": 2, "name": "toygres-workflows::activity::deploy-postgres", "input": "{\"operation\":\"create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1\",\"run\":1}", "instance": "create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1", "execution_id": 1}}', '2026-11-29 20:16:07.798+00', 'lock_f6ae32e3-07ea-4771-b098-f9a61d346403', 1795983382872, '2026-11-29 20:16:07.798+00', 1, 'create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1', 1, 2, NULL, NULL);


--
-- Data for Name: _sqlx_migrations; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres._sqlx_migrations VALUES (1, 'metadata', '2026-11-29 20:15:57.888352+00', true, '\xf06b68ded0da65252d71e70169936fed3a3071eb27c82138302027e2a21736237fb9504c9d713cd3ff6d91d9e960591c', 77567133);
INSERT INTO toygres._sqlx_migrations VALUES (2, 'log and host', '2026-11-29 20:15:57.966416+00', true, '\x7529893f0232cef0dbc7037a839d69f9ff833762fb17bb33879fc8bea7184104bdc9e1f442c4e0de972a6325875f1459', 16530293);
INSERT INTO toygres._sqlx_migrations VALUES (3, 'volumes', '2026-11-29 20:15:57.983174+00', true, '\xb182717ff213a01d1ca4bf631fb80ecc538f93b1994135aecfc4feaba09e5bb8e140b8a5874278bfe83961eb3e9e69ed', 11950113);
INSERT INTO toygres._sqlx_migrations VALUES (4, 'roles and notices', '2026-11-29 20:15:57.995313+00', true, '\x17af6658dd4e29ecc343d3f7ba640c4a11abed3b411f49a24872c8bff96be2564125118fe6145f2307354313de012a99', 9245080);
INSERT INTO toygres._sqlx_migrations VALUES (5, 'certificates', '2026-11-29 20:15:58.004795+00', true, '\xb324ee7485a2d099899a1fe5343cb58bc43c2d90bc78df2f67a41c3bad5454a9381513c8afb95b5a69ec9b3d61d8ecdd', 11739859);
INSERT INTO toygres._sqlx_migrations VALUES (6, 'suspension', '2026-11-29 20:15:58.016886+00', true, '\xa32017e049ebb233db3b438af3d80bae960e371ebafec2195630121614c60142331c9f018df0d7cc943d6e94bb00037a', 7484578);
INSERT INTO toygres._sqlx_migrations VALUES (7, 'passwords', '2026-11-29 20:15:58.024495+00', true, '\x9d074f6167a39e5663833c7b3cc1e93dd7fc0175d187eed00bc404c1855cad02a482333dcd9ad988f00c18129219a191', 23968044);
INSERT INTO toygres._sqlx_migrations VALUES (8, 'parameters', '2026-11-29 20:15:58.048657+00', true, '\x3f6b7228f7fada8e71825213199a8e260a15d035cbc86286b888bed56b8451681c6a669ed8c79d1fc55906991aef7b25', 638738);
INSERT INTO toygres._sqlx_migrations VALUES (10, 'trust', '2026-11-29 20:15:58.04941+00', true, '\x0d8af9f31efaa954ad2ef3711333518b64e112f88dcc2bf067984f7a77411814e22f2fa75bb08a29814360805c977439', 4066698);
INSERT INTO toygres._sqlx_migrations VALUES (11, 'backups', '2026-11-29 20:15:58.053647+00', true, '\x851bf9e17dfb7c29413d048a7299ad26452c2900d1626c6a1d378897dbd1a9e755e8877b5b228718cefde17142e2fd0d', 21317653);
INSERT INTO toygres._sqlx_migrations VALUES (12, 'verification', '2026-11-29 20:15:58.075163+00', true, '\xdbc5441b36607c2b6ae901c451b57168fc5f94516a5f1c8d2d10902f74995808a1608b2af741e7dc73bf0576cddd6fa7', 3583101);


--
-- Data for Name: api_tokens; Type: TABLE DATA; Schema: toygres; Owner: postgres
--



--
-- Data for Name: archives; Type: TABLE DATA; Schema: toygres; Owner: postgres
--



--
-- Data for Name: backups; Type: TABLE DATA; Schema: toygres; Owner: postgres
--



--
-- Data for Name: certificate_authorities; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.certificate_authorities VALUES ('01a228f3-3a7c-77fc-a465-796a74e85cd5', '-----BEGIN CERTIFICATE-----
MIIBkjCCATmgAwIBAgIUTG6/MkRU6D2pllv5c7aZIKWFrJgwCgYIKoZIzj0EAwIw
JjEkMCIGA1UEAwwbVG95Z3JlcyAyMDI2LTExLTI5IDIwOjE1OjU4MB4XDTI2MTEy
OTE5MTU1OFoXDTM2MTEyNjIwMTU1OFowJjEkMCIGA1UEAwwbVG95Z3JlcyAyMDI2
LTExLTI5IDIwOjE1OjU4MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9+kOI/GP
D15E3f/Gv68aRvetB6aylaFm3I5ZEJWsynnxFXNf6h3MIZHMbhqO3E0kDlT19+Ij
ZtOL11OgJJo8m6NFMEMwEgYDVR0TAQH/BAgwBgEB/wIBADAOBgNVHQ8BAf8EBAMC
AQYwHQYDVR0OBBYEFETJ5WesJKlWOUgx8ObeiLtGBH5pMAoGCCqGSM49BAMCA0cA
MEQCIEtbDtgFp58PNJew2GiuIUswUueGNGa4yzAJ/YfQoWh9AiBZgYTZSWHTGYbr
wwETNWOZFlhy8xuDlmZlNY6sbetXOQ==
-----END CERTIFICATE-----
', '009bac0423050bc63998f5e17e021a4d8c8a58c7359040671b4fdc88ff02acdb', '\x086ae5aec46aa98f9dc48f1abd87842817be3a6d1550d3cb77ce4af716b988320d0f885dd01e65b12f03642de0cc06e3acc1a4feda449f17e72131d894580ce68ddb1393b51c702a2abba81dcbf0adacca34e815f5efe9f5e941c6f6018fc86324ef2fbba4b6f5e03fa1730284c9a5a939caf5e152766516380bb38948445b7d9513e24996692bf0e33bf5d082ffbdeb059834dc9f6c8e7a2f093ae4df67cc49301c8cea532818829a50c16c0e98e9d339f99ee1d54b652bb23d446946be0b2867837098f70800b357bb1ff8605c124c245b4548ba8b83c4ec7c2a9a5552e96e718723d45a00eb83e4dff5cc3f72876fc867509d53db719a1d8c878193189479a944f1cbaf9813710904173822dba55fc87e2611785e145be0', '2026-11-29 19:15:58+00', '2036-11-26 20:15:58+00', '2026-11-29 20:15:58.623659+00', '2026-11-29 20:15:58.608699+00');


--
-- Data for Name: credentials; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.credentials VALUES ('01a228f3-5e39-70ae-bc1e-da082d7df65a', '\xdffa484f71cb9aec5e04d78463ccef071cc938039cbb6e8821af4d34bd9232aea4fb05c2a49444267b28d8b8a1a122b0748807a46fcd100ab82b44fb3dda5431464675ba46b2d18f', '2026-11-29 20:16:07.737932+00', NULL, false, NULL);
INSERT INTO toygres.credentials VALUES ('01a228f3-64e5-719a-96bb-525588409478', '\x90322d00270a24c173a6a46618b74f11bda0c1c7378bdd0f892f017f6cbf5c4104a8e250a63c500f36d39bf029ea7c5e7405cceb5230240f179a56e09b2645ad3b74b4a833c79ab2', '2026-11-29 20:16:09.448088+00', NULL, false, NULL);


--
-- Data for Name: database_users; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.database_users VALUES ('01a228f3-5e39-70ae-bc1e-da082d7df65a', 'app', 'owner', 'app', '2026-11-29 20:16:07.743105+00');
INSERT INTO toygres.database_users VALUES ('01a228f3-64e5-719a-96bb-525588409478', 'app', 'owner', 'app', '2026-11-29 20:16:09.451969+00');


--
-- Data for Name: event_horizon; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.event_horizon VALUES (true, 0, '2026-11-29 20:15:57.967301+00');


--
-- Data for Name: events; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.events VALUES (1, '2026-11-29 20:15:58.636546+00', 'instance_created', '01a228f3-3a57-73fc-8515-25131e87fe40', NULL, NULL, 'creating', NULL, NULL);
INSERT INTO toygres.events VALUES (2, '2026-11-29 20:15:58.636936+00', 'operation_created', '01a228f3-3a57-73fc-8515-25131e87fe40', 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1', NULL, 'pending', NULL, NULL);
INSERT INTO toygres.events VALUES (3, '2026-11-29 20:15:58.702747+00', 'operation_changed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1', 'pending', 'running', NULL, NULL);
INSERT INTO toygres.events VALUES (4, '2026-11-29 20:15:58.873685+00', 'operation_progressed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1', NULL, NULL, NULL, NULL);
INSERT INTO toygres.events VALUES (5, '2026-11-29 20:16:04.041517+00', 'operation_progressed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1', NULL, NULL, NULL, NULL);
INSERT INTO toygres.events VALUES (6, '2026-11-29 20:16:04.349266+00', 'operation_progressed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1', NULL, NULL, NULL, NULL);
INSERT INTO toygres.events VALUES (7, '2026-11-29 20:16:04.410075+00', 'operation_progressed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1', NULL, NULL, NULL, NULL);
INSERT INTO toygres.events VALUES (8, '2026-11-29 20:16:05.761911+00', 'operation_progressed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1', NULL, NULL, NULL, NULL);
INSERT INTO toygres.events VALUES (9, '2026-11-29 20:16:05.889162+00', 'state_changed', '01a228f3-3a57-73fc-8515-25131e87fe40', NULL, 'creating', 'running', NULL, NULL);
INSERT INTO toygres.events VALUES (10, '2026-11-29 20:16:05.889366+00', 'operation_changed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1', 'running', 'succeeded', NULL, NULL);
INSERT INTO toygres.events VALUES (11, '2026-11-29 20:16:06.090771+00', 'health_changed', '01a228f3-3a57-73fc-8515-25131e87fe40', NULL, 'unknown', 'healthy', NULL, NULL);
INSERT INTO toygres.events VALUES (12, '2026-11-29 20:16:06.118247+00', 'state_changed', '01a228f3-3a57-73fc-8515-25131e87fe40', NULL, 'running', 'deleting', NULL, NULL);
INSERT INTO toygres.events VALUES (13, '2026-11-29 20:16:06.11846+00', 'health_changed', '01a228f3-3a57-73fc-8515-25131e87fe40', NULL, 'healthy', 'unknown', NULL, NULL);
INSERT INTO toygres.events VALUES (14, '2026-11-29 20:16:06.11866+00', 'operation_created', '01a228f3-3a57-73fc-8515-25131e87fe40', 'delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', NULL, 'pending', NULL, NULL);
INSERT INTO toygres.events VALUES (15, '2026-11-29 20:16:06.132631+00', 'operation_changed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', 'pending', 'running', NULL, NULL);
INSERT INTO toygres.events VALUES (16, '2026-11-29 20:16:06.302049+00', 'operation_progressed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', NULL, NULL, NULL, NULL);
INSERT INTO toygres.events VALUES (17, '2026-11-29 20:16:06.309256+00', 'operation_progressed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', NULL, NULL, NULL, NULL);
INSERT INTO toygres.events VALUES (18, '2026-11-29 20:16:06.398557+00', 'operation_progressed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', NULL, NULL, NULL, NULL);
INSERT INTO toygres.events VALUES (19, '2026-11-29 20:16:07.173383+00', 'operation_progressed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', NULL, NULL, NULL, NULL);
INSERT INTO toygres.events VALUES (20, '2026-11-29 20:16:07.271039+00', 'state_changed', '01a228f3-3a57-73fc-8515-25131e87fe40', NULL, 'deleting', 'deleted', NULL, NULL);
INSERT INTO toygres.events VALUES (21, '2026-11-29 20:16:07.271177+00', 'operation_changed', '01a228f3-3a57-73fc-8515-25131e87fe40', 'delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', 'running', 'succeeded', NULL, NULL);
INSERT INTO toygres.events VALUES (22, '2026-11-29 20:16:07.748527+00', 'instance_created', '01a228f3-5e39-70ae-bc1e-da082d7df65a', NULL, NULL, 'creating', NULL, NULL);
INSERT INTO toygres.events VALUES (23, '2026-11-29 20:16:07.748661+00', 'operation_created', '01a228f3-5e39-70ae-bc1e-da082d7df65a', 'create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1', NULL, 'pending', NULL, NULL);
INSERT INTO toygres.events VALUES (24, '2026-11-29 20:16:07.77262+00', 'operation_changed', '01a228f3-5e39-70ae-bc1e-da082d7df65a', 'create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1', 'pending', 'running', NULL, NULL);
INSERT INTO toygres.events VALUES (25, '2026-11-29 20:16:07.875643+00', 'operation_progressed', '01a228f3-5e39-70ae-bc1e-da082d7df65a', 'create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1', NULL, NULL, NULL, NULL);
INSERT INTO toygres.events VALUES (26, '2026-11-29 20:16:09.467645+00', 'instance_created', '01a228f3-64e5-719a-96bb-525588409478', NULL, NULL, 'creating', NULL, NULL);
INSERT INTO toygres.events VALUES (27, '2026-11-29 20:16:09.46818+00', 'operation_created', '01a228f3-64e5-719a-96bb-525588409478', 'create-01a228f3-64e5-719a-96bb-525588409478-1', NULL, 'pending', NULL, NULL);


--
-- Data for Name: health_checks; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.health_checks OVERRIDING SYSTEM VALUE VALUES (1, '01a228f3-3a57-73fc-8515-25131e87fe40', '2026-11-29 20:16:06.01018+00', 'healthy', 19642, NULL, NULL);


--
-- Data for Name: instance_activity; Type: TABLE DATA; Schema: toygres; Owner: postgres
--



--
-- Data for Name: instance_certificates; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.instance_certificates VALUES ('01a228f3-5e39-70ae-bc1e-da082d7df65a', '01a228f3-3a7c-77fc-a465-796a74e85cd5', '-----BEGIN CERTIFICATE-----
MIICQzCCAeqgAwIBAgIUFsudVijWVfVgPkkCsqwjXCz4Nx8wCgYIKoZIzj0EAwIw
JjEkMCIGA1UEAwwbVG95Z3JlcyAyMDI2LTExLTI5IDIwOjE1OjU4MB4XDTI2MTEy
OTE5MTYwN1oXDTI3MDIyNzIwMTYwN1owQDE+MDwGA1UEAww1MDFhMjI4ZjMtNWUz
OS03MGFlLWJjMWUtZGEwODJkN2RmNjVhLnRveWdyZXMuaW50ZXJuYWwwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAATgAQqLLgRcRe/OgpWkhqdYfp75+eTcrxK+E3Gd
i5TiuSRvRu42eUxdhIcdzYIZxn+twTr/PYnnpDkC5LBa+9yJo4HbMIHYMAwGA1Ud
EwEB/wQCMAAwDgYDVR0PAQH/BAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMGMG
A1UdEQRcMFqCNTAxYTIyOGYzLTVlMzktNzBhZS1iYzFlLWRhMDgyZDdkZjY1YS50
b3lncmVzLmludGVybmFsgglsb2NhbGhvc3SHBH8AAAGHEAAAAAAAAAAAAAAAAAAA
AAEwHQYDVR0OBBYEFNirxjZmydbX3SCWeLQ0ZbkV7T1vMB8GA1UdIwQYMBaAFETJ
5WesJKlWOUgx8ObeiLtGBH5pMAoGCCqGSM49BAMCA0cAMEQCIAtCXpZ46KegUQtT
d2kdnQPEdlBoCkbFMFoR4u8WcoqvAiAdSo7lArPsg/rJ8NBeiZi12uKXJfuvjqPy
dReAc0Y5qg==
-----END CERTIFICATE-----
', '\x8eb66bb995cfe404857d51e5b15750dee84b66f17df92d5015b595db9933b080b7c63f9111ef564327e17501d5e1e586c4c0a567184bb8ffda98ad58332a899e96aebd9af22f950dd431b0f274ffc6eeae6f09b1ca118cff32e45cf0c080d420badf03c04e8401a53d9f62047946d3de799cd80bd6e88134aa506bdebd1ed7357ae158c0565efaaa000f68f195b8f9ca16d2255fb9aecc7ef19b45b478a08865835de89fdabeb8e6de2c51630af85fd64f5a3b77a73700057cf8decd7a6ffeb15235707d9e7de52d09e23c86af835e2f0716d67007be11a26b16dff03faa160fcdaa732952b34c2d7cef87652c3c9f7e635e01f6b78c398d539814a21f9d5e7dfe305f039cce361c50499308b5528269afde0f93b6731f612f', 'b3b81b86cc45f6328af8338f513ce2587e1e28152f74b5adf3b055eb3ce26467', '{01a228f3-5e39-70ae-bc1e-da082d7df65a.toygres.internal,localhost,127.0.0.1,::1}', '2026-11-29 19:16:07+00', '2027-02-27 20:16:07+00', NULL, NULL, NULL, NULL);


--
-- Data for Name: instance_databases; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.instance_databases VALUES ('01a228f3-5e39-70ae-bc1e-da082d7df65a', 'app', 'app', '2026-11-29 20:16:07.743497+00');
INSERT INTO toygres.instance_databases VALUES ('01a228f3-64e5-719a-96bb-525588409478', 'app', 'app', '2026-11-29 20:16:09.452569+00');


--
-- Data for Name: instance_volumes; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.instance_volumes VALUES ('01a228f3-3a57-73fc-8515-25131e87fe40', '01a228f3-3a57-73fc-8515-25131e87fe40', '2026-11-29 20:16:05.736154+00');


--
-- Data for Name: instances; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.instances VALUES ('01a228f3-3a57-73fc-8515-25131e87fe40', 'deleted', 'deleted', 'unknown', NULL, NULL, 15, 10, 500, 512, 'app', 'app', '{"type": "cluster"}', 30, 5, NULL, NULL, NULL, 1, NULL, '{}', false, 2, 5, '2026-11-29 20:15:58.551252+00', '2026-11-29 20:16:07.269624+00', '2026-11-29 20:16:07.269487+00', '[]', false, NULL, '{"values": {}, "pending": {}}', NULL, NULL, NULL);
INSERT INTO toygres.instances VALUES ('01a228f3-5e39-70ae-bc1e-da082d7df65a', 'creating', 'creating', 'unknown', NULL, NULL, 15, 10, 500, 512, 'app', 'app', '{"type": "cluster"}', 30, 5, NULL, NULL, NULL, 0, NULL, '{}', false, 1, 1, '2026-11-29 20:16:07.737932+00', '2026-11-29 20:16:07.737932+00', NULL, '[]', false, NULL, '{"values": {}, "pending": {}}', NULL, NULL, NULL);
INSERT INTO toygres.instances VALUES ('01a228f3-64e5-719a-96bb-525588409478', 'waiting', 'creating', 'unknown', NULL, NULL, 15, 10, 500, 512, 'app', 'app', '{"type": "cluster"}', 30, 5, NULL, NULL, NULL, 0, NULL, '{}', false, 1, 1, '2026-11-29 20:16:09.448088+00', '2026-11-29 20:16:09.448088+00', NULL, '[]', false, NULL, '{"values": {}, "pending": {}}', NULL, NULL, NULL);


--
-- Data for Name: new_user_verifiers; Type: TABLE DATA; Schema: toygres; Owner: postgres
--



--
-- Data for Name: operations; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.operations VALUES ('create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1', '01a228f3-5e39-70ae-bc1e-da082d7df65a', 'create', '{}', true, 1, 'create-01a228f3-5e39-70ae-bc1e-da082d7df65a-1-r1', 'running', '[{"name": "deploy_postgres", "error": null, "status": "running", "attempt": 1, "started_at": "2026-11-29T20:16:07.875114773Z", "finished_at": null}, {"name": "get_instance_status", "error": null, "status": "pending", "attempt": 0, "started_at": null, "finished_at": null}, {"name": "generate_connection_string", "error": null, "status": "pending", "attempt": 0, "started_at": null, "finished_at": null}, {"name": "update_metadata", "error": null, "status": "pending", "attempt": 0, "started_at": null, "finished_at": null}]', NULL, NULL, false, NULL, NULL, NULL, NULL, '2026-11-29 20:26:07.737932+00', '2026-11-29 20:16:07.737932+00', '2026-11-29 20:16:07.772435+00', '2026-11-29 20:16:07.772435+00', NULL);
INSERT INTO toygres.operations VALUES ('create-01a228f3-64e5-719a-96bb-525588409478-1', '01a228f3-64e5-719a-96bb-525588409478', 'create', '{}', true, 1, 'create-01a228f3-64e5-719a-96bb-525588409478-1-r1', 'pending', '[{"name": "deploy_postgres", "error": null, "status": "pending", "attempt": 0, "started_at": null, "finished_at": null}, {"name": "get_instance_status", "error": null, "status": "pending", "attempt": 0, "started_at": null, "finished_at": null}, {"name": "generate_connection_string", "error": null, "status": "pending", "attempt": 0, "started_at": null, "finished_at": null}, {"name": "update_metadata", "error": null, "status": "pending", "attempt": 0, "started_at": null, "finished_at": null}]', NULL, NULL, false, NULL, NULL, NULL, NULL, '2026-11-29 20:26:09.448088+00', '2026-11-29 20:16:09.448088+00', NULL, NULL, NULL);
INSERT INTO toygres.operations VALUES ('create-01a228f3-3a57-73fc-8515-25131e87fe40-1', '01a228f3-3a57-73fc-8515-25131e87fe40', 'create', '{}', true, 1, 'create-01a228f3-3a57-73fc-8515-25131e87fe40-1-r1', 'succeeded', '[{"name": "deploy_postgres", "error": null, "status": "succeeded", "attempt": 1, "started_at": "2026-11-29T20:15:58.871293672Z", "finished_at": "2026-11-29T20:16:04.026369135Z"}, {"name": "get_instance_status", "error": null, "status": "succeeded", "attempt": 1, "started_at": "2026-11-29T20:16:04.334661720Z", "finished_at": "2026-11-29T20:16:04.334662641Z"}, {"name": "generate_connection_string", "error": null, "status": "succeeded", "attempt": 1, "started_at": "2026-11-29T20:16:04.406872736Z", "finished_at": "2026-11-29T20:16:05.759460562Z"}, {"name": "update_metadata", "error": null, "status": "succeeded", "attempt": 1, "started_at": "2026-11-29T20:16:05.886704667Z", "finished_at": "2026-11-29T20:16:05.886704667Z"}]', NULL, NULL, false, NULL, NULL, NULL, NULL, '2026-11-29 20:25:58.551252+00', '2026-11-29 20:15:58.551252+00', '2026-11-29 20:15:58.70101+00', '2026-11-29 20:15:58.70101+00', '2026-11-29 20:16:05.887226+00');
INSERT INTO toygres.operations VALUES ('delete-01a228f3-3a57-73fc-8515-25131e87fe40-2', '01a228f3-3a57-73fc-8515-25131e87fe40', 'delete', '{"keep_volumes": false}', true, 1, 'delete-01a228f3-3a57-73fc-8515-25131e87fe40-2-r1', 'succeeded', '[{"name": "stop_workflows", "error": null, "status": "succeeded", "attempt": 1, "started_at": "2026-11-29T20:16:06.296366357Z", "finished_at": "2026-11-29T20:16:06.308515283Z"}, {"name": "delete_postgres", "error": null, "status": "succeeded", "attempt": 1, "started_at": "2026-11-29T20:16:06.396333142Z", "finished_at": "2026-11-29T20:16:07.172521789Z"}, {"name": "update_metadata", "error": null, "status": "succeeded", "attempt": 1, "started_at": "2026-11-29T20:16:07.269871576Z", "finished_at": "2026-11-29T20:16:07.269871576Z"}]', NULL, NULL, false, NULL, NULL, NULL, 'running', NULL, '2026-11-29 20:16:06.112965+00', '2026-11-29 20:16:06.132425+00', '2026-11-29 20:16:06.132425+00', '2026-11-29 20:16:07.270546+00');


--
-- Data for Name: platform_passwords; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.platform_passwords VALUES ('01a228f3-5e39-70ae-bc1e-da082d7df65a', 'toygres', '\x5d67033985ca35e0db55811ff664b7fd61e29bb20f1ea927a60da05303712e84b997544c895b98117fddd4a27cc53e91bbc65856fe2b391bc8e8afd046f100865fa3320ef7c23876', '2026-11-29 20:16:07.888304+00');
INSERT INTO toygres.platform_passwords VALUES ('01a228f3-5e39-70ae-bc1e-da082d7df65a', 'toygres_monitor', '\x1d0e87148bb9fa6d3a7560f7581fb1b1d096401826270090ee3b94a9f06417f07d5f8a2af58e7c90ab63f2c5000e2f4a091cae7d69fd7242e8883061a00c0c5ae4aa408067f37d25', '2026-11-29 20:16:07.888304+00');


--
-- Data for Name: revoked_authorities; Type: TABLE DATA; Schema: toygres; Owner: postgres
--



--
-- Data for Name: runtime_host; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.runtime_host VALUES (true, 'process/06a5d3e1-6cef-4f7c-9353-598a1185a19c', 'the data directory /tmp/toygres-it-rhTFEv/data of vm');


--
-- Data for Name: worker_heartbeat; Type: TABLE DATA; Schema: toygres; Owner: postgres
--

INSERT INTO toygres.worker_heartbeat VALUES (true, '2026-11-29 20:16:03.534764+00', 'vm', '2026-11-29 20:16:03.533954+00');


--
-- Name: orchestrator_queue_id_seq; Type: SEQUENCE SET; Schema: duroxide; Owner: postgres
--

SELECT pg_catalog.setval('duroxide.orchestrator_queue_id_seq', 41, true);


--
-- Name: worker_queue_id_seq; Type: SEQUENCE SET; Schema: duroxide; Owner: postgres
--

SELECT pg_catalog.setval('duroxide.worker_queue_id_seq', 12, true);


--
-- Name: events_seq; Type: SEQUENCE SET; Schema: toygres; Owner: postgres
--

SELECT pg_catalog.setval('toygres.events_seq', 27, true);


--
-- Name: health_checks_id_seq; Type: SEQUENCE SET; Schema: toygres; Owner: postgres
--

SELECT pg_catalog.setval('toygres.health_checks_id_seq', 1, true);


--
-- Name: _duroxide_migrations _duroxide_migrations_pkey; Type: CONSTRAINT; Schema: duroxide; Owner: postgres
--

ALTER TABLE ONLY duroxide._duroxide_migrations
    ADD CONSTRAINT _duroxide_migrations_pkey PRIMARY KEY (version);


--
-- Name: executions executions_pkey; Type: CONSTRAINT; Schema: duroxide; Owner: postgres
--

ALTER TABLE ONLY duroxide.executions
    ADD CONSTRAINT executions_pkey PRIMARY KEY (instance_id, execution_id);


--
-- Name: history history_pkey; Type: CONSTRAINT; Schema: duroxide; Owner: postgres
--

ALTER TABLE ONLY duroxide.history
    ADD CONSTRAINT history_pkey PRIMARY KEY (instance_id, execution_id, event_id);


--
-- Name: instance_locks instance_locks_pkey; Type: CONSTRAINT; Schema: duroxide; Owner: postgres
--

ALTER TABLE ONLY duroxide.instance_locks
    ADD CONSTRAINT instance_locks_pkey PRIMARY KEY (instance_id);


--
-- Name: instances instances_pkey; Type: CONSTRAINT; Schema: duroxide; Owner: postgres
--

ALTER TABLE ONLY duroxide.instances
    ADD CONSTRAINT instances_pkey PRIMARY KEY (instance_id);


--
-- Name: kv_delta kv_delta_pkey; Type: CONSTRAINT; Schema: duroxide; Owner: postgres
--

ALTER TABLE ONLY duroxide.kv_delta
    ADD CONSTRAINT kv_delta_pkey PRIMARY KEY (instance_id, key);


--
-- Name: kv_store kv_store_pkey; Type: CONSTRAINT; Schema: duroxide; Owner: postgres
--

ALTER TABLE ONLY duroxide.kv_store
    ADD CONSTRAINT kv_store_pkey PRIMARY KEY (instance_id, key);


--
-- Name: orchestrator_queue orchestrator_queue_pkey; Type: CONSTRAINT; Schema: duroxide; Owner: postgres
--

ALTER TABLE ONLY duroxide.orchestrator_queue
    ADD CONSTRAINT orchestrator_queue_pkey PRIMARY KEY (id);


--
-- Name: sessions sessions_pkey; Type: CONSTRAINT; Schema: duroxide; Owner: postgres
--

ALTER TABLE ONLY duroxide.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (session_id);


--
-- Name: worker_queue worker_queue_pkey; Type: CONSTRAINT; Schema: duroxide; Owner: postgres
--

ALTER TABLE ONLY duroxide.worker_queue
    ADD CONSTRAINT worker_queue_pkey PRIMARY KEY (id);


--
-- Name: _sqlx_migrations _sqlx_migrations_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);


--
-- Name: api_tokens api_tokens_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.api_tokens
    ADD CONSTRAINT api_tokens_pkey PRIMARY KEY (id);


--
-- Name: api_tokens api_tokens_secret_hash_key; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.api_tokens
    ADD CONSTRAINT api_tokens_secret_hash_key UNIQUE (secret_hash);


--
-- Name: archives archives_instance_id_key; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.archives
    ADD CONSTRAINT archives_instance_id_key UNIQUE (instance_id);


--
-- Name: archives archives_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.archives
    ADD CONSTRAINT archives_pkey PRIMARY KEY (id);


--
-- Name: backups backups_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.backups
    ADD CONSTRAINT backups_pkey PRIMARY KEY (id);


--
-- Name: certificate_authorities certificate_authorities_fingerprint_key; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.certificate_authorities
    ADD CONSTRAINT certificate_authorities_fingerprint_key UNIQUE (fingerprint);


--
-- Name: certificate_authorities certificate_authorities_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.certificate_authorities
    ADD CONSTRAINT certificate_authorities_pkey PRIMARY KEY (id);


--
-- Name: credentials credentials_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.credentials
    ADD CONSTRAINT credentials_pkey PRIMARY KEY (instance_id);


--
-- Name: database_users database_users_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.database_users
    ADD CONSTRAINT database_users_pkey PRIMARY KEY (instance_id, name);


--
-- Name: event_horizon event_horizon_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.event_horizon
    ADD CONSTRAINT event_horizon_pkey PRIMARY KEY (one);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (seq);


--
-- Name: health_checks health_checks_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.health_checks
    ADD CONSTRAINT health_checks_pkey PRIMARY KEY (id);


--
-- Name: instance_activity instance_activity_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.instance_activity
    ADD CONSTRAINT instance_activity_pkey PRIMARY KEY (instance_id);


--
-- Name: instance_certificates instance_certificates_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.instance_certificates
    ADD CONSTRAINT instance_certificates_pkey PRIMARY KEY (instance_id);


--
-- Name: instance_databases instance_databases_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.instance_databases
    ADD CONSTRAINT instance_databases_pkey PRIMARY KEY (instance_id, name);


--
-- Name: instance_volumes instance_volumes_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.instance_volumes
    ADD CONSTRAINT instance_volumes_pkey PRIMARY KEY (instance_id);


--
-- Name: instances instances_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.instances
    ADD CONSTRAINT instances_pkey PRIMARY KEY (id);


--
-- Name: new_user_verifiers new_user_verifiers_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.new_user_verifiers
    ADD CONSTRAINT new_user_verifiers_pkey PRIMARY KEY (instance_id);


--
-- Name: operations operations_engine_id_key; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.operations
    ADD CONSTRAINT operations_engine_id_key UNIQUE (engine_id);


--
-- Name: operations operations_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.operations
    ADD CONSTRAINT operations_pkey PRIMARY KEY (id);


--
-- Name: platform_passwords platform_passwords_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.platform_passwords
    ADD CONSTRAINT platform_passwords_pkey PRIMARY KEY (instance_id, role);


--
-- Name: revoked_authorities revoked_authorities_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.revoked_authorities
    ADD CONSTRAINT revoked_authorities_pkey PRIMARY KEY (public_key);


--
-- Name: runtime_host runtime_host_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.runtime_host
    ADD CONSTRAINT runtime_host_pkey PRIMARY KEY (one);


--
-- Name: worker_heartbeat worker_heartbeat_pkey; Type: CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.worker_heartbeat
    ADD CONSTRAINT worker_heartbeat_pkey PRIMARY KEY (one);


--
-- Name: idx_history_lookup; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX idx_history_lookup ON duroxide.history USING btree (instance_id, execution_id, event_id);


--
-- Name: idx_instance_locks_lock_token; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE UNIQUE INDEX idx_instance_locks_lock_token ON duroxide.instance_locks USING btree (lock_token);


--
-- Name: idx_instance_locks_locked_until; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX idx_instance_locks_locked_until ON duroxide.instance_locks USING btree (locked_until);


--
-- Name: idx_instances_parent; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX idx_instances_parent ON duroxide.instances USING btree (parent_instance_id);


--
-- Name: idx_kv_store_execution; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX idx_kv_store_execution ON duroxide.kv_store USING btree (instance_id, execution_id);


--
-- Name: idx_orch_instance; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX idx_orch_instance ON duroxide.orchestrator_queue USING btree (instance_id);


--
-- Name: idx_orch_lock; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX idx_orch_lock ON duroxide.orchestrator_queue USING btree (lock_token) WHERE (lock_token IS NOT NULL);


--
-- Name: idx_orch_visible; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX idx_orch_visible ON duroxide.orchestrator_queue USING btree (visible_at, lock_token);


--
-- Name: idx_worker_activity_lookup; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX idx_worker_activity_lookup ON duroxide.worker_queue USING btree (instance_id, execution_id, activity_id);


--
-- Name: idx_worker_available; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX idx_worker_available ON duroxide.worker_queue USING btree (lock_token, id);


--
-- Name: idx_worker_queue_session_id; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX idx_worker_queue_session_id ON duroxide.worker_queue USING btree (session_id) WHERE (session_id IS NOT NULL);


--
-- Name: idx_worker_queue_tag; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX idx_worker_queue_tag ON duroxide.worker_queue USING btree (tag) WHERE (tag IS NOT NULL);


--
-- Name: idx_worker_visible; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX idx_worker_visible ON duroxide.worker_queue USING btree (visible_at, lock_token);


--
-- Name: toygres_orchestrator_queue_visible_at_id; Type: INDEX; Schema: duroxide; Owner: postgres
--

CREATE INDEX toygres_orchestrator_queue_visible_at_id ON duroxide.orchestrator_queue USING btree (visible_at, id);


--
-- Name: archives_owned_until; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX archives_owned_until ON toygres.archives USING btree (owned_until);


--
-- Name: backups_in_progress; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE UNIQUE INDEX backups_in_progress ON toygres.backups USING btree (instance_id) WHERE (status = ANY (ARRAY['pending'::text, 'running'::text]));


--
-- Name: backups_instance; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX backups_instance ON toygres.backups USING btree (instance_id, created_at, id);


--
-- Name: backups_unverified; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX backups_unverified ON toygres.backups USING btree (archive_id) WHERE ((status = 'available'::text) AND (verification = ANY (ARRAY['pending'::text, 'running'::text])));


--
-- Name: events_at; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX events_at ON toygres.events USING btree (at);


--
-- Name: events_instance; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX events_instance ON toygres.events USING btree (instance_id, seq);


--
-- Name: health_checks_at; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX health_checks_at ON toygres.health_checks USING btree (at);


--
-- Name: health_checks_instance; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX health_checks_instance ON toygres.health_checks USING btree (instance_id, id);


--
-- Name: instance_certificates_authority; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX instance_certificates_authority ON toygres.instance_certificates USING btree (authority_id);


--
-- Name: instances_created_at; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX instances_created_at ON toygres.instances USING btree (created_at, id);


--
-- Name: instances_health_status; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX instances_health_status ON toygres.instances USING btree (health_status);


--
-- Name: instances_live_name; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE UNIQUE INDEX instances_live_name ON toygres.instances USING btree (name) WHERE (state <> 'deleted'::text);


--
-- Name: instances_name; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX instances_name ON toygres.instances USING btree (name, id);


--
-- Name: instances_state; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX instances_state ON toygres.instances USING btree (state);


--
-- Name: operations_created_at; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX operations_created_at ON toygres.operations USING btree (created_at, id);


--
-- Name: operations_excluding; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE UNIQUE INDEX operations_excluding ON toygres.operations USING btree (instance_id) WHERE (excludes AND (status = ANY (ARRAY['pending'::text, 'running'::text])));


--
-- Name: operations_idempotency; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE UNIQUE INDEX operations_idempotency ON toygres.operations USING btree (kind, idempotency_key) WHERE (idempotency_key IS NOT NULL);


--
-- Name: operations_instance; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX operations_instance ON toygres.operations USING btree (instance_id, created_at);


--
-- Name: operations_unfinished; Type: INDEX; Schema: toygres; Owner: postgres
--

CREATE INDEX operations_unfinished ON toygres.operations USING btree (created_at) WHERE (status = ANY (ARRAY['pending'::text, 'running'::text]));


--
-- Name: api_tokens api_tokens_notify; Type: TRIGGER; Schema: toygres; Owner: postgres
--

CREATE TRIGGER api_tokens_notify AFTER DELETE OR UPDATE OF role, revoked_at, expires_at ON toygres.api_tokens FOR EACH STATEMENT EXECUTE FUNCTION toygres.notify_token_change();


--
-- Name: archives archives_notify; Type: TRIGGER; Schema: toygres; Owner: postgres
--

CREATE TRIGGER archives_notify AFTER DELETE OR UPDATE OF followed, durable_lsn, durable_at, failure_code, coverage ON toygres.archives FOR EACH STATEMENT EXECUTE FUNCTION toygres.notify_backup_change();


--
-- Name: backups backups_notify; Type: TRIGGER; Schema: toygres; Owner: postgres
--

CREATE TRIGGER backups_notify AFTER INSERT OR DELETE OR UPDATE ON toygres.backups FOR EACH STATEMENT EXECUTE FUNCTION toygres.notify_backup_change();


--
-- Name: certificate_authorities certificate_authorities_notify; Type: TRIGGER; Schema: toygres; Owner: postgres
--

CREATE TRIGGER certificate_authorities_notify AFTER INSERT OR UPDATE ON toygres.certificate_authorities FOR EACH STATEMENT EXECUTE FUNCTION toygres.notify_authority_change();


--
-- Name: health_checks health_checks_notify; Type: TRIGGER; Schema: toygres; Owner: postgres
--

CREATE TRIGGER health_checks_notify AFTER INSERT ON toygres.health_checks FOR EACH ROW EXECUTE FUNCTION toygres.notify_health_check();


--
-- Name: instances instances_event; Type: TRIGGER; Schema: toygres; Owner: postgres
--

CREATE CONSTRAINT TRIGGER instances_event AFTER INSERT OR UPDATE ON toygres.instances DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION toygres.record_instance_change();


--
-- Name: instances instances_first_user; Type: TRIGGER; Schema: toygres; Owner: postgres
--

CREATE TRIGGER instances_first_user AFTER INSERT ON toygres.instances FOR EACH ROW EXECUTE FUNCTION toygres.record_first_user();


--
-- Name: instances instances_touch; Type: TRIGGER; Schema: toygres; Owner: postgres
--

CREATE TRIGGER instances_touch BEFORE UPDATE ON toygres.instances FOR EACH ROW EXECUTE FUNCTION toygres.touch_instance();


--
-- Name: operations operations_event; Type: TRIGGER; Schema: toygres; Owner: postgres
--

CREATE CONSTRAINT TRIGGER operations_event AFTER INSERT OR UPDATE ON toygres.operations DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION toygres.record_operation_change();


--
-- Name: archives archives_instance_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.archives
    ADD CONSTRAINT archives_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES toygres.instances(id);


--
-- Name: backups backups_archive_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.backups
    ADD CONSTRAINT backups_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES toygres.archives(id) ON DELETE CASCADE;


--
-- Name: backups backups_instance_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.backups
    ADD CONSTRAINT backups_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES toygres.instances(id);


--
-- Name: credentials credentials_instance_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.credentials
    ADD CONSTRAINT credentials_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES toygres.instances(id) ON DELETE CASCADE;


--
-- Name: database_users database_users_instance_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.database_users
    ADD CONSTRAINT database_users_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES toygres.instances(id) ON DELETE CASCADE;


--
-- Name: health_checks health_checks_instance_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.health_checks
    ADD CONSTRAINT health_checks_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES toygres.instances(id) ON DELETE CASCADE;


--
-- Name: instance_activity instance_activity_instance_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.instance_activity
    ADD CONSTRAINT instance_activity_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES toygres.instances(id) ON DELETE CASCADE;


--
-- Name: instance_certificates instance_certificates_authority_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.instance_certificates
    ADD CONSTRAINT instance_certificates_authority_id_fkey FOREIGN KEY (authority_id) REFERENCES toygres.certificate_authorities(id);


--
-- Name: instance_certificates instance_certificates_instance_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.instance_certificates
    ADD CONSTRAINT instance_certificates_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES toygres.instances(id) ON DELETE CASCADE;


--
-- Name: instance_certificates instance_certificates_presented_authority_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.instance_certificates
    ADD CONSTRAINT instance_certificates_presented_authority_id_fkey FOREIGN KEY (presented_authority_id) REFERENCES toygres.certificate_authorities(id);


--
-- Name: instance_databases instance_databases_instance_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.instance_databases
    ADD CONSTRAINT instance_databases_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES toygres.instances(id) ON DELETE CASCADE;


--
-- Name: instance_volumes instance_volumes_instance_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.instance_volumes
    ADD CONSTRAINT instance_volumes_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES toygres.instances(id) ON DELETE CASCADE;


--
-- Name: new_user_verifiers new_user_verifiers_instance_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.new_user_verifiers
    ADD CONSTRAINT new_user_verifiers_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES toygres.credentials(instance_id) ON DELETE CASCADE;


--
-- Name: operations operations_instance_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.operations
    ADD CONSTRAINT operations_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES toygres.instances(id);


--
-- Name: platform_passwords platform_passwords_instance_id_fkey; Type: FK CONSTRAINT; Schema: toygres; Owner: postgres
--

ALTER TABLE ONLY toygres.platform_passwords
    ADD CONSTRAINT platform_passwords_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES toygres.credentials(instance_id) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--


