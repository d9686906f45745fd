//! Suspensions, through the API, the command line and subscriptions, and of idle instances without being asked.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    backups::finish,
    cli::commands::{json as json_of, run, succeed},
    kubernetes::Platform,
    support::{Database, Home, Server, connect, eventually, is_alive, postmaster, psql, text},
};

const SUSPEND: &str = "mutation($input: SuspendInstanceInput!) { suspendInstance(input: $input) {
    instance { state } operation { id kind } userErrors { code field message } } }";
const RESUME: &str = "mutation($input: ResumeInstanceInput!) { resumeInstance(input: $input) {
    instance { state } operation { id kind } userErrors { code field message } } }";
const CHECKSUM: &str = "SELECT md5(string_agg(a || b, ',' ORDER BY a)) FROM orders";

async fn suspend(server: &Server, input: Value) -> Value {
    server.query(SUSPEND, json!({ "input": input })).await["suspendInstance"].clone()
}

async fn resume(server: &Server, input: Value) -> Value {
    server.query(RESUME, json!({ "input": input })).await["resumeInstance"].clone()
}

async fn until_suspended(server: &Server, id: &str) -> Value {
    server.until(id, "suspended", |now| now["state"] == "SUSPENDED").await
}

/// A table with data, and its checksum.
async fn fill(url: &str) -> String {
    psql(url, "CREATE TABLE orders AS SELECT a, md5(a::text) AS b FROM generate_series(1, 10000) AS a").await.unwrap();
    psql(url, CHECKSUM).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_is_no_outage() {
    let home = Home::new();
    let server = home.start_with(&[("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")]).await;
    let id = server.create_ok("orders").await;
    let before = server.until_healthy(&id).await;
    let url = text(&before["connectionString"]);
    let sum = fill(&url).await;
    let pid = postmaster(&home, &id);

    let input = json!({ "id": id, "idempotencyKey": "once" });
    let accepted = suspend(&server, input.clone()).await;
    assert_eq!((&accepted["userErrors"], &accepted["instance"]["state"]), (&json!([]), &json!("UPDATING")), "the answer does not wait");
    let operation = text(&accepted["operation"]["id"]);
    assert_eq!(operation, format!("suspend-{id}-2"));
    let now = until_suspended(&server, &id).await;
    assert_eq!(text(&suspend(&server, input).await["operation"]["id"]), operation, "the same key is the same operation");
    assert!(!is_alive(pid), "the process is gone");
    assert_eq!((&now["health"], &now["reason"]["code"]), (&json!("UNKNOWN"), &json!("SUSPENDED")));
    assert_eq!((&now["connectionString"], &now["endpoint"]), (&before["connectionString"], &before["endpoint"]));
    assert!(text(&now["reason"]["message"]).contains("resumeInstance"), "{now:#}");
    assert!(psql(&url, "SELECT 1").await.unwrap_err().contains("refused"), "nobody can connect");

    let offered = "query($id: ID!) { instance(id: $id) { availableOperations healthCheckOrchestrationId } }";
    let suspended = server.query(offered, json!({ "id": id })).await["instance"].clone();
    assert_eq!(
        suspended,
        json!({ "availableOperations": ["DELETE", "RESUME", "RESIZE", "SET_PARAMETERS", "UPGRADE"], "healthCheckOrchestrationId": null })
    );
    let restart = "mutation($id: ID!) { restartInstance(input: { id: $id }) { userErrors { code message } } }";
    let refused = server.query(restart, json!({ "id": id })).await["restartInstance"]["userErrors"][0].clone();
    assert_eq!(refused, json!({ "code": "CONFLICT", "message": "'orders' is suspended; restart is possible when it is running; resume it first" }));
    let listed = server.query("{ instances(filter: { state: [SUSPENDED] }) { nodes { name } } }", json!({})).await;
    assert_eq!(listed["instances"]["nodes"], json!([{ "name": "orders" }]));

    let began = Instant::now();
    assert_eq!(resume(&server, json!({ "id": id })).await["userErrors"], json!([]));
    let after = server.until_healthy(&id).await;
    eprintln!("measured: resumed and healthy after {:?}", began.elapsed());
    assert_eq!((&after["connectionString"], &after["reason"]), (&before["connectionString"], &Value::Null));
    assert_eq!(psql(&url, CHECKSUM).await.as_deref(), Ok(sum.as_str()));
    let summary = "query($id: ID!) { instance(id: $id) { healthSummary { uptime lastFailureAt } } }";
    let summary = server.query(summary, json!({ "id": id })).await["instance"]["healthSummary"].clone();
    assert_eq!(summary, json!({ "uptime": 1.0, "lastFailureAt": null }), "an hour without checks is no outage");
    server.stop().await;
}

/// The control plane is killed at random during suspensions and resumptions; what was accepted ends, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn suspensions_survive_kills_of_the_control_plane() {
    let home = Home::new();
    let mut server = home.start().await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    let sum = fill(&url).await;
    for (round, pause) in [0, 30, 80, 150, 300].into_iter().enumerate() {
        assert_eq!(suspend(&server, json!({ "id": id })).await["userErrors"], json!([]));
        tokio::time::sleep(Duration::from_millis(pause)).await;
        server.crash().await;
        server = home.start().await;
        until_suspended(&server, &id).await;
        // A restart of the control plane does not start it.
        server.stop().await;
        server = home.start().await;
        let now = server.instance(&id).await;
        assert_eq!((&now["state"], &now["reason"]["code"]), (&json!("SUSPENDED"), &json!("SUSPENDED")), "round {round}");
        assert!(psql(&url, "SELECT 1").await.is_err(), "round {round}");

        assert_eq!(resume(&server, json!({ "id": id })).await["userErrors"], json!([]));
        tokio::time::sleep(Duration::from_millis(pause)).await;
        server.crash().await;
        server = home.start().await;
        server.until_healthy(&id).await;
        assert_eq!(psql(&url, CHECKSUM).await.as_deref(), Ok(sum.as_str()), "round {round}");
    }
    let operations = server.instance(&id).await["operations"]["nodes"].clone();
    assert!(operations.as_array().unwrap().iter().all(|operation| operation["status"] == "SUCCEEDED"), "{operations:#}");
    assert_eq!(operations.as_array().unwrap().len(), 11);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_command_line() {
    let home = Home::new();
    let server = home.start().await;
    let created = json_of(&home, &server, &["instances", "create", "orders", "--idle-suspend-minutes", "30", "--wait"]).await;
    assert_eq!(created["instance"]["idleSuspendMinutes"], 30, "{created:#}");
    let shown = succeed(&home, &server, &["instances", "suspend", "orders", "--timeout", "30", "--wait"]).await;
    assert!(shown.contains("orders") && shown.contains("suspended"), "{shown}");
    let refused = run(&home, &server, &["instances", "connect", "orders"]).await;
    assert!(
        refused.code != 0 && refused.err.contains("orders is suspended") && refused.err.contains("toygres instances resume --wait orders"),
        "{refused:#?}"
    );
    let url = succeed(&home, &server, &["instances", "get", "orders", "--connection-string"]).await;
    assert!(url.starts_with("postgresql://app:"), "{url}");
    let refused = run(&home, &server, &["instances", "repair", "orders"]).await;
    assert!(refused.code != 0 && refused.err.contains("resume it first"), "{refused:#?}");
    let listed = succeed(&home, &server, &["instances", "list", "--state", "suspended"]).await;
    assert!(listed.contains("orders"), "{listed}");
    let shown = succeed(&home, &server, &["instances", "resume", "orders", "--wait"]).await;
    assert!(shown.contains("running"), "{shown}");
    assert_eq!(psql(url.trim(), "SELECT 1").await.as_deref(), Ok("1"));
    let updated = json_of(&home, &server, &["instances", "update", "orders", "--idle-suspend-minutes", "0"]).await;
    assert_eq!(updated["idleSuspendMinutes"], Value::Null, "{updated:#}");
    let refused = run(&home, &server, &["instances", "update", "orders", "--idle-suspend-minutes", "4"]).await;
    assert!(refused.code != 0 && refused.err.contains("must be 5 to 10080 minutes"), "{refused:#?}");
    // It is deleted as it is.
    succeed(&home, &server, &["instances", "suspend", "orders", "--wait"]).await;
    succeed(&home, &server, &["instances", "delete", "orders", "--yes", "--wait"]).await;
    server.stop().await;
}

const IDLE: &str = "mutation($id: ID!, $minutes: Int!) { updateInstance(input: { id: $id, idleSuspendMinutes: $minutes }) {
    instance { idleSuspendMinutes } userErrors { code field message } } }";

/// Waits for two more checks: the first may have begun before what the test did.
async fn checked(server: &Server, id: &str) {
    let mut live = server.subscribe("subscription($id: ID!) { healthChecks(instanceId: $id) { status } }", json!({ "id": id })).await;
    for _ in 0..2 {
        live.next().await.expect("the subscription goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_instance_is_suspended() {
    let (home, database) = (Home::new(), Database::start());
    let settings = [("DATABASE_URL", database.url()), ("TOYGRES_HEALTH_INTERVAL_SECONDS", "1".to_owned())];
    let settings = settings.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
    let mut server = home.start_with(&settings).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    let sum = fill(&url).await;
    // An hour passes.
    let metadata = database.url();
    let pass = "UPDATE toygres.instance_activity SET active_at = active_at - interval '1 hour'";
    let state = async |server: &Server| text(&server.instance(&id).await["state"]);
    checked(&server, &id).await;
    assert_eq!(psql(&metadata, "SELECT count(*) FROM toygres.instance_activity").await.as_deref(), Ok("0"), "it is off by default");
    let answer = server.query(IDLE, json!({ "id": id, "minutes": 4 })).await;
    assert_eq!(answer["updateInstance"]["userErrors"][0]["code"], "OUT_OF_RANGE", "{answer:#}");
    let answer = server.query(IDLE, json!({ "id": id, "minutes": 30 })).await;
    assert_eq!(answer["updateInstance"]["instance"]["idleSuspendMinutes"], 30, "{answer:#}");

    // A client that is connected, however long it says nothing.
    let client = connect(&url).await;
    checked(&server, &id).await;
    psql(&metadata, pass).await.unwrap();
    checked(&server, &id).await;
    assert_eq!(state(&server).await, "RUNNING", "somebody is connected");
    drop(client);
    checked(&server, &id).await;
    // One that came and went between two checks is counted, and another count is a sign of a client.
    let counted = "SELECT sessions FROM toygres.instance_activity";
    let before = psql(&metadata, counted).await.unwrap();
    psql(&url, "SELECT 1").await.unwrap();
    eventually("it is counted", async || psql(&metadata, counted).await.unwrap() != before).await;
    psql(&metadata, &format!("{pass}, sessions = '{before}'")).await.unwrap();
    checked(&server, &id).await;
    assert_eq!(state(&server).await, "RUNNING");
    // The control plane is killed; it has forgotten nothing, and suspends nothing early.
    server.crash().await;
    server = home.start_with(&settings).await;
    checked(&server, &id).await;
    assert_eq!(state(&server).await, "RUNNING", "the time is not up");

    psql(&metadata, pass).await.unwrap();
    let now = until_suspended(&server, &id).await;
    assert_eq!(now["reason"]["code"], "SUSPENDED");
    assert!(text(&now["reason"]["message"]).starts_with("No client was connected for 30 minutes. "), "{now:#}");
    let query = "query($id: ID!) { instance(id: $id) { operations(first: 1) { nodes { kind status requestedBy } } } }";
    let operation = server.query(query, json!({ "id": id })).await["instance"]["operations"]["nodes"][0].clone();
    assert_eq!(operation, json!({ "kind": "SUSPEND", "status": "SUCCEEDED", "requestedBy": "the control plane, after 30 minutes without a client" }));
    // A resumption starts the time anew.
    resume(&server, json!({ "id": id })).await;
    server.until_healthy(&id).await;
    checked(&server, &id).await;
    assert_eq!(state(&server).await, "RUNNING");
    assert_eq!(psql(&url, CHECKSUM).await.as_deref(), Ok(sum.as_str()));
    // It is turned off.
    let answer = server.query(IDLE, json!({ "id": id, "minutes": 0 })).await;
    assert_eq!(answer["updateInstance"]["instance"]["idleSuspendMinutes"], Value::Null, "{answer:#}");
    assert_eq!(psql(&metadata, "SELECT count(*) FROM toygres.instance_activity").await.as_deref(), Ok("0"));
    server.stop().await;
}

const PARAMETERS: &str = "query($id: ID!) { instance(id: $id) { state memoryMb storageGb parameters { name value pendingRestart } } }";

/// What a suspended instance is given is what its server is started with.
async fn is_started_with_what_it_was_given(server: &Server) {
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    let sum = fill(&url).await;
    let set = "mutation($id: ID!, $parameters: [ParameterInput!]!) {
        setParameters(input: { id: $id, parameters: $parameters }) { operation { id } userErrors { field message } } }";
    let set = async |name: &str, value: &str| {
        let answer = server.query(set, json!({ "id": id, "parameters": [{ "name": name, "value": value }] })).await["setParameters"].clone();
        assert_eq!(answer["userErrors"], json!([]), "{answer:#}");
        finish(server, &text(&answer["operation"]["id"]), "SUCCEEDED").await;
    };
    set("max_prepared_transactions", "7").await;
    assert_eq!(suspend(server, json!({ "id": id })).await["userErrors"], json!([]));
    until_suspended(server, &id).await;
    set("max_locks_per_transaction", "128").await;
    set("work_mem", "8MB").await;
    let resize = "mutation($id: ID!, $memoryMb: Int, $storageGb: Int) {
        resizeInstance(input: { id: $id, memoryMb: $memoryMb, storageGb: $storageGb }) { operation { id } userErrors { field message } } }";
    let before = server.query(PARAMETERS, json!({ "id": id })).await["instance"].clone();
    let [memory, storage] = ["memoryMb", "storageGb"].map(|field| before[field].as_i64().unwrap());
    let resized = server.query(resize, json!({ "id": id, "memoryMb": memory * 2, "storageGb": storage + 1 })).await["resizeInstance"].clone();
    assert_eq!(resized["userErrors"], json!([]), "{resized:#}");
    finish(server, &text(&resized["operation"]["id"]), "SUCCEEDED").await;
    let now = server.query(PARAMETERS, json!({ "id": id })).await["instance"].clone();
    assert_eq!((&now["state"], &now["memoryMb"], &now["storageGb"]), (&json!("SUSPENDED"), &json!(memory * 2), &json!(storage + 1)), "{now:#}");
    assert!(psql(&url, "SELECT 1").await.is_err(), "it stays stopped");

    assert_eq!(resume(server, json!({ "id": id })).await["userErrors"], json!([]));
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    for (setting, value) in [("max_prepared_transactions", "7"), ("max_locks_per_transaction", "128"), ("work_mem", "8MB")] {
        assert_eq!(psql(&url, &format!("SHOW {setting}")).await.as_deref(), Ok(value), "{setting}");
    }
    let now = server.query(PARAMETERS, json!({ "id": id })).await["instance"].clone();
    let pending: Vec<_> = now["parameters"].as_array().unwrap().iter().filter(|parameter| parameter["pendingRestart"] != false).collect();
    assert!(pending.is_empty(), "{pending:?}");
    assert_eq!(psql(&url, CHECKSUM).await.as_deref(), Ok(sum.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_instance_is_configured_and_resized() {
    let home = Home::new();
    let server = home.start().await;
    is_started_with_what_it_was_given(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_instance_on_kubernetes_is_configured_and_resized() {
    let platform = Platform::new().await;
    let server = platform.start_with(&[]).await;
    is_started_with_what_it_was_given(&server).await;
    server.stop().await;
}
