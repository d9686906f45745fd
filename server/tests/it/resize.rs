//! Resizes, through the API and SQL, on local processes and on the fake API server.

use serde_json::{Value, json};
use toygres_k8s::build::names;
use toygres_k8s_fake::Expansion;

use crate::{
    kubernetes::Platform,
    support::{Home, Server, psql, text},
};

const RESIZE: &str = "mutation($input: ResizeInstanceInput!) { resizeInstance(input: $input) {
    instance { state } operation { id kind status } userErrors { code field message } } }";
const STARTED: &str = "SELECT pg_postmaster_start_time()";
/// Fills a table, of which [`CHECKSUM`] tells whether it is the same.
const FILL: &str = "CREATE TABLE t AS SELECT i, md5(i::text) AS word FROM generate_series(1, 20000) AS i";
const CHECKSUM: &str = "SELECT count(*) || ' ' || md5(string_agg(word, '' ORDER BY i)) FROM t";

async fn request(server: &Server, input: Value) -> Value {
    server.query(RESIZE, json!({ "input": input })).await["resizeInstance"].clone()
}

/// Resizes an instance, and returns the operation when it has finished.
async fn resized(server: &Server, input: Value) -> Value {
    let accepted = request(server, input).await;
    assert_eq!((&accepted["userErrors"], &accepted["instance"]["state"]), (&json!([]), &json!("UPDATING")), "{accepted:#}");
    let document = "subscription($id: ID!) { operation(id: $id) { status error { code message } steps { name status findings } } }";
    let mut live = server.subscribe(document, json!({ "id": accepted["operation"]["id"] })).await;
    let mut last = Value::Null;
    while let Some(item) = live.next().await {
        last = item["data"]["operation"].clone();
    }
    last
}

async fn size(server: &Server, id: &str) -> Value {
    let query = "query($id: ID!) { instance(id: $id) { cpuMillis memoryMb storageGb } }";
    let size = server.query(query, json!({ "id": id })).await["instance"].clone();
    json!([size["cpuMillis"], size["memoryMb"], size["storageGb"]])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_instance_gets_the_settings_of_its_size() {
    let home = Home::new();
    let server = home.start_with(&[("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")]).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, FILL).await.unwrap();
    let (checksum, started) = (psql(&url, CHECKSUM).await.unwrap(), psql(&url, STARTED).await.unwrap());
    let settings =
        "SELECT current_setting('shared_buffers') || ' ' || current_setting('max_wal_size') || ' ' || current_setting('max_parallel_workers')";
    assert_eq!(psql(&url, settings).await.as_deref(), Ok("128MB 1GB 1"));

    // What needs no restart is only read again, and the session of a client stays.
    let done = resized(&server, json!({ "id": id, "cpuMillis": 4000, "storageGb": 30 })).await;
    assert_eq!(done["status"], "SUCCEEDED", "{done:#}");
    assert_eq!(psql(&url, settings).await.as_deref(), Ok("128MB 3GB 4"));
    assert_eq!(psql(&url, STARTED).await.unwrap(), started, "no restart");
    // Up, and down again.
    for (memory_mb, expected) in [(2048, "512MB 3GB 4"), (256, "64MB 3GB 4")] {
        let before = psql(&url, STARTED).await.unwrap();
        let done = resized(&server, json!({ "id": id, "memoryMb": memory_mb })).await;
        assert_eq!(done["status"], "SUCCEEDED", "{done:#}");
        assert!(done["steps"].as_array().unwrap().iter().all(|step| step["status"] == "SUCCEEDED" && step["findings"] == json!([])), "{done:#}");
        assert_eq!(psql(&url, settings).await.as_deref(), Ok(expected));
        assert_ne!(psql(&url, STARTED).await.unwrap(), before, "shared_buffers is read at a start");
        assert_eq!(size(&server, &id).await, json!([4000, memory_mb, 30]));
    }
    assert_eq!(psql(&url, CHECKSUM).await.unwrap(), checksum, "the data is the same");

    let refused = [
        (json!({ "id": id, "storageGb": 29 }), "INVALID", "storageGb", "pg_dump"),
        (json!({ "id": id, "storageGb": 0 }), "OUT_OF_RANGE", "storageGb", "must be 1 to"),
        (json!({ "id": id, "cpuMillis": 1, "memoryMb": 1 }), "OUT_OF_RANGE", "cpuMillis", "must be 100 to"),
        (json!({ "id": id, "memoryMb": 256 }), "INVALID", "id", "nothing would change"),
        (json!({ "id": id }), "INVALID", "id", "nothing would change"),
        (json!({ "id": id, "memoryMb": 512, "revision": "1" }), "REVISION_MISMATCH", "revision", "look at it again"),
        (json!({ "id": "00000000-0000-7000-8000-000000000000", "memoryMb": 512 }), "NOT_FOUND", "id", ""),
    ];
    for (input, code, field, said) in refused {
        let answer = request(&server, input).await;
        let error = &answer["userErrors"][0];
        assert_eq!((&answer["operation"], &error["code"], &error["field"]), (&Value::Null, &json!(code), &json!([field])), "{answer:#}");
        assert!(text(&error["message"]).contains(said), "{answer:#}");
    }
    let summary = "query($id: ID!) { instance(id: $id) { healthSummary { uptime lastFailureAt } } }";
    server.until_healthy(&id).await;
    let summary = server.query(summary, json!({ "id": id })).await["instance"]["healthSummary"].clone();
    assert_eq!(summary, json!({ "uptime": 1.0, "lastFailureAt": null }), "a planned restart is no outage");
    server.stop().await;
}

/// In pods that are real servers: the volume grows under a running server, which reads its new limits; what is refused leaves everything
/// as it was.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_in_a_cluster_grows_or_stays_as_it_was() {
    let platform = Platform::new().await;
    let server = platform.start_with(&[]).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, FILL).await.unwrap();
    let (checksum, started) = (psql(&url, CHECKSUM).await.unwrap(), psql(&url, STARTED).await.unwrap());

    let done = resized(&server, json!({ "id": id, "storageGb": 30 })).await;
    assert_eq!(done["status"], "SUCCEEDED", "{done:#}");
    assert_eq!(psql(&url, "SHOW max_wal_size").await.as_deref(), Ok("3GB"));
    assert_eq!(psql(&url, STARTED).await.unwrap(), started, "no restart");

    platform.cluster.cluster(|cluster| cluster.expansion = Expansion::Forbidden);
    let failed = resized(&server, json!({ "id": id, "cpuMillis": 900, "storageGb": 40 })).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("FAILED"), &json!("VOLUME_NOT_EXPANDABLE")), "{failed:#}");
    assert_eq!(size(&server, &id).await, json!([500, 512, 30]));
    assert_eq!(psql(&url, STARTED).await.unwrap(), started, "no restart");
    server.until_healthy(&id).await;

    let done = resized(&server, json!({ "id": id, "cpuMillis": 900, "memoryMb": 1024 })).await;
    assert_eq!(done["status"], "SUCCEEDED", "{done:#}");
    assert_eq!(size(&server, &id).await, json!([900, 1024, 30]));
    assert_ne!(psql(&url, STARTED).await.unwrap(), started, "the pod was replaced");
    assert_eq!(psql(&url, CHECKSUM).await.unwrap(), checksum, "the data is the same");
    let pod = platform.cluster.object("pods", &names::pod(id.parse().unwrap())).unwrap();
    assert_eq!(pod["spec"]["containers"][0]["resources"]["requests"], json!({ "cpu": "900m", "memory": "1024Mi" }));
    server.until_healthy(&id).await;
    server.stop().await;
}
