//! Servers are killed while they archive WAL, take base backups and restore. No committed row that `recovery.to` had covered may be
//! missing in a copy that was requested afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::DateTime;
use serde_json::{Value, json};

use super::storm::{insist, logs, random_of, scale};
use crate::{
    backups::{ON, finish, until_protected, until_recoverable},
    support::{Database, Home, Server, connect, eventually, psql, text},
};

/// Times at which servers are killed.
const KILLS: u32 = 4;
const WATCH: &str = "query($id: ID!) { instance(id: $id) { recovery { to gaps { reason } intervals { to } } } }";
const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// Microseconds since 1970, by the clock of the instance's server.
type Time = i64;

/// What the writer was told by the instance, and the observer by the control plane.
#[derive(Default)]
struct Ledger {
    /// The rows whose commit was acknowledged: the times before each was inserted, and after that.
    rows: Mutex<BTreeMap<i64, (Time, Time)>>,
    /// The latest `recovery.to`.
    covered: Mutex<Time>,
    over: AtomicBool,
}

/// A restoration that was accepted.
struct Copy {
    id: String,
    operation: String,
    /// What was covered at the request.
    covered: Time,
    /// The time that it is restored to; `None` for the end of the archive.
    target: Option<Time>,
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_killed_while_they_back_up_and_restore() {
    let (home, database) = (Home::new(), Database::start_durable());
    let mut random = random_of("backups");
    let url = database.url();
    let env = [ON, ("TOYGRES_ENGINE_LOCK_SECONDS", "5"), ("DATABASE_URL", url.as_str())];
    let addresses = [Home::free_address(), Home::free_address()];
    let mut servers = Vec::new();
    for address in &addresses {
        let mut server = home.spawn_at(address, &env).await;
        server.ready().await;
        servers.push(server);
    }
    let id = servers[0].create_ok("orders").await;
    let url = text(&servers[0].until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE rows (n bigint PRIMARY KEY); CREATE TABLE filler (text text)").await.unwrap();
    until_protected(&servers[0], &id).await;
    let ledger = Arc::<Ledger>::default();
    let writer = tokio::spawn(write(url.clone(), ledger.clone()));
    let observer = tokio::spawn(observe(addresses.clone(), id.clone(), ledger.clone(), random.fork()));

    let (mut copies, mut backups) = (Vec::new(), 0);
    for round in 0..KILLS * scale() {
        // Nobody follows an archive for some seconds after its worker has died, and then it is of no use to kill another one.
        let before = ledger.covered();
        eventually("the archive is followed again", async || ledger.covered() > before).await;
        // One of both each time, so that also few rounds have both.
        if round % 2 == 0 {
            let target = (round % 4 == 2).then(|| ledger.covered());
            copies.push(restore(&addresses, &id, &format!("copy-{round}"), target, &ledger, &mut random).await);
        } else {
            backups += u32::from(back_up(&addresses, &id, round, &mut random).await);
        }
        tokio::time::sleep(Duration::from_millis(random.u64(..2000))).await;
        let both = random.u8(..3) == 0;
        let first = random.usize(..servers.len());
        for index in (0..servers.len()).filter(|index| both || *index == first) {
            servers[index].crash().await;
        }
        for index in (0..servers.len()).filter(|index| both || *index == first) {
            servers[index] = home.spawn_at(&addresses[index], &env).await;
        }
    }
    for server in &mut servers {
        server.ready().await;
    }
    ledger.over.store(true, Ordering::Relaxed);
    writer.await.unwrap_or_else(|panic| panic!("the writer: {panic}\n{}", logs(&servers)));
    observer.await.unwrap_or_else(|panic| panic!("the observer: {panic}\n{}", logs(&servers)));

    for copy in &copies {
        check(&servers[0], copy, &ledger).await;
    }
    // Everything that was committed is in the archive, without a gap.
    until_recoverable(&servers[0], &id, &url).await;
    let recovery = servers[0].query(WATCH, json!({ "id": id })).await["instance"]["recovery"].clone();
    assert_eq!((&recovery["gaps"], recovery["intervals"].as_array().unwrap().len()), (&json!([]), 1), "{recovery:#}");
    let last = restore(&addresses, &id, "last", None, &ledger, &mut random).await;
    let rows = check(&servers[0], &Copy { covered: Time::MAX, ..last }, &ledger).await;
    println!("chaos 'backups': {} copies have what was covered, and the last one all of {rows} rows; {backups} backups", copies.len());
    for server in &servers {
        assert!(!server.log().contains("panicked"), "{}", server.log());
    }
    for server in servers {
        server.kill().await;
    }
}

impl Ledger {
    fn covered(&self) -> Time {
        *self.covered.lock().unwrap()
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

/// Commits rows, and now and then as much that a segment is full.
async fn write(url: String, ledger: Arc<Ledger>) {
    let client = connect(&url).await;
    let now = async || client.query_one(NOW, &[]).await.unwrap().get::<_, Time>(0);
    for row in 0_i64.. {
        if ledger.is_over() {
            return;
        }
        let before = now().await;
        client.execute("INSERT INTO rows VALUES ($1)", &[&row]).await.unwrap();
        let after = now().await;
        ledger.rows.lock().unwrap().insert(row, (before, after));
        if row % 100 == 0 {
            client.batch_execute("TRUNCATE filler; INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 5000)").await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Asks the servers that live what is covered.
async fn observe(addresses: [String; 2], id: String, ledger: Arc<Ledger>, mut random: fastrand::Rng) {
    while !ledger.is_over() {
        let instance = insist(&addresses, WATCH, json!({ "id": id }), "instance", &mut random).await;
        if let Some(to) = instance["recovery"]["to"].as_str() {
            let to = to.parse::<DateTime<chrono::Utc>>().unwrap().timestamp_micros();
            let mut covered = ledger.covered.lock().unwrap();
            *covered = to.max(*covered);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Requests a base backup, unless one is being taken. Returns whether it was accepted.
async fn back_up(addresses: &[String], id: &str, round: u32, random: &mut fastrand::Rng) -> bool {
    let document = "mutation($id: ID!, $key: String) { createBackup(input: { instanceId: $id, idempotencyKey: $key }) {
        operation { id } userErrors { code } } }";
    let payload = insist(addresses, document, json!({ "id": id, "key": format!("backup-{round}") }), "createBackup", random).await;
    assert!(payload["operation"].is_object() || payload["userErrors"][0]["code"] == "CONFLICT", "{payload}");
    payload["operation"].is_object()
}

async fn restore(addresses: &[String], id: &str, name: &str, target: Option<Time>, ledger: &Ledger, random: &mut fastrand::Rng) -> Copy {
    let covered = ledger.covered();
    let document = "mutation($input: RestoreInstanceInput!) { restoreInstance(input: $input) {
        instance { id } operation { id } userErrors { code message } } }";
    let time = target.map(|target| DateTime::from_timestamp_micros(target).unwrap().to_rfc3339());
    let input = json!({ "sourceId": id, "name": name, "target": time.map(|time| json!({ "time": time })), "idempotencyKey": name });
    let payload = insist(addresses, document, json!({ "input": input }), "restoreInstance", random).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    Copy { id: text(&payload["instance"]["id"]), operation: text(&payload["operation"]["id"]), covered, target }
}

/// Asserts that a copy has every row that it must have, and none of later. Deletes it, and returns how many rows it has.
async fn check(server: &Server, copy: &Copy, ledger: &Ledger) -> usize {
    finish(server, &copy.operation, "SUCCEEDED").await;
    let url = text(&server.until_healthy(&copy.id).await["connectionString"]);
    let listed = psql(&url, "SELECT n FROM rows ORDER BY n").await.unwrap();
    let there: BTreeSet<i64> = listed.lines().map(|line| line.parse().unwrap()).collect();
    let rows = ledger.rows.lock().unwrap().clone();
    let promised = copy.target.unwrap_or(copy.covered);
    let missing: Vec<_> = rows.iter().filter(|(row, (_, after))| *after <= promised && !there.contains(row)).collect();
    assert!(missing.is_empty(), "{missing:?} were committed before {promised}, and are not in {}\n{}", copy.id, server.log());
    let later: Vec<_> = rows.iter().filter(|(row, (before, _))| copy.target.is_some_and(|target| *before > target) && there.contains(row)).collect();
    assert!(later.is_empty(), "{later:?} were begun after {promised}, and are in {}", copy.id);
    let deletion = server.delete(&copy.id).await;
    assert_eq!(deletion["userErrors"], Value::Array(Vec::new()), "{deletion}");
    there.len()
}
