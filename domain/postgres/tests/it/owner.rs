//! What the owner of an instance does in it: checks do not depend on it, and do not prevent it.

use std::time::Duration;

use futures::StreamExt;
use toygres_domain::{InstanceId, instance::ReasonCode};
use toygres_postgres::{Measure, Target, check};

use crate::{
    hostile::{ask, running},
    server::{Server, TIMEOUT, eventually},
};

/// A server with the database `app` of the role `app`, as runtimes make it.
async fn owned() -> (Server, Target) {
    let (server, target) = Server::start().await;
    server.execute("ALTER ROLE app CREATEDB");
    server.execute("CREATE DATABASE app OWNER app");
    (server, Target { database: "app".to_owned(), ..target })
}

/// The databases of the sessions of checks.
fn sessions(server: &Server) -> String {
    server.execute_as(
        "postgres",
        "template1",
        "SELECT string_agg(datname, ' ') FROM pg_stat_activity WHERE application_name = 'toygres-health-check'",
    )
}

/// Settings that would fail a check, or make it slow, if the startup packet did not take precedence over them. Each is one that the
/// owner may set without being a superuser.
const SETTINGS: [&str; 17] = [
    "local_preload_libraries = 'no_such_library'",
    "idle_session_timeout = '200ms'",
    "idle_in_transaction_session_timeout = '1ms'",
    "statement_timeout = '1ms'",
    "lock_timeout = '1ms'",
    "tcp_user_timeout = '1ms'",
    "default_transaction_read_only = on",
    "default_transaction_isolation = serializable",
    "default_transaction_deferrable = on",
    "search_path = evil, pg_catalog",
    "role = other",
    "client_min_messages = debug5",
    "work_mem = '1GB'",
    "jit_above_cost = 0",
    "client_encoding = 'LATIN1'",
    "standard_conforming_strings = off",
    "debug_print_plan = on",
];

/// Operators of the owner that come before those of PostgreSQL in their search path.
const EVIL: &str = "CREATE SCHEMA evil;
    CREATE FUNCTION evil.refuse(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
    CREATE OPERATOR evil.= (FUNCTION = evil.refuse, LEFTARG = text, RIGHTARG = text);
    CREATE FUNCTION evil.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'";

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_owner_do_not_change_a_check() {
    let (server, target) = owned().await;
    server.execute("CREATE ROLE other");
    server.execute("GRANT other TO app");
    server.execute("GRANT CREATE ON DATABASE postgres TO app");
    for database in ["app", "postgres"] {
        server.execute_as("app", database, EVIL);
    }
    let (prober, _running) = running(1000);
    eventually("the prober runs", async || {
        prober.log_in(InstanceId::generate(), &target, TIMEOUT, Measure::NONE).await.unwrap();
        !sessions(&server).is_empty()
    })
    .await;
    let mut failed = Vec::new();
    for setting in SETTINGS {
        let subjects = ["ROLE app", "DATABASE app", "ROLE app IN DATABASE postgres", "ROLE app IN DATABASE app"];
        let alter = |what: &str| subjects.map(|subject| format!("ALTER {subject} {what};")).join(" ");
        server.execute(&format!("SET ROLE app; {}", alter(&format!("SET {setting}"))));
        let instance = InstanceId::generate();
        let checks = [
            check(&target, TIMEOUT).await,
            prober.log_in(instance, &target, TIMEOUT, Measure::NONE).await.map(|answer| answer.latency),
            prober.ask(instance, &target.endpoint, TIMEOUT, Measure::NONE).await.map_or(Ok(TIMEOUT), |asked| asked.map(|answer| answer.latency)),
        ];
        failed.extend(checks.into_iter().filter_map(Result::err).map(|why| format!("{setting}: {}", why.message)));
        prober.forget(instance);
        server.execute(&alter("RESET ALL"));
    }
    assert_eq!(failed, Vec::<String>::new());
}

/// The owner's own time-out for idle sessions does not end the kept one. Each end would cause a check.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_session_outlives_the_time_out_for_idle_sessions() {
    let (server, target) = owned().await;
    server.execute("ALTER ROLE app SET idle_session_timeout = '50ms'");
    let (prober, _running) = running(1000);
    let (instance, mut losses) = (InstanceId::generate(), prober.losses());
    eventually("a session is kept", async || {
        ask(&prober, instance, &target).await.unwrap();
        !sessions(&server).is_empty()
    })
    .await;
    // An idle session of the owner ends meanwhile.
    server.execute_as("app", "app", "SELECT 1");
    assert!(tokio::time::timeout(Duration::from_millis(500), losses.next()).await.is_err(), "the session is not lost");
    assert_eq!(sessions(&server), "postgres");
}

/// The library fails every login of the role but those of checks, so the instance stays healthy: its owner has locked themselves out, and
/// PostgreSQL tells them why.
#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_preloads_a_library_that_does_not_exist_locks_out_themselves_only() {
    let (server, target) = owned().await;
    server.execute_as("app", "app", "ALTER ROLE app SET local_preload_libraries = 'no_such_library'");
    let (prober, _running) = running(1000);
    prober.log_in(InstanceId::generate(), &target, TIMEOUT, Measure::NONE).await.unwrap();
    let url = format!("postgres://app:right@127.0.0.1:{}/app", target.endpoint.port);
    let error = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.err().expect("clients are not let in");
    assert!(error.as_db_error().unwrap().message().contains("no_such_library"), "{error:?}");
}

/// Checks of an instance of an earlier release log in as the owner's role, so an owner who changes its password fails them, and is told.
#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_changes_their_password_is_told_that_checks_need_the_former_one() {
    let (server, target) = owned().await;
    server.execute_as("app", "app", "ALTER ROLE app PASSWORD 'other'");
    let (prober, _running) = running(1000);
    let why = prober.log_in(InstanceId::generate(), &target, TIMEOUT, Measure::NONE).await.unwrap_err();
    assert_eq!(why.code, ReasonCode::AuthenticationFailed);
    assert!(why.message.contains("password that the instance was created with"), "{why:?}");
}

/// What PostgreSQL refuses while anybody else is connected to a database.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_can_copy_rename_drop_and_restore_their_database_while_it_is_checked() {
    let (server, target) = owned().await;
    let (prober, _running) = running(4);
    let instance = InstanceId::generate();
    eventually("a session is kept", async || {
        ask(&prober, instance, &target).await.unwrap();
        !sessions(&server).is_empty()
    })
    .await;
    let checking = tokio::spawn({
        let (prober, target) = (prober.clone(), target.clone());
        async move {
            loop {
                ask(&prober, instance, &target).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let owner = |sql: &str| server.execute_as("app", "postgres", sql);
    server.execute_as("app", "app", "CREATE TABLE mark (value text)");
    owner("CREATE DATABASE copy TEMPLATE app");
    owner("ALTER DATABASE copy RENAME TO renamed");
    owner("ALTER DATABASE app RENAME TO moved");
    owner("ALTER DATABASE moved RENAME TO app");
    owner("DROP DATABASE renamed");
    let dump = server.file("dump.sql");
    std::fs::write(&dump, server.client("pg_dump", "app", "app", &["-C", "-c"])).unwrap();
    server.client("psql", "app", "postgres", &["-Xq", "-v", "ON_ERROR_STOP=1", "-f", dump.to_str().unwrap()]);
    assert_eq!(server.execute_as("app", "app", "SELECT count(*) FROM mark"), "0", "it is restored");
    owner("DROP DATABASE app");
    assert!(!checking.is_finished(), "each check has succeeded, without the database too");
    checking.abort();
    assert_eq!(sessions(&server).split(' ').find(|database| *database != "postgres"), None);
}

/// An owner who is a superuser, as on Kubernetes, can do without the database that checks use. Theirs is used then, for a moment.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_of_the_platform_that_of_the_owner_is_used_and_not_kept() {
    let (server, target) = owned().await;
    let (prober, _running) = running(1000);
    let superuser = |sql: &str| server.execute_as("postgres", "template1", sql);
    eventually("the prober runs", async || {
        prober.log_in(InstanceId::generate(), &target, TIMEOUT, Measure::NONE).await.unwrap();
        !sessions(&server).is_empty()
    })
    .await;
    superuser("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'");
    for change in ["REVOKE CONNECT ON DATABASE postgres FROM PUBLIC", "ALTER DATABASE postgres ALLOW_CONNECTIONS false", "DROP DATABASE postgres"] {
        superuser(change);
        let instance = InstanceId::generate();
        prober.log_in(instance, &target, TIMEOUT, Measure::NONE).await.unwrap_or_else(|why| panic!("{change}: {why:?}"));
        assert!(prober.ask(instance, &target.endpoint, TIMEOUT, Measure::NONE).await.is_none(), "{change}: no session is kept");
        eventually(change, async || sessions(&server).is_empty()).await;
    }
    // With neither of them the reason is that of the owner's.
    superuser("DROP DATABASE app");
    assert_eq!(prober.log_in(InstanceId::generate(), &target, TIMEOUT, Measure::NONE).await.unwrap_err().code, ReasonCode::AuthenticationFailed);
}
