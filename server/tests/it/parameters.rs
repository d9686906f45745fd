//! Changes of parameters, through the API, in both runtimes: refused, applied, or rolled back with the instance running.

use serde_json::{Value, json};

use crate::{
    kubernetes::Platform,
    support::{Home, Server, psql, text},
};

const SET: &str = "mutation($input: SetParametersInput!) { setParameters(input: $input) {
    operation { id status canCancel } userErrors { code field message } } }";
const RESTART: &str = "mutation($id: ID!) { restartInstance(input: { id: $id }) { operation { id } userErrors { code message } } }";
const STARTED: &str = "SELECT pg_postmaster_start_time()";
/// A checksum of a table.
const DATA: &str = "SELECT md5(string_agg(a::text, ' ' ORDER BY a)) FROM t";

async fn set(server: &Server, id: &str, parameters: &[(&str, Option<&str>)], allow_restart: bool) -> Value {
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let input = json!({ "id": id, "parameters": parameters, "allowRestart": allow_restart });
    server.query(SET, json!({ "input": input })).await["setParameters"].clone()
}

/// The operation that was accepted.
fn accepted(payload: &Value) -> String {
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    text(&payload["operation"]["id"])
}

async fn finished(server: &Server, operation: &str) -> Value {
    let document = "subscription($id: ID!) { operation(id: $id) { status error { code message } steps { name status } } }";
    let mut live = server.subscribe(document, json!({ "id": operation })).await;
    let mut last = Value::Null;
    while let Some(item) = live.next().await {
        last = item["data"]["operation"].clone();
    }
    last
}

pub(crate) async fn set_and_wait(server: &Server, id: &str, parameters: &[(&str, Option<&str>)], allow_restart: bool) -> Value {
    finished(server, &accepted(&set(server, id, parameters, allow_restart).await)).await
}

async fn parameters(server: &Server, id: &str) -> Value {
    let query = "query($id: ID!) { instance(id: $id) { parameters { name value pendingRestart pendingValue } } }";
    server.query(query, json!({ "id": id })).await["instance"]["parameters"].clone()
}

fn succeeded(operation: &Value) {
    assert_eq!(operation["status"], "SUCCEEDED", "{operation:#}");
}

fn step<'a>(operation: &'a Value, name: &str) -> &'a Value {
    operation["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).map_or(&Value::Null, |step| &step["status"])
}

async fn running_with_data(server: &Server, payload: Value) -> (String, String) {
    let id = text(&payload["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE t AS SELECT generate_series(1, 1000) AS a").await.unwrap();
    (id, url)
}

/// What the issue names, and everything else that can be known without trying.
async fn refuses(server: &Server, id: &str) {
    let list = [
        ("shared_preload_libraries", Some("pg_stat_statments")),
        ("shared_buffers", Some("1TB")),
        ("max_connections", Some("0")),
        ("work_mem", Some("much")),
        ("jit", Some("off")),
        ("listen_addresses", Some("*")),
        ("Work_Mem", None),
    ];
    let payload = set(server, id, &list, true).await;
    let errors: Vec<_> = payload["userErrors"].as_array().unwrap().iter().map(|error| (&error["code"], &error["field"])).collect();
    let value = |index: usize| json!(["parameters", index.to_string(), "value"]);
    let name = |index: usize| json!(["parameters", index.to_string(), "name"]);
    let (invalid, range) = (&json!("INVALID"), &json!("OUT_OF_RANGE"));
    let (first, second, third, fourth, fifth, sixth) = (value(0), value(1), value(2), value(3), name(5), name(6));
    let expected = [(invalid, &first), (range, &second), (range, &third), (invalid, &fourth), (invalid, &fifth), (invalid, &sixth)];
    assert_eq!(errors, expected, "{payload:#}");
    assert!(text(&payload["userErrors"][4]["message"]).ends_with("the platform decides where the server listens"), "{payload:#}");
    assert_eq!(parameters(server, id).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_applied_or_rolled_back() {
    let home = Home::new();
    let mut server = home.start().await;
    let parameter = json!([{ "name": "log_lock_waits", "value": "on" }]);
    let payload = server.create(json!({ "name": "orders", "parameters": parameter })).await;
    let (id, url) = running_with_data(&server, payload).await;
    assert_eq!(psql(&url, "SHOW log_lock_waits").await.as_deref(), Ok("on"), "one that it was created with");
    succeeded(&set_and_wait(&server, &id, &[("log_lock_waits", None)], false).await);
    refuses(&server, &id).await;
    let (data, started) = (psql(&url, DATA).await.unwrap(), psql(&url, STARTED).await.unwrap());

    // Read at once, and pending.
    let hostile = "\"it's\\ here\",\n public";
    let list = [("search_path", Some(hostile)), ("work_mem", Some("1.5MB")), ("max_connections", Some("50"))];
    let done = set_and_wait(&server, &id, &list, false).await;
    succeeded(&done);
    assert_eq!(step(&done, "RESTART_POSTGRES"), "SKIPPED");
    assert_eq!(psql(&url, "SELECT current_setting('search_path')").await.as_deref(), Ok(hostile));
    let shown = "SELECT concat_ws(' ', current_setting('work_mem'), current_setting('max_connections'))";
    assert_eq!(psql(&url, shown).await.as_deref(), Ok("1536kB 100"));
    assert_eq!(psql(&url, STARTED).await.unwrap(), started);
    let waiting = json!({ "name": "max_connections", "value": null, "pendingRestart": true, "pendingValue": "50" });
    assert_eq!(parameters(&server, &id).await[0], waiting);

    // The next restart applies it.
    let restart = text(&server.query(RESTART, json!({ "id": id })).await["restartInstance"]["operation"]["id"]);
    succeeded(&finished(&server, &restart).await);
    assert_eq!(psql(&url, shown).await.as_deref(), Ok("1536kB 50"));
    let before = parameters(&server, &id).await;
    assert_eq!(before[0], json!({ "name": "max_connections", "value": "50", "pendingRestart": false, "pendingValue": null }));

    // There is no such time zone, which only the server knows. Nothing was changed.
    let failed = set_and_wait(&server, &id, &[("TimeZone", Some("Nowhere")), ("work_mem", Some("2MB"))], true).await;
    assert!(text(&failed["error"]["message"]).contains("invalid value for parameter \"TimeZone\": \"Nowhere\""), "{failed:#}");
    // A server of this machine does not start without huge pages. The control plane is killed while it finds that out.
    let operation = accepted(&set(&server, &id, &[("huge_pages", Some("on")), ("work_mem", Some("2MB"))], true).await);
    server.crash().await;
    let server = home.start().await;
    let failed = finished(&server, &operation).await;
    assert_eq!(failed["status"], "FAILED", "{failed:#}");
    assert!(text(&failed["error"]["message"]).contains("could not map anonymous shared memory"), "{failed:#}");
    assert_eq!(step(&failed, "ROLL_BACK"), "SUCCEEDED");
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    assert_eq!(parameters(&server, &id).await, before, "the former ones");
    assert_eq!(psql(&url, &format!("{shown} || current_setting('huge_pages')")).await.as_deref(), Ok("1536kB 50try"));

    // And everything back to the default.
    let list = [("search_path", None), ("work_mem", None), ("max_connections", None)];
    succeeded(&set_and_wait(&server, &id, &list, true).await);
    assert_eq!(parameters(&server, &id).await, json!([]));
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    assert_eq!(psql(&url, "SHOW max_connections").await.as_deref(), Ok("100"));
    assert_eq!(psql(&url, DATA).await.unwrap(), data);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_kubernetes_too_parameters_are_applied_or_rolled_back() {
    let platform = Platform::new().await;
    let server = platform.start_with(&[]).await;
    let payload = server.create(json!({ "name": "orders" })).await;
    let (id, url) = running_with_data(&server, payload).await;
    refuses(&server, &id).await;
    let (data, started) = (psql(&url, DATA).await.unwrap(), psql(&url, STARTED).await.unwrap());

    // The kubelet brings the Secret into the pod some time later.
    let done = set_and_wait(&server, &id, &[("work_mem", Some("2MB")), ("max_connections", Some("50"))], false).await;
    succeeded(&done);
    let shown = "SELECT concat_ws(' ', current_setting('work_mem'), current_setting('max_connections'))";
    assert_eq!(psql(&url, shown).await.as_deref(), Ok("2MB 100"));
    assert_eq!(psql(&url, STARTED).await.unwrap(), started, "the pod is the same");

    let failed = set_and_wait(&server, &id, &[("huge_pages", Some("on")), ("work_mem", None)], true).await;
    assert_eq!(failed["status"], "FAILED", "{failed:#}");
    assert!(text(&failed["error"]["message"]).contains("could not map anonymous shared memory"), "{failed:#}");
    server.until_healthy(&id).await;
    assert_eq!(psql(&url, shown).await.as_deref(), Ok("2MB 100"), "the former ones");

    succeeded(&set_and_wait(&server, &id, &[("work_mem", None)], true).await);
    server.until_healthy(&id).await;
    assert_eq!(psql(&url, shown).await.as_deref(), Ok("1310kB 50"), "what was pending has taken effect, and what follows from 512 MiB");
    assert_eq!(psql(&url, DATA).await.unwrap(), data);
    server.delete(&id).await;
    server.until_deleted(&id).await;
    server.stop().await;
}
