//! Collations whose library has another version than the indexes were built with.

use tokio_util::sync::CancellationToken;
use toygres_domain::InstanceId;
use toygres_postgres::{Measure, Prober};

use crate::server::{Server, TIMEOUT, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_finds_databases_whose_collation_has_changed() {
    let (server, target) = Server::start().await;
    let (prober, shutdown, instance) = (Prober::new(1, 4), CancellationToken::new(), InstanceId::generate());
    let running = tokio::spawn({
        let (prober, shutdown) = (prober.clone(), shutdown.clone());
        async move { prober.run(shutdown).await }
    });
    let outdated = async || prober.log_in_anew(instance, &target, TIMEOUT, Measure::NONE).await.unwrap().outdated_collations;
    let create = |database: &str, owner: &str| {
        server.execute(&format!(
            "CREATE DATABASE {database} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en'"
        ));
    };
    create("shop", "app");
    create("other", "postgres");
    assert_eq!(outdated().await.as_deref(), Some(""));

    server.execute("UPDATE pg_database SET datcollversion = '0' WHERE datname IN ('shop', 'other')");
    let found = outdated().await.unwrap();
    assert!(found.starts_with("shop (0, now ") && !found.contains("other"), "those that the owner can refresh: {found}");
    eventually("a kept connection does not ask", async || {
        prober.log_in(instance, &target, TIMEOUT, Measure::NONE).await.unwrap();
        prober.ask(instance, &target.endpoint, TIMEOUT, Measure::NONE).await.is_some_and(|answer| answer.unwrap().outdated_collations.is_none())
    })
    .await;

    server.execute("ALTER DATABASE shop REFRESH COLLATION VERSION");
    assert_eq!(outdated().await.as_deref(), Some(""));
    // A locale that is gone, or a version that is recorded for a collation without one, is no outage.
    server.execute("UPDATE pg_database SET datcollversion = '0', daticulocale = 'nonsense-locale', datcollate = 'gone' WHERE datname = 'shop'");
    prober.log_in_anew(instance, &target, TIMEOUT, Measure::NONE).await.unwrap();
    shutdown.cancel();
    running.await.unwrap();
}
