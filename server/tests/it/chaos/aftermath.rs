//! The checks after the faults.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::task::JoinHandle;
use tokio_postgres::NoTls;

use super::storm::{Town, logs};
use crate::support::{Home, Server, eventually, processes_of, psql, text};

/// The slowest repair takes several rounds of the sweeper.
const TIMEOUT: Duration = Duration::from_secs(200);

/// Asserts the result of every accepted operation, then deletes the remaining instances and asserts that nothing is left.
pub async fn check(home: &Home, url: &str, mut servers: Vec<Server>, town: &Town, subscriber: JoinHandle<Vec<i64>>) {
    for server in &mut servers {
        server.ready().await;
    }
    let metadata = Metadata::connect(url).await;
    metadata.until_none("SELECT id || ' ' || status FROM toygres.operations WHERE finished_at IS NULL", &servers).await;

    let accepted = town.ledger.lock().unwrap().clone();
    let ends: BTreeMap<_, _> = metadata.pairs("SELECT id, status FROM toygres.operations").await.into_iter().collect();
    for promise in &accepted {
        let creation = ends.get(&promise.creation).map(String::as_str);
        // Only a deletion that supersedes a creation cancels it.
        let well = creation == Some("succeeded") || (creation == Some("cancelled") && promise.deletion.is_some());
        assert!(well, "{promise:?} ended as {creation:?}: {:?}\n{}", metadata.operation(&promise.creation).await, logs(&servers));
        for restart in &promise.restarts {
            let end = ends.get(restart).map(String::as_str);
            let well = end == Some("succeeded") || (end == Some("cancelled") && promise.deletion.is_some());
            assert!(well, "{restart} ended as {end:?}: {:?}\n{}", metadata.operation(restart).await, logs(&servers));
        }
        if let Some(deletion) = &promise.deletion {
            assert_eq!(ends.get(deletion).map(String::as_str), Some("succeeded"), "{promise:?}\n{}", logs(&servers));
        }
    }
    let promised: BTreeSet<_> = accepted.iter().map(|promise| (promise.name.clone(), promise.id.clone())).collect();
    let made: Vec<_> = metadata.pairs("SELECT name, id::text FROM toygres.instances").await;
    assert_eq!(made.len(), promised.len(), "nothing is made twice");
    assert_eq!(made.into_iter().collect::<BTreeSet<_>>(), promised);
    let restarts: usize = accepted.iter().map(|promise| promise.restarts.len()).sum();
    let orders = accepted.len() + restarts + accepted.iter().filter(|promise| promise.deletion.is_some()).count();
    assert_eq!(ends.len(), orders, "no operation but those that were ordered: {ends:?}");

    // Every instance that was not deleted is running, accepts connections, and has exactly one health check loop.
    let kept: Vec<_> = (0..accepted.len()).filter(|index| accepted[*index].deletion.is_none()).collect();
    for index in &kept {
        let now = servers[0].until_healthy(&accepted[*index].id).await;
        let answer = psql(&text(&now["connectionString"]), "SELECT 1").await;
        assert_eq!(answer.as_deref(), Ok("1"), "{:?}\n{}", accepted[*index], logs(&servers));
    }
    metadata
        .until_none(
            "SELECT i.id || ' has loops: ' || coalesce(string_agg(e.instance_id, ', '), 'none') FROM toygres.instances i
             LEFT JOIN duroxide.executions e ON e.instance_id LIKE 'health-' || i.id || '-%' AND e.status = 'Running'
             WHERE i.state = 'running' GROUP BY i.id, i.health_check_orchestration_id
             HAVING array_agg(e.instance_id) IS DISTINCT FROM ARRAY[i.health_check_orchestration_id]",
            &servers,
        )
        .await;
    let running: BTreeSet<_> = kept.iter().flat_map(|index| [accepted[*index].id.clone(), format!("{}.lock", accepted[*index].id)]).collect();
    // A crash can leave a lock file, which the host deletes periodically.
    eventually("there is no directory but those of running ones", async || objects(home) == running).await;

    let mut random = fastrand::Rng::new();
    for index in &kept {
        town.delete(*index, &mut random).await;
        servers[0].until_deleted(&accepted[*index].id).await;
    }
    metadata.until_none("SELECT id || ' ' || status FROM toygres.operations WHERE finished_at IS NULL", &servers).await;
    metadata.until_none("SELECT instance_id FROM duroxide.executions WHERE status = 'Running'", &servers).await;
    metadata.until_none("SELECT work_item FROM duroxide.worker_queue", &servers).await;
    for leftover in ["SELECT name FROM toygres.instances WHERE state <> 'deleted'", "SELECT instance_id::text FROM toygres.credentials"] {
        assert_eq!(metadata.texts(leftover).await, Vec::<String>::new(), "{leftover}");
    }
    eventually("no directory is left", async || objects(home).is_empty()).await;

    town.until.store(metadata.head().await, Ordering::Relaxed);
    let seen = tokio::time::timeout(TIMEOUT, subscriber).await.expect("the subscriber catches up").unwrap();
    let last = seen.last().copied().unwrap_or_default();
    let written: Vec<_> = metadata.events().await.into_iter().filter(|event| *event <= last).collect();
    assert_eq!(seen, written, "each event once, in the order of commits");

    for server in &servers {
        let log = server.log();
        assert!(!log.contains("panicked"), "{log}");
        let health = server.get("/health").await.json::<serde_json::Value>().await.unwrap();
        assert_ne!(health["status"], json!("stopping"), "{health}");
    }
    for server in servers {
        server.stop().await;
    }
    assert_eq!(processes_of(home), Vec::<String>::new(), "no process is left");
}

/// The directories of instances in all states, and the lock files.
fn objects(home: &Home) -> BTreeSet<String> {
    let entries = std::fs::read_dir(home.path().join("data/instances")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Direct queries of the metadata database.
struct Metadata(tokio_postgres::Client);

impl Metadata {
    async fn connect(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        Self(client)
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        self.0.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    async fn pairs(&self, sql: &str) -> Vec<(String, String)> {
        self.0.query(sql, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    async fn operation(&self, id: &str) -> Vec<String> {
        self.texts(&format!("SELECT row_to_json(o)::text FROM toygres.operations o WHERE id = '{id}'")).await
    }

    async fn events(&self) -> Vec<i64> {
        self.0.query("SELECT seq FROM toygres.events ORDER BY seq", &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    async fn head(&self) -> i64 {
        self.0.query_one("SELECT toygres.event_head()", &[]).await.unwrap().get(0)
    }

    async fn until_none(&self, sql: &str, servers: &[Server]) {
        // The slowest repair is the sweeper's, once a minute.
        let deadline = Instant::now() + TIMEOUT * 2;
        loop {
            let left = self.texts(sql).await;
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "{sql}\nstill says {left:#?}\n{}", logs(servers));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}
