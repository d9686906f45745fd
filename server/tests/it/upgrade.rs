//! Upgrades to another major version, through the API, the command line and SQL, on local processes.

use std::{sync::mpsc::RecvTimeoutError, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use toygres_k8s::build::names;
use toygres_store::testing::PodServer;

use crate::{
    backups::{ON, finish, until_protected, until_recoverable},
    cli::commands::{json as json_of, run},
    kubernetes::Platform,
    restore::{restore, rows},
    support::{Home, Server, eventually, psql, text},
};

const UPGRADE: &str = "mutation($input: UpgradeInstanceInput!) { upgradeInstance(input: $input) {
    instance { state } operation { id kind status canCancel } userErrors { code field message } } }";
const TARGETS: &str = "query($id: ID!) { instance(id: $id) { upgradeTargets { version obstacle } } }";
const CHECKSUM: &str = "SELECT count(*) || ' ' || md5(string_agg(word, '' ORDER BY i)) FROM t";

/// The version of this machine, the one to upgrade to, and the installations of both and of those between them, which lack programs.
pub fn versions() -> (String, String, String) {
    let found = PodServer::complete_installations();
    let to = found.iter().map(|(version, _)| *version).max().unwrap();
    assert!(found[0].0 < to, "there is no complete PostgreSQL that is newer: run scripts/install-test-postgres, and set TOYGRES_TEST_POSTGRES");
    let place = std::env::var("TOYGRES_TEST_POSTGRES").unwrap();
    let between = [16, 17].map(|version| format!("{place}/{version}/bin"));
    let bins: Vec<_> = found.iter().map(|(_, bin)| bin.to_str().unwrap().to_owned()).chain(between).collect();
    (found[0].0.to_string(), to.to_string(), bins.join(":"))
}

async fn request(server: &Server, input: Value) -> Value {
    server.query(UPGRADE, json!({ "input": input })).await["upgradeInstance"].clone()
}

/// Requests an upgrade that is accepted. Returns the id of the operation.
pub async fn accepted(server: &Server, input: Value) -> String {
    let answer = request(server, input).await;
    assert_eq!((&answer["userErrors"], &answer["operation"]["kind"]), (&json!([]), &json!("UPGRADE")), "{answer:#}");
    text(&answer["operation"]["id"])
}

pub async fn operation(server: &Server, id: &str) -> Value {
    let query = "query($id: ID!) { operation(id: $id) { status canCancel error { code message } steps { name status findings error { message } } } }";
    server.query(query, json!({ "id": id })).await["operation"].clone()
}

fn is_unfinished(operation: &Value) -> bool {
    operation["status"] == "RUNNING" || operation["status"] == "PENDING"
}

pub fn step<'a>(operation: &'a Value, name: &str) -> &'a Value {
    operation["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).expect("it has the step")
}

/// An instance of the former version with everything that an upgrade has to keep. Returns its id and its URL.
async fn full(server: &Server, name: &str, version: &str) -> (String, String) {
    let payload = server.create(json!({ "name": name, "postgresVersion": version, "parameters": [{ "name": "work_mem", "value": "8MB" }] })).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    let id = text(&payload["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    for statement in [
        "CREATE TABLE t AS SELECT i, md5(i::text) AS word FROM generate_series(1, 20000) AS i",
        "CREATE INDEX ON t (word)",
        "CREATE EXTENSION hstore VERSION '1.4'",
        "CREATE TABLE parts (n int, attributes hstore) PARTITION BY RANGE (n)",
        "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20)",
        "INSERT INTO parts SELECT n, hstore('n', n::text) FROM generate_series(0, 19) AS n",
        "SELECT lo_from_bytea(4711, 'a large object')",
    ] {
        psql(&url, statement).await.unwrap();
    }
    let user =
        "mutation($id: ID!) { createDatabaseUser(input: { instanceId: $id, name: \"reader\", access: READ_ONLY, password: \"the-reader's\" }) {
        operation { id } userErrors { message } } }";
    let user = server.query(user, json!({ "id": id })).await["createDatabaseUser"].clone();
    finish(server, &text(&user["operation"]["id"]), "SUCCEEDED").await;
    (id, url)
}

/// What [`full`] has made.
async fn contents(url: &str) -> String {
    let mut found = Vec::new();
    for query in [
        CHECKSUM,
        "SELECT count(*) || ' ' || sum((attributes -> 'n')::int) FROM parts",
        "SELECT count(*) FROM pg_inherits",
        "SELECT convert_from(lo_get(4711), 'UTF8')",
        "SHOW work_mem",
    ] {
        found.push(psql(url, query).await.unwrap());
    }
    let reader = format!("postgres://reader:the-reader's@{}", url.rsplit('@').next().unwrap());
    found.push(psql(&reader, "SELECT count(*) FROM t").await.unwrap());
    found.join("\n")
}

pub async fn version(url: &str) -> String {
    psql(url, "SELECT current_setting('server_version_num')::int / 10000").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_upgraded_with_everything_in_it() {
    let home = Home::new();
    let (from, to, bins) = versions();
    let env = [ON, ("TOYGRES_PG_BIN", bins.as_str()), ("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")];
    let mut server = home.start_with(&env).await;
    let (id, url) = full(&server, "orders", &from).await;
    until_protected(&server, &id).await;
    let before = contents(&url).await;
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 100) AS n").await.unwrap();
    let former_rows = rows(&url).await;
    until_recoverable(&server, &id, &url).await;

    let found = server.query(TARGETS, json!({ "id": id })).await["instance"]["upgradeTargets"].as_array().unwrap().clone();
    assert_eq!(found[0], json!({ "version": to, "obstacle": null }));
    for target in &found[1..] {
        assert!(text(&target["obstacle"]).contains("pg_upgrade"), "{target}");
        let answer = request(&server, json!({ "id": id, "version": target["version"] })).await;
        assert_eq!((&answer["userErrors"][0]["message"], &answer["operation"]), (&target["obstacle"], &Value::Null), "{answer:#}");
    }
    let shown = run(&home, &server, &["instances", "get", "orders"]).await;
    assert!(shown.out.contains(&format!("{from} (can be upgraded to {to}")), "{shown:?}");

    // What makes no sense is refused before anything begins.
    for (input, field, part) in [
        (json!({ "id": id, "version": from }), "version", "already"),
        (json!({ "id": id, "version": "14" }), "version", "not offered"),
        (json!({ "id": id, "version": to, "revision": "1" }), "revision", "revision"),
    ] {
        let answer = request(&server, input).await;
        let error = &answer["userErrors"][0];
        assert_eq!((error["field"][0].as_str(), answer["operation"].is_null()), (Some(field), true), "{answer:#}");
        assert!(text(&error["message"]).contains(part), "{answer:#}");
    }

    // A check, by the command line.
    let check = json_of(&home, &server, &["instances", "upgrade", "orders", "--to", &to, "--check-only", "--wait"]).await;
    let check = text(&check["operation"]["id"]);
    let checked = operation(&server, &check).await;
    assert_eq!((&step(&checked, "CHECK_UPGRADE")["status"], &step(&checked, "UPGRADE_POSTGRES")["status"]), (&json!("SUCCEEDED"), &json!("SKIPPED")));
    assert_eq!((version(&url).await.as_str(), contents(&url).await), (from.as_str(), before.clone()), "a check changes nothing");
    until_protected(&server, &id).await;

    // The control plane is killed in the middle, and the next one finishes it.
    let upgrade = accepted(&server, json!({ "id": id, "version": to })).await;
    let log = home.path().join("data/instances").join(&id).join("upgrade.log");
    let transfers = async || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("transfers"));
    eventually("the data is transferred", transfers).await;
    server.crash().await;
    let mut server = home.start_with(&env).await;
    finish(&server, &upgrade, "SUCCEEDED").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    assert_eq!((version(&url).await.as_str(), contents(&url).await), (to.as_str(), before));
    assert_eq!(server.query(TARGETS, json!({ "id": id })).await["instance"]["upgradeTargets"], json!([]));
    assert_eq!(
        psql(&url, "SELECT extversion = default_version FROM pg_extension JOIN pg_available_extensions ON name = extname WHERE name = 'hstore'")
            .await
            .as_deref(),
        Ok("t")
    );
    assert_eq!(psql(&url, "SELECT count(*) > 0 FROM pg_stats WHERE tablename = 't'").await.as_deref(), Ok("t"), "there are statistics");
    assert_eq!(psql(&url, "SHOW data_checksums").await.as_deref(), Ok("on"), "as before");
    assert!(psql(&url, "CREATE TABLE new (); DROP TABLE new").await.is_ok());
    // The roles have what the new version gives those that are made in it.
    let roles = "SELECT string_agg(rolname || ' ' || rolconnlimit || ' ' || rolcreaterole, ', ' ORDER BY rolname) FROM pg_roles
        WHERE rolname IN ('app', 'reader')";
    assert_eq!(psql(&url, roles).await.as_deref(), Ok("app -1 true, reader -1 false"));
    let granted =
        "SELECT pg_has_role('app', 'pg_signal_autovacuum_worker', 'member'), pg_has_role('toygres_monitor', 'pg_use_reserved_connections', 'member')";
    assert_eq!(psql(&url, &format!("SELECT bool_and(a AND b) FROM ({granted}) AS r (a, b)")).await.as_deref(), Ok("t"));
    let left: Vec<_> = std::fs::read_dir(home.path().join("data/instances").join(&id)).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name == "former" || name == "next"), "nothing of the upgrade is left: {left:?}");

    // A new archive begins with a base backup, and what the former version had can still be restored, with that version.
    until_protected(&server, &id).await;
    let recovery = server
        .query("query($id: ID!) { instance(id: $id) { postgresVersion recovery { intervals { from to } gaps { reason } } } }", json!({ "id": id }))
        .await;
    let recovery = &recovery["instance"]["recovery"];
    assert_eq!((recovery["intervals"].as_array().unwrap().len(), &recovery["gaps"][0]["reason"]), (2, &json!("UPGRADED")), "{recovery:#}");
    let restored = restore(&server, json!({ "sourceId": id, "name": "former", "target": { "time": recovery["intervals"][0]["to"] } })).await;
    assert_eq!((&restored["userErrors"], &restored["instance"]["postgresVersion"]), (&json!([]), &json!(from)), "{restored:#}");
    finish(&server, &text(&restored["operation"]["id"]), "SUCCEEDED").await;
    let former = text(&server.until_healthy(&text(&restored["instance"]["id"])).await["connectionString"]);
    assert_eq!((version(&former).await.as_str(), rows(&former).await), (from.as_str(), former_rows));
    server.crash().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_upgraded_runs_as_before() {
    let home = Home::new();
    let (from, to, bins) = versions();
    let mut server = home.start_with(&[("TOYGRES_PG_BIN", bins.as_str()), ("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")]).await;
    let (id, url) = full(&server, "orders", &from).await;
    let before = contents(&url).await;

    // A type whose format has changed, which pg_upgrade refuses: its words are the reason. The command line says so too.
    psql(&url, "ALTER TABLE t ADD COLUMN node pg_catalog.aclitem").await.unwrap();
    let refused = run(&home, &server, &["instances", "upgrade", "orders", "--to", &to, "--check-only", "--wait"]).await;
    assert!(refused.code != 0 && refused.err.contains("aclitem"), "{refused:?}");
    let checks = "query($id: ID!) { instance(id: $id) { operations(first: 1) { nodes { status error { code message } } } } }";
    let failed = server.query(checks, json!({ "id": id })).await["instance"]["operations"]["nodes"][0].clone();
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("FAILED"), &json!("NOT_UPGRADABLE")), "{failed:#}");
    assert!(text(&failed["error"]["message"]).contains("aclitem"), "{failed:#}");
    let url_now = text(&server.until_healthy(&id).await["connectionString"]);
    assert_eq!((version(&url_now).await.as_str(), contents(&url_now).await), (from.as_str(), before.clone()));
    psql(&url_now, "ALTER TABLE t DROP COLUMN node").await.unwrap();

    // Cancelled in the middle, it runs as before too.
    let upgrade = accepted(&server, json!({ "id": id, "version": to })).await;
    let begun = async || {
        let now = operation(&server, &upgrade).await;
        assert!(is_unfinished(&now), "{now:#}");
        step(&now, "UPGRADE_POSTGRES")["status"] == "RUNNING"
    };
    eventually("the upgrade has begun", begun).await;
    let cancel = "mutation($id: ID!) { cancelOperation(input: { id: $id }) { userErrors { message } } }";
    let answer = server.query(cancel, json!({ "id": upgrade })).await;
    assert_eq!(answer["cancelOperation"]["userErrors"], json!([]), "{answer:#}");
    finish(&server, &upgrade, "CANCELLED").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    assert_eq!((version(&url).await.as_str(), contents(&url).await), (from.as_str(), before.clone()));

    // A new server that does not become healthy: it is killed as often as it starts, until the former one is back.
    let upgrade = accepted(&server, json!({ "id": id, "version": to })).await;
    let data = home.path().join("data/instances").join(&id).join("data");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let killer = std::thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_millis(5)) == Err(RecvTimeoutError::Timeout) {
            let is_new = std::fs::read_to_string(data.join("PG_VERSION")).is_ok_and(|version| version.trim() == to);
            let server = || std::fs::read_to_string(data.join("postmaster.pid")).ok()?.lines().next()?.parse().ok();
            if let Some(pid) = is_new.then(server).flatten() {
                // An error means that it is gone.
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
    });
    finish(&server, &upgrade, "FAILED").await;
    drop(stop);
    killer.join().unwrap();
    let failed = operation(&server, &upgrade).await;
    assert!(["CRASH_LOOP", "PROCESS_EXITED", "OUT_OF_MEMORY"].contains(&failed["error"]["code"].as_str().unwrap()), "{failed:#}");
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    assert_eq!((version(&url).await.as_str(), contents(&url).await), (from.as_str(), before));
    server.crash().await;
}

/// Upgrades a suspended instance. No client gets in meanwhile, and it is suspended again.
async fn upgraded_while_suspended(server: &Server, (id, url): (&str, &str), to: &str) {
    let from = version(url).await;
    let before = contents(url).await;
    let change = async |mutation: &str, state: &str| {
        let document = format!("mutation($id: ID!) {{ {mutation}(input: {{ id: $id }}) {{ userErrors {{ message }} }} }}");
        assert_eq!(server.query(&document, json!({ "id": id })).await[mutation]["userErrors"], json!([]));
        server.until(id, state, |now| now["state"] == state).await
    };
    change("suspendInstance", "SUSPENDED").await;
    // A client that tries all the time, and says what it got.
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let client = tokio::spawn({
        let url = url.to_owned();
        async move {
            let mut refusals = std::collections::BTreeSet::new();
            while stopped.try_recv().is_err() {
                refusals.insert(psql(&url, "SELECT 'a client is in'").await.unwrap_err());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            refusals
        }
    });
    for check_only in [true, false] {
        let upgrade = accepted(server, json!({ "id": id, "version": to, "checkOnly": check_only })).await;
        finish(server, &upgrade, "SUCCEEDED").await;
        let ended = operation(server, &upgrade).await;
        let upgraded = if check_only { "SKIPPED" } else { "SUCCEEDED" };
        for (name, status) in [("START_POSTGRES", "SUCCEEDED"), ("UPGRADE_POSTGRES", upgraded), ("STOP_POSTGRES", "SUCCEEDED")] {
            assert_eq!(step(&ended, name)["status"], status, "{name}: {ended:#}");
        }
        let now = server.instance(id).await;
        assert_eq!((&now["state"], &now["reason"]["code"]), (&json!("SUSPENDED"), &json!("SUSPENDED")), "{now:#}");
        let shown = server.query("query($id: ID!) { instance(id: $id) { postgresVersion } }", json!({ "id": id })).await;
        assert_eq!(shown["instance"]["postgresVersion"], json!(if check_only { from.as_str() } else { to }));
    }
    stop.send(()).unwrap();
    let refusals = client.await.expect("no client gets in");
    assert!(!refusals.is_empty(), "it has tried");
    change("resumeInstance", "RUNNING").await;
    let url = text(&server.until_healthy(id).await["connectionString"]);
    assert_eq!((version(&url).await.as_str(), contents(&url).await), (to, before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_instance_is_upgraded_and_stays_suspended() {
    let home = Home::new();
    let (from, to, bins) = versions();
    let server = home.start_with(&[("TOYGRES_PG_BIN", bins.as_str()), ("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")]).await;
    let (id, url) = full(&server, "orders", &from).await;
    upgraded_while_suspended(&server, (&id, &url), &to).await;
    let left: Vec<_> = std::fs::read_dir(home.path().join("data/instances").join(&id)).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name == "former" || name == "next" || name == "suspended"), "nothing of the upgrade is left: {left:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_instance_in_a_cluster_is_upgraded_and_stays_suspended() {
    let (from, to, _) = versions();
    let platform = Platform::new().await;
    let server = platform.start_with(&[("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")]).await;
    let (id, url) = full(&server, "orders", &from).await;
    upgraded_while_suspended(&server, (&id, &url), &to).await;
    assert!(platform.cluster.object("jobs", &names::upgrade(id.parse().unwrap())).is_none());
    server.stop().await;
}

/// In pods that are real servers: a Job with the programs of both versions, and a pod of the new one.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_in_a_cluster_is_upgraded() {
    let (from, to, _) = versions();
    let platform = Platform::new().await;
    let server = platform.start_with(&[("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")]).await;
    let (id, url) = full(&server, "orders", &from).await;
    let before = contents(&url).await;
    let upgrade = accepted(&server, json!({ "id": id, "version": to })).await;
    finish(&server, &upgrade, "SUCCEEDED").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    assert_eq!((version(&url).await.as_str(), contents(&url).await), (to.as_str(), before));
    let pod = platform.cluster.object("pods", &names::pod(id.parse().unwrap())).unwrap();
    assert!(text(&pod["spec"]["containers"][0]["image"]).contains(&format!("postgres:{to}")), "{pod:#}");
    assert!(platform.cluster.object("jobs", &names::upgrade(id.parse().unwrap())).is_none());
    let summary = server.query("query($id: ID!) { instance(id: $id) { healthSummary { lastFailureAt } } }", json!({ "id": id })).await;
    assert_eq!(summary["instance"]["healthSummary"]["lastFailureAt"], Value::Null, "a planned upgrade is no outage");
    server.stop().await;
}
