//! Checks of the health against a real PostgreSQL: each failure provoked, and named for what it is.

use std::time::Duration;

use futures::StreamExt;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::TcpListener};
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, Reason, ReasonCode},
    secret::Secret,
};
use toygres_postgres::{Prober, Target, check};

use crate::support::{Database, eventually, psql};

const TIMEOUT: Duration = Duration::from_secs(2);

/// A server with a role `app`, whose password is asked for.
async fn prepared() -> (Database, Target) {
    let database = Database::start();
    run(&database, "CREATE ROLE app LOGIN PASSWORD 'right'").await;
    let rules = database.file("pg_hba.conf");
    let old = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, format!("host all app 127.0.0.1/32 scram-sha-256\n{old}")).unwrap();
    run(&database, "SELECT pg_reload_conf()").await;
    let target = Target {
        endpoint: Endpoint { host: "127.0.0.1".to_owned(), port: database.port() },
        username: "app".to_owned(),
        password: Secret::new("right".to_owned()),
        database: "postgres".to_owned(),
    };
    eventually("the rules are in force", async || {
        let wrong = Target { password: Secret::new("wrong".to_owned()), ..target.clone() };
        check(&wrong, TIMEOUT).await.is_err()
    })
    .await;
    (database, target)
}

async fn run(database: &Database, sql: &str) {
    psql(&database.url(), sql).await.unwrap();
}

async fn found(target: &Target) -> ReasonCode {
    check(target, TIMEOUT).await.expect_err("something is wrong").code
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_of_a_server_has_its_name() {
    let (database, target) = prepared().await;
    assert!(check(&target, TIMEOUT).await.unwrap() < TIMEOUT);

    let with = |change: fn(&mut Target)| {
        let mut other = target.clone();
        change(&mut other);
        other
    };
    assert_eq!(found(&with(|it| it.password = Secret::new("wrong".to_owned()))).await, ReasonCode::AuthenticationFailed);
    assert_eq!(found(&with(|it| it.database = "gone".to_owned())).await, ReasonCode::AuthenticationFailed);
    assert_eq!(found(&with(|it| it.endpoint.host = "no-such-host.invalid".to_owned())).await, ReasonCode::DnsFailed);

    run(&database, "ALTER SYSTEM SET default_transaction_read_only = on").await;
    run(&database, "SELECT pg_reload_conf()").await;
    eventually("it is read-only", async || check(&target, TIMEOUT).await.is_err_and(|why| why.code == ReasonCode::ReadOnly)).await;
    run(&database, "ALTER SYSTEM RESET default_transaction_read_only").await;
    run(&database, "SELECT pg_reload_conf()").await;
    eventually("it takes writes", async || check(&target, TIMEOUT).await.is_ok()).await;

    let server = Pid::from_raw(database.postmaster());
    kill(server, Signal::SIGSTOP).unwrap();
    assert_eq!(found(&target).await, ReasonCode::ConnectionTimeout);
    kill(server, Signal::SIGCONT).unwrap();
    eventually("it goes on", async || check(&target, TIMEOUT).await.is_ok()).await;

    run(&database, "ALTER SYSTEM SET max_connections = 4").await;
    run(&database, "ALTER SYSTEM SET superuser_reserved_connections = 3").await;
    run(&database, "ALTER SYSTEM SET max_wal_senders = 0").await;
    database.halt();
    database.resume();
    let holder =
        tokio_postgres::connect(&format!("postgres://app:right@127.0.0.1:{}/postgres", database.port()), tokio_postgres::NoTls).await.unwrap();
    assert_eq!(found(&target).await, ReasonCode::TooManyConnections);
    drop(holder);
    run(&database, "ALTER SYSTEM RESET ALL").await;

    database.halt();
    assert_eq!(found(&target).await, ReasonCode::ConnectionRefused);

    // A standby answers, and says that it is one; one that does not let anybody read says so at the login.
    std::fs::write(database.file("standby.signal"), "").unwrap();
    database.resume();
    eventually("it is a standby", async || check(&target, TIMEOUT).await.is_err_and(|why| why.message.contains("in recovery"))).await;
    assert_eq!(found(&target).await, ReasonCode::StartingUp);
    database.halt();
    std::fs::write(database.file("postgresql.auto.conf"), "hot_standby = off\n").unwrap();
    database.resume();
    assert_eq!(found(&target).await, ReasonCode::StartingUp);
    assert!(!check(&target, TIMEOUT).await.unwrap_err().message.contains("in recovery"), "the server itself refused");
}

/// A login writes to the volume, so a full one shows; and what PostgreSQL then says is named. (A volume that is really full
/// takes a mount, which tests may not make. So both halves are seen apart: files may not grow, and the error is raised.)
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_found_out() {
    let (database, target) = prepared().await;
    assert!(check(&target, TIMEOUT).await.is_ok());
    // Its owner may do that; it holds for new server processes.
    let limit = |bytes: &str| {
        let limit = format!("--fsize={bytes}:");
        assert!(database.as_owner("prlimit", &["--pid", &database.postmaster().to_string(), &limit]), "prlimit works");
    };
    limit("12000");
    let why = check(&target, TIMEOUT).await.unwrap_err();
    assert!(why.message.contains("could not write to file \"base/pgsql_tmp"), "{why:?}");
    limit("unlimited");
    assert!(check(&target, TIMEOUT).await.is_ok());
    run(
        &database,
        "SET allow_system_table_mods = on; ALTER FUNCTION pg_catalog.pg_is_in_recovery() RENAME TO pg_is_in_recovery_indeed;
         CREATE FUNCTION pg_catalog.pg_is_in_recovery() RETURNS bool LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$",
    )
    .await;
    assert_eq!(found(&target).await, ReasonCode::DiskFull);
}

/// It offers TLS and then talks nonsense.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_handshake_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut asked = [0; 8];
            let _ = socket.read_exact(&mut asked).await;
            let _ = socket.write_all(b"SHTTP/1.1 400 Bad Request\r\n\r\n").await;
            // What it says must arrive before its end does.
            let _ = socket.read_to_end(&mut Vec::new()).await;
        }
    });
    let target = Target {
        endpoint: Endpoint { host: "127.0.0.1".to_owned(), port },
        username: "app".to_owned(),
        password: Secret::new("right".to_owned()),
        database: "postgres".to_owned(),
    };
    assert_eq!(found(&target).await, ReasonCode::TlsFailed);
}

/// A check as the loops do it.
async fn ask(prober: &Prober, instance: InstanceId, target: &Target, timeout: Duration) -> Result<Duration, Reason> {
    match prober.ask(instance, &target.endpoint, timeout).await {
        Some(outcome) => outcome,
        None => prober.log_in(instance, target, timeout).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_kept_within_the_budget() {
    let (database, target) = prepared().await;
    let prober = Prober::new(1, 4);
    let mut losses = prober.losses();
    let (first, second) = (InstanceId::generate(), InstanceId::generate());
    let backends = async || {
        psql(&database.url(), "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE application_name = 'toygres-health-check'")
            .await
            .unwrap()
    };

    ask(&prober, first, &target, TIMEOUT).await.unwrap();
    eventually("a connection is kept", async || !backends().await.is_empty()).await;
    let kept = backends().await;
    assert!(!kept.contains(' '), "one: {kept}");
    for _ in 0..10 {
        ask(&prober, first, &target, TIMEOUT).await.unwrap();
        ask(&prober, second, &target, TIMEOUT).await.unwrap();
    }
    eventually("the logins are over", async || backends().await == kept).await;

    // A trouble of logging in is found out within four checks, and then by every check.
    run(&database, "ALTER ROLE app PASSWORD 'other'").await;
    let mut outcomes = Vec::new();
    for _ in 0..8 {
        outcomes.push(ask(&prober, first, &target, TIMEOUT).await.is_ok());
    }
    assert!(outcomes[3..].iter().all(|well| !well), "{outcomes:?}");
    run(&database, "ALTER ROLE app PASSWORD 'right'").await;
    ask(&prober, first, &target, TIMEOUT).await.unwrap();

    // Broken, it says so at once; and the next check finds a server that is well.
    run(&database, &format!("SELECT pg_terminate_backend({kept})")).await;
    assert_eq!(tokio::time::timeout(TIMEOUT, losses.next()).await.unwrap(), Some(first));
    ask(&prober, first, &target, TIMEOUT).await.unwrap();
    eventually("another is kept", async || !backends().await.is_empty()).await;

    // One that is silent is a failure of the check, in its time.
    let silent = Pid::from_raw(backends().await.parse().unwrap());
    kill(silent, Signal::SIGSTOP).unwrap();
    let why = ask(&prober, first, &target, Duration::from_millis(300)).await.unwrap_err();
    kill(silent, Signal::SIGCONT).unwrap();
    assert_eq!(why.code, ReasonCode::ConnectionTimeout);
    ask(&prober, first, &target, TIMEOUT).await.unwrap();

    prober.forget(first);
    eventually("it is given up", async || backends().await.is_empty()).await;
}
