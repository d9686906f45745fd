//! Planned restarts, through the API and subscriptions.

use serde_json::{Value, json};

use crate::support::{Home, Server, psql, text};

const RESTART: &str = "mutation($input: RestartInstanceInput!) { restartInstance(input: $input) {
    instance { state } operation { id kind status canCancel canRetry steps { name status } } userErrors { code field message } } }";
const STARTED: &str = "SELECT pg_postmaster_start_time()";

async fn restart(server: &Server, input: Value) -> Value {
    server.query(RESTART, json!({ "input": input })).await["restartInstance"].clone()
}

/// The states and the health statuses of an instance in the event log, in order.
async fn history(server: &Server, id: &str, kind: &str) -> Vec<String> {
    let query = "query($id: ID!) { instance(id: $id) { events(first: 200) { nodes { type to } } } }";
    let events = server.query(query, json!({ "id": id })).await["instance"]["events"]["nodes"].clone();
    events.as_array().unwrap().iter().filter(|event| event["type"] == kind).map(|event| text(&event["to"])).collect()
}

async fn finished(server: &Server, operation: &str) -> Value {
    let mut live = server
        .subscribe(
            "subscription($id: ID!) { operation(id: $id) { status error { code message } steps { name status attempt } } }",
            json!({ "id": operation }),
        )
        .await;
    let mut last = Value::Null;
    while let Some(item) = live.next().await {
        last = item["data"]["operation"].clone();
    }
    last
}

/// Waits for the next three health checks, as a subscriber sees them.
async fn checked_three_times_more(server: &Server, id: &str) {
    let checks = "subscription($id: ID!) { healthChecks(instanceId: $id) { status } }";
    let mut live = server.subscribe(checks, json!({ "id": id })).await;
    for _ in 0..3 {
        live.next().await.expect("the subscription goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_no_outage() {
    let home = Home::new();
    // The interval of the checks is short enough to detect an outage.
    let server = home.start_with(&[("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")]).await;
    let id = server.create_ok("orders").await;
    let before = server.until_healthy(&id).await;
    let url = text(&before["connectionString"]);
    psql(&url, "CREATE TABLE t (a int); INSERT INTO t VALUES (7)").await.unwrap();
    let started = psql(&url, STARTED).await.unwrap();
    let offered = "query($id: ID!) { instance(id: $id) { availableOperations healthCheckOrchestrationId } }";
    let running = server.query(offered, json!({ "id": id })).await["instance"].clone();
    assert_eq!(
        running["availableOperations"],
        json!([
            "DELETE",
            "RESTART",
            "REPAIR",
            "SUSPEND",
            "RESIZE",
            "SET_PARAMETERS",
            "ROTATE_PASSWORD",
            "CREATE_DATABASE_USER",
            "DROP_DATABASE_USER",
            "CREATE_DATABASE",
            "DROP_DATABASE",
            "CREATE_BACKUP",
            "UPGRADE"
        ])
    );

    let key = json!({ "id": id, "idempotencyKey": "once" });
    let accepted = restart(&server, key.clone()).await;
    assert_eq!((&accepted["userErrors"], &accepted["instance"]["state"]), (&json!([]), &json!("UPDATING")), "the answer does not wait");
    let operation = text(&accepted["operation"]["id"]);
    assert_eq!(operation, format!("restart-{id}-2"));
    let done = finished(&server, &operation).await;
    assert_eq!(done["status"], "SUCCEEDED", "{done:#}");
    assert!(done["steps"].as_array().unwrap().iter().all(|step| step["status"] == "SUCCEEDED" && step["attempt"] == 1), "{done:#}");
    // The same key returns the same operation without another restart.
    assert_eq!(text(&restart(&server, key).await["operation"]["id"]), operation);

    let after = server.until_healthy(&id).await;
    assert_eq!(after["connectionString"], before["connectionString"]);
    let again = psql(&url, STARTED).await.unwrap();
    assert_ne!(again, started, "the server was restarted");
    assert_eq!(psql(&url, "TABLE t").await.as_deref(), Ok("7"));
    checked_three_times_more(&server, &id).await;
    assert_eq!(psql(&url, STARTED).await.unwrap(), again, "once");

    assert_eq!(history(&server, &id, "STATE_CHANGED").await, ["RUNNING", "UPDATING", "RUNNING"]);
    assert_eq!(history(&server, &id, "HEALTH_CHANGED").await, ["HEALTHY", "UNKNOWN", "HEALTHY"]);
    let summary = "query($id: ID!) { instance(id: $id) { healthCheckOrchestrationId healthSummary { uptime lastFailureAt }
        healthChecks(first: 100) { nodes { status } } } }";
    let summary = server.query(summary, json!({ "id": id })).await["instance"].clone();
    assert_eq!(summary["healthSummary"], json!({ "uptime": 1.0, "lastFailureAt": null }), "{summary:#}");
    assert!(summary["healthChecks"]["nodes"].as_array().unwrap().iter().all(|sample| sample["status"] == "HEALTHY"), "{summary:#}");
    assert_eq!(summary["healthCheckOrchestrationId"], running["healthCheckOrchestrationId"], "the same loop goes on");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restart_refuses() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("orders").await;
    // An instance that is being created cannot be restarted, and the error names the other operation.
    let early = restart(&server, json!({ "id": id })).await;
    assert_eq!(early["userErrors"][0]["code"], "CONFLICT", "{early:#}");
    assert!(text(&early["userErrors"][0]["message"]).contains(&format!("create-{id}-1")), "{early:#}");
    server.until_healthy(&id).await;
    let revision = text(&server.instance(&id).await["revision"]);

    let refused = [
        (json!({ "id": id, "timeoutSeconds": 0 }), "OUT_OF_RANGE", "timeoutSeconds"),
        (json!({ "id": id, "revision": "1" }), "REVISION_MISMATCH", "revision"),
        (json!({ "id": "00000000-0000-7000-8000-000000000000" }), "NOT_FOUND", "id"),
        (json!({ "id": "orders" }), "NOT_FOUND", "id"),
        (json!({ "id": id, "idempotencyKey": "" }), "INVALID", "idempotencyKey"),
    ];
    for (input, code, field) in refused {
        let answer = restart(&server, input).await;
        assert_eq!((&answer["operation"], &answer["userErrors"][0]["code"]), (&Value::Null, &json!(code)), "{answer:#}");
        assert_eq!(answer["userErrors"][0]["field"], json!([field]), "{answer:#}");
    }
    let first = restart(&server, json!({ "id": id, "revision": revision })).await;
    let second = restart(&server, json!({ "id": id })).await;
    let operation = text(&first["operation"]["id"]);
    assert_eq!(second["userErrors"][0]["code"], "CONFLICT", "{second:#}");
    assert!(text(&second["userErrors"][0]["message"]).contains(&operation), "{second:#}");
    // A deletion supersedes the restart.
    server.delete(&id).await;
    server.until_deleted(&id).await;
    assert!(matches!(finished(&server, &operation).await["status"].as_str(), Some("CANCELLED" | "SUCCEEDED")));
    assert_eq!(restart(&server, json!({ "id": id })).await["userErrors"][0]["code"], "CONFLICT");
    server.stop().await;
}
