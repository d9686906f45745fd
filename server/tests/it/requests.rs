//! Requests of callers: user errors, idempotency keys, pages, deletion protection and cancellation.

use std::time::Duration;

use serde_json::{Value, json};
use toygres_domain::{instance::InstanceFilter, secret::SecretKeys};
use toygres_store::Store;

use crate::support::{Database, Home, Server, connect, eventually, text};

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_named_and_nothing_is_created() {
    let home = Home::new();
    let server = home.start().await;
    let long = "x".repeat(100);
    let cases = [
        (json!({ "name": "" }), "INVALID", "name"),
        (json!({ "name": "Orders" }), "INVALID", "name"),
        (json!({ "name": "my_db" }), "INVALID", "name"),
        (json!({ "name": "-a" }), "INVALID", "name"),
        (json!({ "name": "x".repeat(64) }), "INVALID", "name"),
        (json!({ "name": "a", "postgresVersion": "9" }), "UNSUPPORTED_VERSION", "postgresVersion"),
        (json!({ "name": "a", "postgresVersion": "latest" }), "UNSUPPORTED_VERSION", "postgresVersion"),
        (json!({ "name": "a", "storageGb": 0 }), "OUT_OF_RANGE", "storageGb"),
        (json!({ "name": "a", "storageGb": 100_000 }), "OUT_OF_RANGE", "storageGb"),
        (json!({ "name": "a", "cpuMillis": 1 }), "OUT_OF_RANGE", "cpuMillis"),
        (json!({ "name": "a", "memoryMb": -5 }), "OUT_OF_RANGE", "memoryMb"),
        (json!({ "name": "a", "password": "" }), "INVALID", "password"),
        (json!({ "name": "a", "password": "short" }), "INVALID", "password"),
        (json!({ "name": "a", "password": long }), "INVALID", "password"),
        (json!({ "name": "a", "username": "postgres" }), "INVALID", "username"),
        (json!({ "name": "a", "username": "pg_monitor" }), "INVALID", "username"),
        (json!({ "name": "a", "username": "select" }), "INVALID", "username"),
        (json!({ "name": "a", "username": "App" }), "INVALID", "username"),
        (json!({ "name": "a", "username": "a\"b" }), "INVALID", "username"),
        (json!({ "name": "a", "database": "template1" }), "INVALID", "database"),
        (json!({ "name": "a", "healthCheck": { "intervalSeconds": 0 } }), "OUT_OF_RANGE", "healthCheck.intervalSeconds"),
        (json!({ "name": "a", "labels": [{ "key": "", "value": "" }] }), "INVALID", "labels"),
        (json!({ "name": "a", "exposure": { "type": "LOAD_BALANCER" } }), "INVALID", "exposure.type"),
        (json!({ "name": "a", "idempotencyKey": "" }), "INVALID", "idempotencyKey"),
    ];
    for (input, code, field) in cases {
        let payload = server.create(input.clone()).await;
        assert_eq!((&payload["instance"], &payload["operation"]), (&Value::Null, &Value::Null), "{input}");
        let mistake = &payload["userErrors"][0];
        assert_eq!((text(&mistake["code"]).as_str(), path(&mistake["field"]).as_str()), (code, field), "{input}: {payload:#}");
        assert!(!text(&mistake["message"]).is_empty());
    }
    // All errors of an input are reported together, with the available versions.
    let payload = server.create(json!({ "name": "A", "storageGb": 0, "postgresVersion": "9" })).await;
    assert_eq!(payload["userErrors"].as_array().unwrap().len(), 3);
    let version = payload["userErrors"].as_array().unwrap().iter().find(|error| error["code"] == "UNSUPPORTED_VERSION").unwrap();
    let offered = server.query("{ controlPlane { postgresVersions } }", json!({})).await["controlPlane"]["postgresVersions"].clone();
    for version_offered in offered.as_array().unwrap() {
        assert!(text(&version["message"]).contains(&text(version_offered)), "{version}");
    }
    let create = "mutation($input: CreateInstanceInput!) { createInstance(input: $input) { userErrors { message } } }";
    let answer = server.request(create, json!({ "input": { "name": "a", "healthCheck": { "intervalSeconds": 1_i64 << 40 } } })).await;
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{answer:#}");
    assert!(text(&error["message"]).starts_with("input.healthCheck.intervalSeconds: 1099511627776 is not an Int"), "{answer:#}");
    let all = server.query("{ instances { totalCount } operations { totalCount } }", json!({})).await;
    assert_eq!((&all["instances"]["totalCount"], &all["operations"]["totalCount"]), (&json!(0), &json!(0)), "nothing was created");

    let id = server.create_ok("taken").await;
    let again = server.create(json!({ "name": "taken" })).await;
    assert_eq!((&again["userErrors"][0]["code"], path(&again["userErrors"][0]["field"])), (&json!("NAME_TAKEN"), "name".to_owned()));
    server.until_healthy(&id).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_is_answered_with_the_first_answer() {
    let home = Home::new();
    let server = home.start().await;
    let input = json!({ "name": "once", "idempotencyKey": "k-1", "password": "correct horse" });
    let (first, second) = tokio::join!(server.create(input.clone()), server.create(input.clone()));
    assert_eq!(first["operation"]["id"], second["operation"]["id"]);
    assert_eq!(first["userErrors"], json!([]));
    let other = server.create(json!({ "name": "other", "idempotencyKey": "k-1" })).await;
    assert_eq!(other["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH");
    let password = server.create(json!({ "name": "once", "idempotencyKey": "k-1", "password": "another horse" })).await;
    assert_eq!(password["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH");
    assert_eq!(server.query("{ instances { totalCount } }", json!({})).await["instances"]["totalCount"], 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn protection_and_revisions_guard_a_deletion() {
    let home = Home::new();
    let server = home.start().await;
    let id = text(&server.create(json!({ "name": "safe", "deletionProtected": true })).await["instance"]["id"]);
    server.until_healthy(&id).await;
    assert_eq!(server.delete(&id).await["userErrors"][0]["code"], "PROTECTED");
    let update = "mutation($id: ID!, $revision: BigInt) { updateInstance(input: { id: $id, revision: $revision, deletionProtected: false,
        labels: [{ key: \"a\", value: \"b\" }] }) { instance { revision deletionProtected labels { key value } } userErrors { code field } } }";
    let revision = text(&server.instance(&id).await["revision"]);
    let stale = server.query(update, json!({ "id": id, "revision": "1" })).await;
    assert_eq!(stale["updateInstance"]["userErrors"][0]["code"], "REVISION_MISMATCH");
    let done = server.query(update, json!({ "id": id, "revision": revision })).await["updateInstance"]["instance"].clone();
    assert_eq!((&done["deletionProtected"], &done["labels"]), (&json!(false), &json!([{ "key": "a", "value": "b" }])));
    assert_ne!(text(&done["revision"]), revision);
    assert_eq!(server.delete(&id).await["userErrors"], json!([]));
    server.until_deleted(&id).await;
    assert_eq!(server.delete(&id).await["userErrors"][0]["code"], "CONFLICT");
    assert_eq!(server.delete("nonsense").await["userErrors"][0]["code"], "NOT_FOUND");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_creation_cleans_up_and_can_be_retried() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("changed-my-mind").await;
    let operation = format!("create-{id}-1");
    let cancel = "mutation($id: ID!) { cancelOperation(input: { id: $id }) { operation { cancelRequested } userErrors { code } } }";
    let cancelled = server.query(cancel, json!({ "id": operation })).await;
    assert_eq!(cancelled["cancelOperation"]["operation"]["cancelRequested"], true, "{cancelled:#}");
    let failed = server.until(&id, "failed", |now| now["state"] == "FAILED").await;
    assert_eq!(failed["reason"]["code"], "CANCELLED");
    assert_eq!(std::fs::read_dir(home.path().join("data/instances")).unwrap().count(), 0, "what was made is gone");
    assert_eq!(server.instance(&id).await["operations"]["nodes"][0]["status"], "CANCELLED");
    assert_eq!(server.query(cancel, json!({ "id": operation })).await["cancelOperation"]["userErrors"][0]["code"], "CONFLICT");

    let retry = "mutation($id: ID!) { retryOperation(input: { id: $id }) { operation { id } instance { state } userErrors { code message } } }";
    let again = server.query(retry, json!({ "id": operation })).await["retryOperation"].clone();
    assert_eq!((&again["instance"]["state"], &again["operation"]["id"]), (&json!("CREATING"), &json!(format!("create-{id}-2"))), "{again:#}");
    server.until_healthy(&id).await;
    assert_eq!(server.query(retry, json!({ "id": operation })).await["retryOperation"]["userErrors"][0]["code"], "CONFLICT");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_overtakes_a_creation() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("short-lived").await;
    assert_eq!(server.delete(&id).await["userErrors"], json!([]));
    server.until_deleted(&id).await;
    let operations = server.instance(&id).await["operations"]["nodes"].clone();
    assert_eq!((&operations[0]["kind"], &operations[0]["status"]), (&json!("DELETE"), &json!("SUCCEEDED")));
    assert_eq!(
        (&operations[1]["kind"], &operations[1]["status"], &operations[1]["error"]["code"]),
        (&json!("CREATE"), &json!("CANCELLED"), &json!("SUPERSEDED"))
    );
    assert_eq!(std::fs::read_dir(home.path().join("data/instances")).unwrap().count(), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_paged_in_both_directions() {
    let home = Home::new();
    let server = home.start().await;
    for name in ["e", "b", "d", "a", "c"] {
        server.create_ok(name).await;
    }
    assert_eq!(names(&walk(&server, "orderBy: { field: NAME }", "first", "after").await), "abcde");
    assert_eq!(names(&walk(&server, "orderBy: { field: NAME, direction: DESC }", "first", "after").await), "edcba");
    assert_eq!(names(&walk(&server, "orderBy: { field: CREATED_AT }", "first", "after").await), "ebdac");
    assert_eq!(names(&walk(&server, "", "first", "after").await), "ebdac");
    // From the end: the entries of each page are in the order of the list.
    assert_eq!(names(&walk(&server, "orderBy: { field: NAME }", "last", "before").await), "debca");
    let filtered = server.query("{ instances(filter: { nameContains: \"d\" }) { totalCount nodes { name } } }", json!({})).await;
    assert_eq!(filtered["instances"], json!({ "totalCount": 1, "nodes": [{ "name": "d" }] }));
    for (arguments, complaint) in [
        ("first: 1, last: 1", "first and last"),
        ("first: 501", "first must be"),
        ("first: 2147483648", "first: 2147483648 is not an Int"),
        ("after: \"x\"", "after: 'x'"),
    ] {
        let answer = server.request(&format!("{{ instances({arguments}) {{ totalCount }} }}"), json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer:#}");
        assert!(text(&answer["errors"][0]["message"]).starts_with(complaint), "{answer:#}");
    }
    server.stop().await;
}

/// Pages of two until there are no more.
async fn walk(server: &Server, order: &str, take: &str, cursor: &str) -> Vec<String> {
    let (mut names, mut position) = (Vec::new(), Value::Null);
    loop {
        let query = format!(
            "query($position: String) {{ instances({take}: 2, {cursor}: $position, {order}) {{
                nodes {{ name }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
        );
        let page = server.query(&query, json!({ "position": position })).await["instances"].clone();
        names.extend(page["nodes"].as_array().unwrap().iter().map(|node| text(&node["name"])));
        let (more, next) = match take {
            "first" => (&page["pageInfo"]["hasNextPage"], &page["pageInfo"]["endCursor"]),
            _ => (&page["pageInfo"]["hasPreviousPage"], &page["pageInfo"]["startCursor"]),
        };
        if *more == json!(false) {
            return names;
        }
        position = next.clone();
    }
}

fn names(all: &[String]) -> String {
    all.concat()
}

fn path(field: &Value) -> String {
    field.as_array().unwrap().iter().map(text).collect::<Vec<_>>().join(".")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_asks_for_too_much_is_refused() {
    let home = Home::new();
    let limits = [("TOYGRES_MAX_DEPTH", "8"), ("TOYGRES_MAX_COMPLEXITY", "500"), ("TOYGRES_MAX_TOKENS", "300"), ("TOYGRES_INTROSPECTION", "false")];
    let server = home.start_with(&limits).await;
    let deep =
        "{ instances(first: 1) { nodes { operations(first: 1) { nodes { instance { operations(first: 1) { nodes { instance { id } } } } } } } } }";
    let wide = "{ instances(first: 500) { nodes { id name } } }";
    let aliases = format!("{{ {} }}", (0..400).map(|n| format!("a{n}: __typename")).collect::<Vec<_>>().join(" "));
    for (query, complaint) in [(deep, "deeper than 8"), (wide, "exceed 500"), (aliases.as_str(), "tokens")] {
        let answer = server.request(query, json!({})).await;
        assert!(answer["errors"][0]["message"].as_str().is_some_and(|message| message.contains(complaint)), "{complaint}: {answer:#}");
        assert!(answer["errors"][0]["extensions"]["code"].is_string(), "{answer:#}");
    }
    let hidden = server.query("{ __schema { types { name } } }", json!({})).await;
    assert_eq!(hidden["__schema"], Value::Null, "introspection is off");
    let fits = server.query("{ instances(first: 50) { nodes { id name } } }", json!({})).await;
    assert_eq!(fits["instances"]["nodes"], json!([]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_makes_one_instance_however_often_it_comes_at_once() {
    let home = Home::new();
    let server = home.start().await;
    let input = json!({ "name": "only", "idempotencyKey": "twenty" });
    let answers = futures::future::join_all((0..20).map(|_| server.create(input.clone()))).await;
    assert!(
        answers.iter().all(|answer| answer["operation"]["id"] == answers[0]["operation"]["id"] && answer["userErrors"] == json!([])),
        "{answers:#?}"
    );
    let id = text(&answers[0]["instance"]["id"]);
    server.until_healthy(&id).await;
    let delete = "mutation($id: ID!) { deleteInstance(input: { id: $id, idempotencyKey: \"gone\" }) { operation { id } userErrors { code } } }";
    let answers = futures::future::join_all((0..20).map(|_| server.query(delete, json!({ "id": id })))).await;
    assert!(answers.iter().all(|answer| answer == &answers[0] && answer["deleteInstance"]["userErrors"] == json!([])), "{answers:#?}");
    server.stop().await;
}

/// A caller that disconnects between BEGIN and its response must not leave the connection in a transaction: later writes on it
/// would be lost.
#[tokio::test(flavor = "multi_thread")]
async fn callers_who_go_away_leave_no_transaction_behind() {
    let database = Database::start();
    let store = Store::open(&database.url(), 2, SecretKeys::generate()).unwrap();
    store.migrate().await.unwrap();
    let all = InstanceFilter::default();
    let mut answered = 0;
    for round in 0..3000u64 {
        let gone = tokio::time::timeout(Duration::from_micros(round * 7 % 1500), store.snapshot(&all)).await;
        answered += u32::from(gone.is_ok_and(|snapshot| snapshot.is_ok()));
    }
    assert!((300..2700).contains(&answered), "{answered} of 3000 were answered, so it tried nothing");
    // PostgreSQL logs a warning for a BEGIN within a transaction.
    assert_eq!(database.log().matches("already a transaction in progress").count(), 0);
    let client = connect(&database.url()).await;
    eventually("no transaction is open", async || {
        let open = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()";
        client.query_one(open, &[]).await.unwrap().get::<_, i64>(0) == 0
    })
    .await;
}
