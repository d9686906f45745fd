//! What is read of a server at once, where it is not as a runtime would make it.

use std::time::Duration;

use toygres_domain::{instance::ReasonCode, session::SessionState, statement_statistics::TopQueryOrder};
use toygres_postgres::{sessions, statements};

use crate::{server::eventually, storage::Instance};

const TIMEOUT: Duration = Duration::from_secs(10);

/// A statement in a database with another encoding, with more bytes than are kept, and with a secret: it is readable.
#[tokio::test(flavor = "multi_thread")]
async fn statements_of_every_encoding_and_length_are_readable() {
    let Instance { server, logins, .. } = Instance::start().await;
    server.execute("ALTER SYSTEM SET track_activity_query_size = '16kB'");
    server.halt();
    server.resume();
    server.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    let long = "ä".repeat(5000);
    let clients: Vec<_> = [("latin", ""), ("postgres", long.as_str())]
        .into_iter()
        .map(|(database, filler)| {
            let url = format!("host=127.0.0.1 port={} user=postgres dbname={database}", server.port());
            let sql = format!("SELECT pg_sleep(600), 'größe', 'password=hunter2', '{filler}'");
            tokio::spawn(async move {
                let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
                tokio::spawn(connection);
                client.batch_execute(&sql).await
            })
        })
        .collect();
    let mut seen = Vec::new();
    eventually("both are seen", async || {
        seen = sessions::list(&logins, 10, TIMEOUT).await.unwrap().sessions;
        seen.retain(|session| session.state == Some(SessionState::Active) && session.username.as_deref() == Some("postgres"));
        seen.len() == 2
    })
    .await;
    for session in &seen {
        let text = session.statement.clone().unwrap();
        assert!(text.contains("pg_sleep(600)") && !text.contains("hunter2") && text.len() <= 2000, "{text}");
        match session.database.as_deref() {
            Some("latin") => assert!(text.contains("gr\u{fffd}\u{fffd}e") && text.contains("password=***"), "{text}"),
            _ => assert!(text.contains("größe") && text.ends_with('ä'), "{text}"),
        }
    }
    let one = sessions::list(&logins, 1, TIMEOUT).await.unwrap();
    assert_eq!((one.sessions.len(), one.total), (1, 2));
    clients.iter().for_each(tokio::task::JoinHandle::abort);
}

/// An installation without the contrib modules, and one that has got them.
#[tokio::test(flavor = "multi_thread")]
async fn statistics_that_are_missing_have_a_reason() {
    let Instance { server, logins, .. } = Instance::start().await;
    let top = async || statements::top(&logins, TopQueryOrder::Calls, 5, TIMEOUT).await;
    let why = top().await.unwrap_err();
    assert!(why.code == ReasonCode::StatisticsMissing && why.message.contains("install the contrib modules"), "{why:?}");
    server.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'");
    server.halt();
    server.resume();
    // Servers of the control plane ask at the same time.
    let (one, other) = tokio::join!(top(), top());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    server.execute("DROP EXTENSION pg_stat_statements");
    top().await.expect("it is created again");
    server.execute("ALTER SYSTEM RESET shared_preload_libraries");
    server.halt();
    server.resume();
    assert_eq!(top().await.unwrap_err().code, ReasonCode::StatisticsMissing, "the extension is there, and its library is not");
}
