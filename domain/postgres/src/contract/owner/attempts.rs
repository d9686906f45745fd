//! What owners try, and what comes of it.

use super::REFUSED;

/// A statement, and the SQLSTATEs that it may end with; the empty one if it succeeds. `{owner}` and `{database}` are replaced.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) sql: &'static str,
    pub(super) outcomes: &'static [&'static str],
}

const fn refusal(sql: &'static str) -> Attempt {
    Attempt { sql, outcomes: &[REFUSED] }
}

/// `feature_not_supported`: the extension is not installed. It could not be created if it was.
const fn no_extension(sql: &'static str) -> Attempt {
    Attempt { sql, outcomes: &[REFUSED, "0A000"] }
}

const fn success(sql: &'static str) -> Attempt {
    Attempt { sql, outcomes: &[""] }
}

/// Attempts in the database of the platform, to which owners may connect as clients of PostgreSQL (`createdb`, `pg_restore`) do.
pub(super) const IN_THE_DATABASE_OF_THE_PLATFORM: [Attempt; 4] = [
    refusal("SELECT toygres.password_fingerprint('{owner}')"),
    refusal("CREATE SCHEMA mine"),
    refusal("CREATE TABLE public.mine ()"),
    refusal("DROP SCHEMA toygres CASCADE"),
];

/// What is refused in every version.
pub(super) fn refused(version: u16) -> Vec<Attempt> {
    let mut all = FILES_AND_PROGRAMS.to_vec();
    all.extend(OTHER_SERVERS);
    all.extend(ROLES);
    all.extend(SETTINGS);
    all.extend(REPLICATION);
    if version < 16 {
        // CREATEROLE would include pg_execute_server_program.
        all.extend([refusal("CREATE ROLE toygres_replication"), refusal("CREATE ROLE contract_other"), refusal("ALTER ROLE \"{owner}\" CREATEROLE")]);
    } else {
        all.extend([
            refusal("CREATE ROLE contract_other IN ROLE pg_execute_server_program"),
            // Its creator could give its password to themselves.
            Attempt { sql: "CREATE ROLE toygres_replication", outcomes: &["42710"] },
            refusal("GRANT pg_use_reserved_connections TO \"{owner}\""),
        ]);
    }
    all
}

/// What owners expect.
pub(super) fn permitted(version: u16) -> Vec<Attempt> {
    let mut all = vec![
        success("CREATE SCHEMA contract_schema"),
        success("CREATE TABLE contract_schema.one (a int PRIMARY KEY)"),
        success("CREATE TABLE public.contract_two (a int)"),
        success("CREATE FUNCTION public.contract_f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$"),
        // Where there is a trusted extension, as in each package with the contrib modules.
        success(
            "DO $$ DECLARE extension name := (SELECT min(name) FROM pg_available_extension_versions WHERE trusted AND NOT installed AND requires IS NULL);
             BEGIN IF extension IS NOT NULL THEN EXECUTE format('CREATE EXTENSION %I SCHEMA public', extension); END IF; END $$",
        ),
        success("CREATE DATABASE contract_database"),
        success("ALTER DATABASE contract_database RENAME TO contract_renamed"),
        success("DROP DATABASE contract_renamed"),
        success("ALTER ROLE \"{owner}\" SET work_mem = '8MB'"),
        success("ALTER DATABASE \"{database}\" SET statement_timeout = '1h'"),
        success("CHECKPOINT"),
        success("CREATE PUBLICATION contract_publication FOR TABLE public.contract_two"),
        success("DO $$ BEGIN ASSERT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'checkpointer') = 1; END $$"),
        success("DO $$ BEGIN ASSERT (SELECT pg_database_size('postgres')) > 0; END $$"),
        success("DROP PUBLICATION contract_publication"),
        success("DROP SCHEMA contract_schema CASCADE"),
        success("DROP TABLE public.contract_two"),
        success("DROP FUNCTION public.contract_f()"),
        success("ALTER ROLE \"{owner}\" RESET ALL"),
        success("ALTER DATABASE \"{database}\" RESET ALL"),
    ];
    if version >= 16 {
        all.extend([
            success("CREATE ROLE contract_role LOGIN PASSWORD 'of-the-contract'"),
            success("GRANT CONNECT ON DATABASE \"{database}\" TO contract_role"),
            success("GRANT contract_role TO \"{owner}\""),
            success("SET ROLE contract_role"),
            success("RESET ROLE"),
            success("DROP OWNED BY contract_role"),
            success("DROP ROLE contract_role"),
        ]);
    }
    all
}

const FILES_AND_PROGRAMS: [Attempt; 17] = [
    refusal("SELECT pg_read_file('/etc/passwd')"),
    refusal("SELECT pg_read_binary_file('PG_VERSION')"),
    refusal("SELECT pg_stat_file('PG_VERSION')"),
    refusal("SELECT pg_ls_dir('.')"),
    success("CREATE TEMP TABLE contract_lines (line text)"),
    refusal("COPY contract_lines FROM '/etc/passwd'"),
    refusal("COPY contract_lines TO '/tmp/contract'"),
    refusal("COPY contract_lines FROM PROGRAM 'id'"),
    refusal("COPY contract_lines TO PROGRAM 'cat'"),
    refusal("SELECT lo_import('/etc/passwd')"),
    refusal("SELECT lo_export(1, '/tmp/contract')"),
    refusal("CREATE FUNCTION public.contract_system() RETURNS int LANGUAGE c AS 'libc', 'system'"),
    refusal("CREATE FUNCTION public.contract_internal() RETURNS int LANGUAGE internal AS 'pg_read_file_all'"),
    no_extension("CREATE EXTENSION plpython3u"),
    no_extension("CREATE EXTENSION plperlu"),
    refusal("LOAD '$libdir/plpgsql'"),
    refusal("CREATE TABLESPACE contract_space LOCATION '/tmp'"),
];

/// The metadata database and other instances listen on loopback as well, in the process runtime.
const OTHER_SERVERS: [Attempt; 5] = [
    no_extension("CREATE EXTENSION dblink"),
    no_extension("CREATE EXTENSION postgres_fdw"),
    no_extension("CREATE EXTENSION file_fdw"),
    refusal("CREATE FOREIGN DATA WRAPPER contract_wrapper"),
    refusal("CREATE SUBSCRIPTION contract_subscription CONNECTION 'host=127.0.0.1' PUBLICATION p WITH (connect = false)"),
];

const ROLES: [Attempt; 30] = [
    // Nobody could log in until the transaction ends.
    refusal("DO $$ BEGIN LOCK TABLE pg_catalog.pg_authid; END $$"),
    refusal("GRANT toygres_replication TO \"{owner}\""),
    refusal("SET ROLE toygres"),
    refusal("SET ROLE toygres_monitor"),
    refusal("SET SESSION AUTHORIZATION toygres"),
    refusal("ALTER ROLE toygres PASSWORD 'mine'"),
    refusal("ALTER ROLE toygres NOLOGIN"),
    refusal("ALTER ROLE toygres_monitor PASSWORD 'mine'"),
    refusal("ALTER ROLE toygres_monitor NOLOGIN"),
    refusal("ALTER ROLE toygres_monitor CONNECTION LIMIT 0"),
    refusal("ALTER ROLE toygres_monitor SET statement_timeout = 1"),
    refusal("ALTER ROLE toygres_monitor RENAME TO mine"),
    refusal("DROP ROLE toygres_monitor"),
    refusal("DROP ROLE toygres"),
    refusal("REVOKE pg_monitor FROM toygres_monitor"),
    refusal("GRANT toygres TO \"{owner}\""),
    refusal("GRANT toygres_monitor TO \"{owner}\""),
    refusal("GRANT pg_read_server_files TO \"{owner}\""),
    refusal("GRANT pg_write_server_files TO \"{owner}\""),
    refusal("GRANT pg_execute_server_program TO \"{owner}\""),
    refusal("ALTER ROLE \"{owner}\" SUPERUSER"),
    refusal("ALTER ROLE \"{owner}\" REPLICATION"),
    refusal("ALTER ROLE \"{owner}\" BYPASSRLS"),
    refusal("ALTER ROLE \"{owner}\" CONNECTION LIMIT -1"),
    refusal("CREATE ROLE contract_superuser SUPERUSER"),
    refusal("CREATE ROLE contract_replication REPLICATION"),
    refusal("SELECT rolpassword FROM pg_authid"),
    refusal("REASSIGN OWNED BY toygres TO \"{owner}\""),
    refusal("DROP OWNED BY toygres_monitor"),
    refusal("CREATE EVENT TRIGGER contract_trigger ON ddl_command_start EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()"),
];

const SETTINGS: [Attempt; 14] = [
    refusal("ALTER SYSTEM SET work_mem = '1MB'"),
    refusal("ALTER SYSTEM RESET ALL"),
    refusal("SET log_statement = 'all'"),
    refusal("SET log_min_error_statement = 'error'"),
    refusal("SELECT set_config('log_statement', 'all', false)"),
    refusal("ALTER ROLE \"{owner}\" SET log_statement = 'all'"),
    refusal("ALTER ROLE ALL SET statement_timeout = 1"),
    refusal("ALTER DATABASE \"{database}\" SET session_preload_libraries = 'mine'"),
    refusal("ALTER DATABASE postgres SET statement_timeout = 1"),
    refusal("ALTER DATABASE postgres CONNECTION LIMIT 0"),
    refusal("ALTER DATABASE postgres RENAME TO mine"),
    refusal("DROP DATABASE postgres"),
    refusal("SELECT pg_reload_conf()"),
    refusal("SELECT * FROM pg_hba_file_rules"),
];

const REPLICATION: [Attempt; 5] = [
    refusal("SELECT pg_create_physical_replication_slot('contract')"),
    refusal("SELECT pg_create_logical_replication_slot('contract', 'pgoutput')"),
    refusal("SELECT pg_backup_start('contract')"),
    refusal("SELECT pg_switch_wal()"),
    refusal("CREATE PUBLICATION contract_all FOR ALL TABLES"),
];
