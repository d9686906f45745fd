//! Checks that log in: each failure is provoked, and named for what it is.

use nix::sys::signal::{Signal, kill};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use toygres_domain::{instance::ReasonCode, secret::Secret};
use toygres_postgres::{Target, check};

use crate::server::{Server, TIMEOUT, app, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_of_a_server_has_its_name() {
    let (server, target) = Server::start().await;
    assert!(check(&target, TIMEOUT).await.unwrap() < TIMEOUT);

    let with = |change: fn(&mut Target)| {
        let mut other = target.clone();
        change(&mut other);
        other
    };
    assert_eq!(found(&with(|it| it.password = Secret::new("wrong".to_owned()))).await, ReasonCode::AuthenticationFailed);
    assert_eq!(found(&with(|it| it.database = "gone".to_owned())).await, ReasonCode::AuthenticationFailed);
    assert_eq!(found(&with(|it| it.endpoint.host = "no-such-host.invalid".to_owned())).await, ReasonCode::DnsFailed);

    server.execute("ALTER SYSTEM SET default_transaction_read_only = on");
    server.execute("SELECT pg_reload_conf()");
    eventually("it is read-only", async || check(&target, TIMEOUT).await.is_err_and(|why| why.code == ReasonCode::ReadOnly)).await;
    server.execute("ALTER SYSTEM RESET default_transaction_read_only");
    server.execute("SELECT pg_reload_conf()");
    eventually("it takes writes", async || check(&target, TIMEOUT).await.is_ok()).await;

    kill(server.pid(), Signal::SIGSTOP).unwrap();
    assert_eq!(found(&target).await, ReasonCode::ConnectionTimeout);
    kill(server.pid(), Signal::SIGCONT).unwrap();
    eventually("it answers again", async || check(&target, TIMEOUT).await.is_ok()).await;

    server.execute("ALTER SYSTEM SET max_connections = 4");
    server.execute("ALTER SYSTEM SET superuser_reserved_connections = 3");
    server.execute("ALTER SYSTEM SET max_wal_senders = 0");
    server.halt();
    server.resume();
    let holder =
        tokio_postgres::connect(&format!("postgres://app:right@127.0.0.1:{}/postgres", target.endpoint.port), tokio_postgres::NoTls).await.unwrap();
    assert_eq!(found(&target).await, ReasonCode::TooManyConnections);
    drop(holder);
    server.execute("ALTER SYSTEM RESET ALL");

    server.halt();
    assert_eq!(found(&target).await, ReasonCode::ConnectionRefused);

    // A standby answers, and says that it is one; one that does not let anybody read says so at the login.
    std::fs::write(server.file("standby.signal"), "").unwrap();
    server.resume();
    eventually("it is a standby", async || check(&target, TIMEOUT).await.is_err_and(|why| why.message.contains("in recovery"))).await;
    assert_eq!(found(&target).await, ReasonCode::StartingUp);
    server.halt();
    std::fs::write(server.file("postgresql.auto.conf"), "hot_standby = off\n").unwrap();
    server.resume();
    assert_eq!(found(&target).await, ReasonCode::StartingUp);
    assert!(!check(&target, TIMEOUT).await.unwrap_err().message.contains("in recovery"), "the server itself refused");
}

/// A login writes to the volume, and what PostgreSQL answers when that is full is named. A full volume takes a mount, which
/// tests may not make, so both are tested apart: files may not grow, and the error is raised.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_found_out() {
    let (server, target) = Server::start().await;
    assert!(check(&target, TIMEOUT).await.is_ok());
    // Its owner may do that; it holds for new server processes.
    let limit = |bytes: &str| {
        let limit = format!("--fsize={bytes}:");
        assert!(server.as_owner("prlimit", &["--pid", &server.pid().to_string(), &limit]), "prlimit works");
    };
    limit("12000");
    let why = check(&target, TIMEOUT).await.unwrap_err();
    assert!(why.message.contains("could not write to file \"base/pgsql_tmp"), "{why:?}");
    limit("unlimited");
    assert!(check(&target, TIMEOUT).await.is_ok());
    server.execute(
        "SET allow_system_table_mods = on; ALTER FUNCTION pg_catalog.pg_is_in_recovery() RENAME TO pg_is_in_recovery_indeed;
         CREATE FUNCTION pg_catalog.pg_is_in_recovery() RETURNS bool LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$",
    );
    assert_eq!(found(&target).await, ReasonCode::DiskFull);
}

/// The server offers TLS and then does not speak it.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_handshake_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut asked = [0; 8];
            let _ = socket.read_exact(&mut asked).await;
            let _ = socket.write_all(b"SHTTP/1.1 400 Bad Request\r\n\r\n").await;
            // The answer has to arrive before the end of the connection.
            let _ = socket.read_to_end(&mut Vec::new()).await;
        }
    });
    assert_eq!(found(&app(port)).await, ReasonCode::TlsFailed);
}

/// Why the check of a target fails.
async fn found(target: &Target) -> ReasonCode {
    check(target, TIMEOUT).await.expect_err("the check fails").code
}
