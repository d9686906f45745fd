//! Notices, provoked, through the API. Those about volumes are in `storage`, and the one about updates is in `update`.

use serde_json::{Value, json};
use tokio_postgres::NoTls;
use toygres_domain::metric::MetricName;

use crate::{
    backups::{ON, finish, until, until_protected},
    support::{Database, Home, Server, eventually, psql, text},
};

/// Every check reads metrics.
const OFTEN: [(&str, &str); 2] = [("TOYGRES_HEALTH_INTERVAL_SECONDS", "1"), ("TOYGRES_METRICS_INTERVAL_SECONDS", "1")];

async fn notices(server: &Server, id: &str) -> Vec<(String, String)> {
    let query = "query($id: ID!) { instance(id: $id) { notices { code message } } }";
    let found = server.query(query, json!({ "id": id })).await["instance"]["notices"].as_array().unwrap().clone();
    found.iter().map(|notice| (text(&notice["code"]), text(&notice["message"]))).collect()
}

/// The message of the notice once it is there.
pub async fn noticed(server: &Server, id: &str, code: &str) -> String {
    let mut message = None;
    eventually(&format!("{code} is noticed"), async || {
        message = notices(server, id).await.into_iter().find_map(|(present, message)| (present == code).then_some(message));
        message.is_some()
    })
    .await;
    message.unwrap()
}

pub async fn gone(server: &Server, id: &str, code: &str) {
    eventually(&format!("{code} is gone"), async || notices(server, id).await.iter().all(|(present, _)| present != code)).await;
}

/// Runs an operation to its success.
async fn run(server: &Server, field: &str, input_type: &str, input: Value) {
    let mutation = format!("mutation($input: {input_type}!) {{ {field}(input: $input) {{ operation {{ id }} userErrors {{ message }} }} }}");
    let payload = server.query(&mutation, json!({ "input": input })).await[field].clone();
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    finish(server, &text(&payload["operation"]["id"]), "SUCCEEDED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_run_out_and_parameters_that_wait_are_told() {
    let home = Home::new();
    let server = home.start_with(&[("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")]).await;
    let created = server.create(json!({ "name": "orders", "parameters": [{ "name": "max_connections", "value": "20" }] })).await;
    assert_eq!(created["userErrors"], json!([]), "{created:#}");
    let id = text(&created["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);

    let mut clients = Vec::new();
    while let Ok((client, connection)) = tokio_postgres::connect(&url, NoTls).await {
        tokio::spawn(connection);
        clients.push(client);
    }
    assert!((5..20).contains(&clients.len()), "{} clients: the platform keeps some of the connections", clients.len());
    // What is asked about once a minute is asked at once of a volume with another size.
    run(&server, "resizeInstance", "ResizeInstanceInput", json!({ "id": id, "storageGb": 11 })).await;
    let message = noticed(&server, &id, "CONNECTIONS_HIGH").await;
    assert!(message.contains(&format!("of the {} connections", clients.len())), "{message}");
    let now = server.until_healthy(&id).await;
    assert_eq!(now["health"], "HEALTHY", "it is no outage");
    clients.truncate(1);
    run(&server, "resizeInstance", "ResizeInstanceInput", json!({ "id": id, "storageGb": 12 })).await;
    gone(&server, &id, "CONNECTIONS_HIGH").await;

    let parameters = json!([{ "name": "max_connections", "value": "30" }]);
    run(&server, "setParameters", "SetParametersInput", json!({ "id": id, "parameters": parameters, "allowRestart": false })).await;
    let message = noticed(&server, &id, "PENDING_RESTART").await;
    assert!(message.ends_with("max_connections"), "{message}");
    run(&server, "restartInstance", "RestartInstanceInput", json!({ "id": id })).await;
    gone(&server, &id, "PENDING_RESTART").await;

    // The events say which came and which went.
    let query = "query($id: ID!) { instance(id: $id) { events(last: 500) { nodes { type notices { raised notice { code message } } } } } }";
    let events = server.query(query, json!({ "id": id })).await["instance"]["events"]["nodes"].as_array().unwrap().clone();
    let changes: Vec<_> = events.iter().flat_map(|event| event["notices"].as_array().unwrap()).collect();
    let told: Vec<_> = changes.iter().map(|change| (text(&change["notice"]["code"]), change["raised"].as_bool().unwrap())).collect();
    let expected = [("CONNECTIONS_HIGH", true), ("CONNECTIONS_HIGH", false), ("PENDING_RESTART", true), ("PENDING_RESTART", false)];
    assert_eq!(told, expected.map(|(code, raised)| (code.to_owned(), raised)), "{changes:#?}");
    assert!(text(&changes[2]["notice"]["message"]).ends_with("max_connections"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_not_backed_up_and_keeps_its_wal_is_told() {
    let (home, database) = (Home::new(), Database::start());
    let metadata = database.url();
    let server = home.start_with(&[ON, ("DATABASE_URL", metadata.as_str()), OFTEN[0], OFTEN[1]]).await;
    // Slots may keep a quarter of its volume.
    let created = server.create(json!({ "name": "orders", "storageGb": 1 })).await;
    assert_eq!(created["userErrors"], json!([]), "{created:#}");
    let id = text(&created["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    until_protected(&server, &id).await;
    // The archive is away, as a disk that is not mounted.
    let (archive, away) = (home.path().join("data-backups").join(&id), home.path().join("away"));
    std::fs::rename(&archive, &away).unwrap();
    std::fs::write(&archive, "not a directory").unwrap();
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 10000) AS n").await.unwrap();
    until(&server, &id, "failing", |now| now["backupPolicy"]["protection"] == "FAILING").await;
    assert_eq!(notices(&server, &id).await, [], "not at once");
    psql(&metadata, "UPDATE toygres.archives SET failing_since = failing_since - interval '15 minutes'").await.unwrap();
    let message = noticed(&server, &id, "NOT_BACKED_UP").await;
    assert!(message.contains("has not been archived since"), "{message}");
    psql(&url, "SELECT count(pg_logical_emit_message(false, 'a test', repeat('x', 1000000))) FROM generate_series(1, 140)").await.unwrap();
    let message = noticed(&server, &id, "SLOT_WAL_HIGH").await;
    assert!(message.starts_with("replication slot toygres_archive keeps more than 50 % of the 256 MiB of WAL"), "{message}");
    assert_eq!(server.until_healthy(&id).await["health"], "HEALTHY", "it is no outage");
    std::fs::remove_file(&archive).unwrap();
    std::fs::rename(&away, &archive).unwrap();
    gone(&server, &id, "NOT_BACKED_UP").await;
    gone(&server, &id, "SLOT_WAL_HIGH").await;
    server.kill().await;
}

/// Puts readings before the latest one into the history, half an hour apart. Each has `columns` (a query of `latest` and `n`, how many half hours ago
/// it was) instead of those of the latest one.
async fn history(metadata: &str, id: &str, steps: u32, columns: &str) {
    let sql = format!(
        "WITH latest AS (SELECT * FROM toygres.instance_metrics WHERE instance_id = '{id}' ORDER BY at DESC LIMIT 1)
         INSERT INTO toygres.instance_metrics (instance_id, at, epoch, readings)
         SELECT instance_id, at - n * interval '30 minutes', epoch, {columns} FROM latest, generate_series(1, {steps}) n"
    );
    psql(metadata, &sql).await.unwrap();
}

/// The place of a metric in the readings of the database.
fn place(metric: MetricName) -> usize {
    MetricName::ALL.iter().position(|other| *other == metric).unwrap() + 1
}

/// Waits for a reading that says at least this.
async fn read(metadata: &str, id: &str, metric: MetricName, least: f64) {
    let sql = format!(
        "SELECT coalesce(readings[{}], 0) >= {least} FROM toygres.instance_metrics WHERE instance_id = '{id}' ORDER BY at DESC LIMIT 1",
        place(metric)
    );
    eventually(&format!("{metric} is read"), async || psql(metadata, &sql).await.as_deref() == Ok("t")).await;
}

/// The rate is computed from a history that the test has written; what is used now was measured.
#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_fills_within_a_day_is_told() {
    const MIB: usize = 1 << 20;
    let (home, database) = (Home::new(), Database::start());
    let metadata = database.url();
    let server = home.start_with(&[("DATABASE_URL", metadata.as_str()), OFTEN[0], OFTEN[1]]).await;
    let created = server.create(json!({ "name": "orders", "storageGb": 1 })).await;
    let id = text(&created["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE UNLOGGED TABLE fill (a text) WITH (fillfactor = 10, autovacuum_enabled = off)").await.unwrap();
    psql(&url, "INSERT INTO fill SELECT repeat('x', 700) FROM generate_series(1, 76800)").await.unwrap();
    // A volume with another size is measured, and its trend is looked at.
    run(&server, "resizeInstance", "ResizeInstanceInput", json!({ "id": id, "storageGb": 2 })).await;
    read(&metadata, &id, MetricName::VolumeUsed, (600 * MIB) as f64).await;
    let used = place(MetricName::VolumeUsed);
    // 160 MiB an hour, of which two hours and a half are too little.
    let columns = format!("readings[:{}] || (readings[{used}] - n * {}) || readings[{}:]", used - 1, 80 * MIB, used + 1);
    history(&metadata, &id, 5, &columns).await;
    run(&server, "resizeInstance", "ResizeInstanceInput", json!({ "id": id, "storageGb": 3 })).await;
    // It was looked at by the check that has measured it.
    let measured = "SELECT capacity_bytes >= 3 * 1073741824::bigint FROM toygres.instance_storage";
    eventually("it is measured", async || psql(&metadata, measured).await.as_deref() == Ok("t")).await;
    assert_eq!(notices(&server, &id).await, []);
    psql(&metadata, &format!("DELETE FROM toygres.instance_metrics WHERE at < now() - interval '20 minutes' AND instance_id = '{id}'"))
        .await
        .unwrap();
    history(&metadata, &id, 6, &columns).await;
    run(&server, "resizeInstance", "ResizeInstanceInput", json!({ "id": id, "storageGb": 4 })).await;
    let message = noticed(&server, &id, "STORAGE_FILLING").await;
    assert!(message.contains("the volume, which has 4 GiB, is full within a day: resize the instance (resizeInstance)"), "{message}");
    assert_eq!(server.until_healthy(&id).await["health"], "HEALTHY", "it is no outage");
    // What the message asks for.
    run(&server, "resizeInstance", "ResizeInstanceInput", json!({ "id": id, "storageGb": 50 })).await;
    gone(&server, &id, "STORAGE_FILLING").await;
    server.stop().await;
}

/// What the server has read is what it has read; only that it took half an hour is written by the test.
#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_is_too_small_is_told() {
    let (home, database) = (Home::new(), Database::start());
    let metadata = database.url();
    let server = home.start_with(&[("DATABASE_URL", metadata.as_str()), OFTEN[0], OFTEN[1]]).await;
    let parameters = json!([{ "name": "shared_buffers", "value": "16MB" }]);
    let created = server.create(json!({ "name": "orders", "storageGb": 1, "memoryMb": 1024, "parameters": parameters })).await;
    assert_eq!(created["userErrors"], json!([]), "{created:#}");
    let id = text(&created["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE UNLOGGED TABLE fill (a text) WITH (fillfactor = 10, autovacuum_enabled = off)").await.unwrap();
    psql(&url, "INSERT INTO fill SELECT repeat('x', 700) FROM generate_series(1, 20000)").await.unwrap();
    let scans: String = (0..12).map(|_| "SELECT sum(length(a)) FROM fill;").collect();
    psql(&url, &scans).await.unwrap();
    read(&metadata, &id, MetricName::BlocksRead, 200_000.0).await;
    let (hit, missed) = (place(MetricName::BlocksHit), place(MetricName::BlocksRead));
    assert_eq!(missed, hit + 1);
    history(&metadata, &id, 1, &format!("readings[:{}] || ARRAY[0, 0]::float8[] || readings[{}:]", hit - 1, missed + 1)).await;
    run(&server, "resizeInstance", "ResizeInstanceInput", json!({ "id": id, "storageGb": 2 })).await;
    let message = noticed(&server, &id, "CACHE_HIT_LOW").await;
    assert!(
        message.contains("shared_buffers, which has 16MB of the 1024 MiB of the instance: set shared_buffers to 409MB (setParameters"),
        "{message}"
    );
    assert_eq!(server.until_healthy(&id).await["health"], "HEALTHY", "it is no outage");
    // What the message asks for.
    let parameters = json!([{ "name": "shared_buffers", "value": "409MB" }]);
    run(&server, "setParameters", "SetParametersInput", json!({ "id": id, "parameters": parameters, "allowRestart": true })).await;
    gone(&server, &id, "CACHE_HIT_LOW").await;
    server.stop().await;
}
