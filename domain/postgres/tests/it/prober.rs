//! Checks over kept connections.

use std::time::Duration;

use futures::StreamExt;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio_util::sync::CancellationToken;
use toygres_domain::{InstanceId, instance::ReasonCode};
use toygres_postgres::{Measure, Prober};

use crate::{
    hostile::ask,
    server::{Server, TIMEOUT, eventually},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_kept_within_the_budget() {
    let (server, target) = Server::start().await;
    let (prober, shutdown) = (Prober::new(1, 4), CancellationToken::new());
    let running = tokio::spawn({
        let (prober, shutdown) = (prober.clone(), shutdown.clone());
        async move { prober.run(shutdown).await }
    });
    let mut losses = prober.losses();
    let (first, second) = (InstanceId::generate(), InstanceId::generate());
    let backends = async || server.execute("SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE application_name = 'toygres-health-check'");

    eventually("the prober runs", async || {
        ask(&prober, first, &target).await.unwrap();
        prober.ask(first, &target.endpoint, TIMEOUT, Measure::NONE).await.is_some()
    })
    .await;
    eventually("a connection is kept", async || !backends().await.is_empty()).await;
    let kept = backends().await;
    assert!(!kept.contains(' '), "one: {kept}");
    for _ in 0..10 {
        ask(&prober, first, &target).await.unwrap();
        ask(&prober, second, &target).await.unwrap();
    }
    eventually("the logins are over", async || backends().await == kept).await;

    // A login that fails is noticed within four checks, and then by every check.
    server.execute("ALTER ROLE app PASSWORD 'other'");
    let mut outcomes = Vec::new();
    for _ in 0..8 {
        outcomes.push(ask(&prober, first, &target).await.is_ok());
    }
    assert!(outcomes[3..].iter().all(|healthy| !healthy), "{outcomes:?}");
    server.execute("ALTER ROLE app PASSWORD 'right'");
    ask(&prober, first, &target).await.unwrap();

    // A lost connection is reported at once, and the next check logs in.
    server.execute(&format!("SELECT pg_terminate_backend({kept})"));
    assert_eq!(tokio::time::timeout(TIMEOUT, losses.next()).await.unwrap(), Some(first));
    ask(&prober, first, &target).await.unwrap();
    eventually("another is kept", async || !backends().await.is_empty()).await;

    // One that does not answer fails the check within its time-out.
    let silent = Pid::from_raw(backends().await.parse().unwrap());
    kill(silent, Signal::SIGSTOP).unwrap();
    let why = prober.ask(first, &target.endpoint, Duration::from_millis(300), Measure::NONE).await.expect("a connection is kept").unwrap_err();
    kill(silent, Signal::SIGCONT).unwrap();
    assert_eq!(why.code, ReasonCode::ConnectionTimeout);
    ask(&prober, first, &target).await.unwrap();

    prober.forget(first);
    eventually("it is closed", async || backends().await.is_empty()).await;

    // At the shutdown all are closed, and from then on every check logs in.
    ask(&prober, first, &target).await.unwrap();
    eventually("another is kept", async || !backends().await.is_empty()).await;
    shutdown.cancel();
    running.await.unwrap();
    eventually("it is closed", async || backends().await.is_empty()).await;
    ask(&prober, first, &target).await.unwrap();
    assert!(prober.ask(first, &target.endpoint, TIMEOUT, Measure::NONE).await.is_none());
}
