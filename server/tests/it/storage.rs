//! Volumes that fill: their usage, servers that take no writes meanwhile, and automatic growth, on local processes and on the fake API server.

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use toygres_k8s::build::names;
use toygres_k8s_fake::Expansion;

use crate::{
    cli::commands::{json as json_of, run, succeed},
    kubernetes::Platform,
    support::{Home, Server, connect, eventually, psql, text},
};

const INTERVAL: (&str, &str) = ("TOYGRES_HEALTH_INTERVAL_SECONDS", "1");
const USAGE: &str = "query($id: ID!) { instance(id: $id) { state health storageGb reason { code message } notices { code message }
    storageUsage { usedBytes capacityBytes availableBytes usedPercent readOnly measuredAt } storageAutoGrow { thresholdPercent maxGb }
    operations { nodes { kind status requestedBy } } } }";
const UPDATE: &str = "mutation($input: UpdateInstanceInput!) { updateInstance(input: $input) {
    instance { storageAutoGrow { thresholdPercent maxGb } } userErrors { code field message } } }";
/// With a page for each row, so that little text fills much, and without WAL.
const TABLE: &str = "CREATE UNLOGGED TABLE fill (a text) WITH (fillfactor = 10, autovacuum_enabled = off)";
/// 8 MiB.
const WRITE: &str = "INSERT INTO fill SELECT repeat('x', 700) FROM generate_series(1, 1024)";
const MIB: i64 = 1 << 20;

/// The next check measures.
const DUE: &str = "UPDATE toygres.instance_storage SET due_at = now()";

async fn look(server: &Server, id: &str) -> Value {
    server.query(USAGE, json!({ "id": id })).await["instance"].clone()
}

async fn until(server: &Server, id: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    eventually(what, async || {
        last = look(server, id).await;
        is(&last)
    })
    .await;
    last
}

fn bytes(value: &Value) -> i64 {
    text(value).parse().unwrap()
}

async fn create(server: &Server, input: Value) -> String {
    let payload = server.create(input).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    text(&payload["instance"]["id"])
}

async fn write(url: &str) -> Result<String, String> {
    psql(url, WRITE).await
}

/// Writes about 30 MiB a second, until it is refused (the error) or stopped.
fn load(url: &str) -> (JoinHandle<Option<String>>, DropGuard) {
    let (url, stop) = (url.to_owned(), CancellationToken::new());
    let stopped = stop.clone();
    let loading = tokio::spawn(async move {
        while !stopped.is_cancelled() {
            if let Err(refused) = psql(&url, &format!("{WRITE}; SELECT pg_sleep(0.2)")).await {
                return Some(refused);
            }
        }
        None
    });
    (loading, stop.drop_guard())
}

/// Writes as many MiB.
async fn fill(url: &str, mib: i64) {
    psql(url, &format!("INSERT INTO fill SELECT repeat('x', 700) FROM generate_series(1, {mib} * 128)")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_volume_takes_no_writes_until_there_is_space() {
    let home = Home::new();
    let mut server = home.start_with(&[INTERVAL]).await;
    let id = create(&server, json!({ "name": "orders", "storageGb": 1 })).await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    let first = look(&server, &id).await["storageUsage"].clone();
    assert_eq!((bytes(&first["capacityBytes"]), &first["readOnly"]), (1024 * MIB, &json!(false)), "{first:#}");
    assert_eq!(bytes(&first["usedBytes"]) + bytes(&first["availableBytes"]), 1024 * MIB, "{first:#}");
    assert!(bytes(&first["usedBytes"]) > 30 * MIB, "{first:#}");

    // Somebody writes until it is refused, in several transactions and in one that does not end.
    psql(&url, TABLE).await.unwrap();
    let writer = connect(&url).await;
    writer.batch_execute("CREATE TABLE kept AS SELECT 1 AS a").await.unwrap();
    writer.batch_execute("BEGIN; INSERT INTO kept VALUES (2)").await.unwrap();
    let document = "subscription($id: ID!) { instance(id: $id) { storageUsage { usedPercent readOnly } reason { code } notices { code } } }";
    let mut live = server.subscribe(document, json!({ "id": id })).await;
    fill(&url, 500).await;
    // It may not grow, which is known at once.
    let limited = server.query(UPDATE, json!({ "input": { "id": id, "storageAutoGrow": { "maxGb": 1 } } })).await;
    assert_eq!(limited["updateInstance"]["instance"]["storageAutoGrow"], json!({ "thresholdPercent": 80, "maxGb": 1 }), "{limited:#}");
    let (loading, _load) = load(&url);
    let (mut seen, mut noticed) = (Vec::new(), false);
    while seen.last() != Some(&(true, json!("DISK_FULL"))) {
        let now = live.next().await.expect("the subscription goes on")["data"]["instance"].clone();
        noticed |= now["notices"][0]["code"] == "STORAGE_LOW";
        seen.push((now["storageUsage"]["readOnly"] == true, now["reason"]["code"].clone()));
    }
    assert!(noticed, "there was a warning: {seen:?}");
    let refused = loading.await.unwrap().unwrap();
    assert!(refused.contains("read-only transaction") || refused.contains("terminating connection"), "{refused}");
    eventually("the open transaction is gone", async || writer.batch_execute("SELECT 1").await.is_err()).await;
    let full = until(&server, &id, "unhealthy", |now| now["health"] == "UNHEALTHY").await;
    let usage = &full["storageUsage"];
    assert!((90..100).contains(&usage["usedPercent"].as_i64().unwrap()), "before it was full: {usage:#}");
    eprintln!("measured: held at {} MiB of 1024", bytes(&usage["usedBytes"]) / MIB);
    let message = text(&full["reason"]["message"]);
    assert!(message.contains("Resize") && message.contains("SET default_transaction_read_only = off"), "{message}");

    // Reading goes on, and writing does not; nor after a restart of the control plane or of the server.
    assert_eq!(psql(&url, "SELECT a FROM kept").await.as_deref(), Ok("1"));
    server.crash().await;
    server = home.start_with(&[INTERVAL]).await;
    for (verb, state) in [("suspend", "SUSPENDED"), ("resume", "RUNNING")] {
        succeed(&home, &server, &["instances", verb, "orders", "--wait"]).await;
        server.until(&id, state, |now| now["state"] == state).await;
    }
    server.until(&id, "still full", |now| now["health"] == "UNHEALTHY" && now["reason"]["code"] == "DISK_FULL").await;
    assert!(write(&url).await.unwrap_err().contains("read-only transaction"));
    let shown = succeed(&home, &server, &["instances", "get", "orders"]).await;
    assert!(shown.contains("Storage used") && shown.contains("takes no writes") && shown.contains("disk full"), "{shown}");

    // Operations go on. A copy with more space takes writes.
    let password = "mutation($id: ID!) { rotatePassword(input: { id: $id }) { userErrors { message } operation { id } } }";
    assert_eq!(server.query(password, json!({ "id": id })).await["rotatePassword"]["userErrors"], json!([]));
    until(&server, &id, "another password", |now| now["operations"]["nodes"][0]["status"] == "SUCCEEDED").await;
    let clone =
        "mutation($id: ID!) { cloneInstance(input: { sourceId: $id, name: \"copy\", storageGb: 2 }) { instance { id } userErrors { message } } }";
    let copy = text(&server.query(clone, json!({ "id": id })).await["cloneInstance"]["instance"]["id"]);
    let copied = text(&server.until_healthy(&copy).await["connectionString"]);
    assert_eq!(psql(&copied, "INSERT INTO kept VALUES (3); SELECT count(*) FROM kept").await.as_deref(), Ok("2"));
    server.delete(&copy).await;

    // Somebody cleans up, and it takes writes again by itself.
    let url = text(&server.instance(&id).await["connectionString"]);
    let cleaner = connect(&url).await;
    cleaner.batch_execute("SET default_transaction_read_only = off").await.unwrap();
    cleaner.batch_execute("DROP TABLE fill").await.unwrap();
    server.until_healthy(&id).await;
    psql(&url, "INSERT INTO kept VALUES (4)").await.unwrap();
    let after = until(&server, &id, "as before", |now| now["storageUsage"]["readOnly"] == false && now["notices"] == json!([])).await;
    assert!(after["storageUsage"]["usedPercent"].as_i64().unwrap() < 30, "{after:#}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_grows_by_itself_while_it_is_written_to() {
    let home = Home::new();
    let mut server = home.start_with(&[INTERVAL]).await;
    let arguments = ["instances", "create", "orders", "--storage-gb", "1", "--storage-auto-grow", "50", "--storage-max-gb", "2", "--wait"];
    let created = json_of(&home, &server, &arguments).await["instance"].clone();
    assert_eq!(created["storageAutoGrow"], json!({ "thresholdPercent": 50, "maxGb": 2 }), "{created:#}");
    let id = text(&created["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, TABLE).await.unwrap();
    // No write fails, although the control plane is killed in between.
    let (loading, load) = load(&url);
    let written = "SELECT pg_table_size('fill') > 100 << 20";
    eventually("much is written", async || psql(&url, written).await.as_deref() == Ok("t")).await;
    server.crash().await;
    server = home.start_with(&[INTERVAL]).await;
    let grown = until(&server, &id, "grown", |now| now["storageGb"] == 2 && now["health"] == "HEALTHY").await;
    drop(load);
    assert_eq!(loading.await.unwrap(), None, "no write was refused");
    let operations = grown["operations"]["nodes"].as_array().unwrap();
    assert_eq!(operations.len(), 2, "{grown:#}");
    let requested_by = "the control plane, because the volume is nearly full";
    assert_eq!(operations[0], json!({ "kind": "RESIZE", "status": "SUCCEEDED", "requestedBy": requested_by }));
    until(&server, &id, "its usage is that of the larger volume", |now| bytes(&now["storageUsage"]["capacityBytes"]) == 2048 * MIB).await;

    // At its limit it does not grow, which is said.
    fill(&url, 520).await;
    let limited = until(&server, &id, "at its limit", |now| now["notices"][0]["code"] == "STORAGE_LOW").await;
    assert!(text(&limited["notices"][0]["message"]).contains("to 2 GiB only"), "{limited:#}");
    assert_eq!((&limited["storageGb"], &limited["health"]), (&json!(2), &json!("HEALTHY")));
    for (input, code, field) in [
        (json!({ "maxGb": 1 }), "INVALID", "maxGb"),
        (json!({ "thresholdPercent": 40 }), "OUT_OF_RANGE", "thresholdPercent"),
        (json!({ "maxGb": 100_000 }), "OUT_OF_RANGE", "maxGb"),
    ] {
        let answer = server.query(UPDATE, json!({ "input": { "id": id, "storageAutoGrow": input } })).await;
        let error = answer["updateInstance"]["userErrors"][0].clone();
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &json!(["storageAutoGrow", field])), "{answer:#}");
    }
    let refused = run(&home, &server, &["instances", "update", "orders", "--storage-max-gb", "1"]).await;
    assert!(refused.code != 0 && refused.err.contains("--storage-max-gb: must be at least 2"), "{refused:#?}");
    let updated = json_of(&home, &server, &["instances", "update", "orders", "--storage-max-gb", "3"]).await;
    assert_eq!(updated["storageAutoGrow"], json!({ "thresholdPercent": 50, "maxGb": 3 }), "{updated:#}");
    until(&server, &id, "grown again", |now| now["storageGb"] == 3 && now["notices"] == json!([]) && now["health"] == "HEALTHY").await;
    let listed = succeed(&home, &server, &["instances", "list"]).await;
    assert!(listed.contains("3 GiB (") && listed.contains("%)"), "{listed}");
    let updated = json_of(&home, &server, &["instances", "update", "orders", "--no-storage-auto-grow"]).await;
    assert_eq!(updated["storageAutoGrow"], Value::Null, "{updated:#}");
    let answer = server.query(UPDATE, json!({ "input": { "id": id, "storageAutoGrow": { "thresholdPercent": 80 } } })).await;
    assert_eq!(answer["updateInstance"]["userErrors"][0]["field"], json!(["storageAutoGrow", "maxGb"]), "it needs a limit: {answer:#}");
    let metrics = server.get("/metrics").await.text().await.unwrap();
    assert!(metrics.lines().any(|line| line.starts_with("toygres_storage_growths_total ") && !line.ends_with(" 0")), "{metrics}");
    server.stop().await;
}

/// In pods that are real servers: the claim grows; what the cloud refuses is tried again later, which is said, and clients notice nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_grows_by_itself_and_a_refusal_is_not_repeated_soon() {
    let platform = Platform::new().await;
    let server = platform.start_with(&[INTERVAL]).await;
    let auto_grow = json!({ "thresholdPercent": 50, "maxGb": 3 });
    let id = create(&server, json!({ "name": "orders", "storageGb": 1, "storageAutoGrow": auto_grow })).await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, TABLE).await.unwrap();
    fill(&url, 480).await;
    psql(&platform.database.url(), DUE).await.unwrap();
    until(&server, &id, "grown", |now| now["storageGb"] == 2 && now["health"] == "HEALTHY").await;
    let claim = platform.cluster.object("persistentvolumeclaims", &names::claim(id.parse().unwrap())).unwrap();
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "2Gi");
    let usage = look(&server, &id).await["storageUsage"].clone();
    assert!(bytes(&usage["capacityBytes"]) < 1980 * MIB, "a file system takes a part: {usage:#}");

    platform.cluster.cluster(|cluster| cluster.expansion = Expansion::RateLimited);
    fill(&url, 560).await;
    psql(&platform.database.url(), DUE).await.unwrap();
    let waits = until(&server, &id, "a refusal", |now| now["notices"][0]["code"] == "STORAGE_LOW" && now["health"] == "HEALTHY").await;
    let message = text(&waits["notices"][0]["message"]);
    assert!(message.contains("6 hours between modifications") && message.contains("It is tried again after"), "{message}");
    assert_eq!((&waits["storageGb"], &waits["operations"]["nodes"][0]["status"]), (&json!(2), &json!("FAILED")), "{waits:#}");
    let attempts = waits["operations"]["nodes"].as_array().unwrap().len();
    write(&url).await.unwrap();

    platform.cluster.cluster(|cluster| cluster.expansion = Expansion::Online);
    assert_eq!(look(&server, &id).await["operations"]["nodes"].as_array().unwrap().len(), attempts, "it waits");
    // An hour passes.
    let pass = "UPDATE toygres.operations SET finished_at = finished_at - interval '1 hour' WHERE status = 'failed'";
    psql(&platform.database.url(), &format!("{pass}; {DUE}")).await.unwrap();
    until(&server, &id, "grown at last", |now| now["storageGb"] == 3 && now["notices"] == json!([]) && now["health"] == "HEALTHY").await;
    server.stop().await;
}
