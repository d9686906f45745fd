//! The life cycle of instances over HTTP and WebSocket, with real PostgreSQL.

use serde_json::{Value, json};

use crate::support::{Home, Live, connect, eventually, is_alive, postmaster, processes_of, psql, seq, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_lives_and_dies_before_a_subscriber() {
    let home = Home::new();
    let server = home.start().await;
    let mut list = server.subscribe("subscription { instances { type cursor instanceId instance { name state health } } }", json!({})).await;
    assert_eq!(list.next().await.unwrap()["data"]["instances"]["type"], "SNAPSHOT_COMPLETE");

    let payload = server.create(json!({ "name": "orders", "labels": [{ "key": "team", "value": "shop" }] })).await;
    assert_eq!(payload["userErrors"], json!([]));
    assert_eq!(payload["instance"]["state"], "CREATING", "the answer does not wait");
    assert_eq!(payload["operation"]["status"], "PENDING");
    let id = text(&payload["instance"]["id"]);
    let operation = text(&payload["operation"]["id"]);
    assert_eq!(operation, format!("create-{id}-1"));

    let seen = changes_until(&mut list, |change| change["instance"]["health"] == "HEALTHY").await;
    let states: Vec<_> = seen.iter().map(|change| (text(&change["instance"]["state"]), text(&change["instance"]["health"]))).collect();
    assert_eq!(states.first().unwrap().0, "CREATING", "{states:?}");
    assert!(states.iter().any(|(state, health)| state == "RUNNING" && health == "UNKNOWN"), "{states:?}");
    assert!(seen.iter().all(|change| change["type"] == "UPSERTED" && change["instanceId"] == json!(id)), "{seen:?}");

    let now = server.instance(&id).await;
    let url = text(&now["connectionString"]);
    assert_eq!(psql(&url, "CREATE TABLE t (a int); INSERT INTO t VALUES (7); TABLE t").await.as_deref(), Ok("7"));
    assert_eq!(psql(&url, "SELECT current_user || ' ' || current_database()").await.as_deref(), Ok("app app"));
    let creation = &now["operations"]["nodes"][0];
    assert_eq!(creation["status"], "SUCCEEDED");
    assert!(creation["steps"].as_array().unwrap().iter().all(|step| step["status"] == "SUCCEEDED"), "{creation:#}");

    let (pid, port) = (postmaster(&home, &id), now["endpoint"]["port"].as_u64().unwrap());
    assert!(is_alive(pid));
    assert_eq!(server.delete(&id).await["instance"]["state"], "DELETING");
    let seen = changes_until(&mut list, |change| change["type"] == "REMOVED").await;
    assert_eq!(seen.last().unwrap()["instance"]["state"], "DELETED");
    let gone = server.instance(&id).await;
    assert_eq!((&gone["connectionString"], &gone["endpoint"]), (&Value::Null, &Value::Null));
    assert!(!is_alive(pid), "the process is gone");
    assert!(std::net::TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).is_err(), "the port is free");
    assert_eq!(std::fs::read_dir(home.path().join("data/instances")).unwrap().count(), 0, "the files are gone");
    server.stop().await;
}

/// A deletion has no deadline: a run that takes too long is followed by the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_goes_on_until_what_holds_it_is_gone() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("held").await;
    server.until_healthy(&id).await;
    // A lock that is no file cannot be locked.
    let lock = home.path().join(format!("data/instances/{id}.lock"));
    eventually("its lock is in the way", async || {
        let _ = std::fs::remove_file(&lock);
        std::fs::create_dir(&lock).is_ok()
    })
    .await;
    let deletion = text(&server.delete(&id).await["operation"]["id"]);
    server.until(&id, "held", |now| now["state"] == "DELETING" && now["reason"]["code"] == "REMOVAL_INCOMPLETE").await;
    let taken = server.create(json!({ "name": "held" })).await;
    assert_eq!(taken["userErrors"][0]["code"], "NAME_TAKEN", "{taken:#}");
    let message = text(&taken["userErrors"][0]["message"]);
    assert!(message.contains(&deletion) && message.contains("lock"), "it says what the name waits for: {message}");

    let metadata = connect(std::fs::read_to_string(home.path().join("data/metadata.url")).unwrap().trim()).await;
    let ago = "- interval '1 hour'";
    let shift = format!("UPDATE toygres.operations SET created_at = created_at {ago}, dispatched_at = dispatched_at {ago} WHERE id = '{deletion}'");
    metadata.batch_execute(&shift).await.unwrap();
    let run = format!("SELECT run FROM toygres.operations WHERE id = '{deletion}' AND status = 'running'");
    eventually("the next run", async || metadata.query_opt(&run, &[]).await.unwrap().is_some_and(|row| row.get::<_, i32>(0) == 2)).await;
    let still = server.instance(&id).await;
    assert_eq!((&still["state"], &still["reason"]["code"]), (&json!("DELETING"), &json!("REMOVAL_INCOMPLETE")), "{still:#}");
    let is_running = |operation: &Value| operation["id"] == json!(deletion) && operation["status"] == "RUNNING";
    assert!(still["operations"]["nodes"].as_array().unwrap().iter().any(is_running), "{still:#}");

    std::fs::remove_dir(&lock).unwrap();
    server.until_deleted(&id).await;
    assert!(!home.path().join(format!("data/instances/{id}")).exists(), "nothing leaks");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_shows_its_steps_and_ends() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("steps").await;
    let document = "subscription($id: ID!) { operation(id: $id) { status steps { name status } instance { name } } }";
    // The engine's id of the first run, which is in logs, finds the same operation.
    let mut live = server.subscribe(document, json!({ "id": format!("create-{id}-1-r1") })).await;
    let mut last = Value::Null;
    while let Some(item) = live.next().await {
        last = item["data"]["operation"].clone();
        assert_eq!(last["steps"].as_array().unwrap().len(), 4, "the whole plan shows from the start");
    }
    assert_eq!((&last["status"], &last["instance"]["name"]), (&json!("SUCCEEDED"), &json!("steps")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_and_a_name_used_again() {
    let home = Home::new();
    let server = home.start().await;
    let (one, two) = tokio::join!(server.create_ok("one"), server.create_ok("two"));
    let (first, second) = tokio::join!(server.until_healthy(&one), server.until_healthy(&two));
    assert_ne!(first["endpoint"], second["endpoint"]);
    psql(&text(&first["connectionString"]), "CREATE TABLE t ()").await.unwrap();

    server.delete(&one).await;
    server.until_deleted(&one).await;
    let again = server.create_ok("one").await;
    assert_ne!(again, one);
    let reborn = server.until_healthy(&again).await;
    let tables = psql(&text(&reborn["connectionString"]), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").await;
    assert_eq!(tables.as_deref(), Ok("0"), "nothing of the first one is left");
    assert_eq!(psql(&text(&second["connectionString"]), "SELECT 1").await.as_deref(), Ok("1"), "its neighbour is not disturbed");
    let by_name = server.query("{ instanceByName(name: \"one\") { id } }", json!({})).await;
    assert_eq!(by_name["instanceByName"]["id"], json!(again));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_events_is_resumed_without_loss() {
    let home = Home::new();
    let server = home.start().await;
    let document = "subscription($after: String) { instanceEvents(after: $after) { cursor type from to } }";
    let mut live = server.subscribe(document, json!({ "after": "0" })).await;
    let id = server.create_ok("events").await;
    let mut seen = Vec::new();
    while seen.last().is_none_or(|event: &Value| event["to"] != "HEALTHY") {
        seen.push(live.next().await.unwrap()["data"]["instanceEvents"].clone());
    }
    let cursors: Vec<i64> = seen.iter().map(|event| seq(&text(&event["cursor"]))).collect();
    assert!(cursors.is_sorted_by(|a, b| a < b), "{cursors:?}");

    // A client that resumes after the third event gets the other events and then new ones.
    let mut resumed = server.subscribe(document, json!({ "after": seen[2]["cursor"] })).await;
    for event in &seen[3..] {
        assert_eq!(resumed.next().await.unwrap()["data"]["instanceEvents"], *event);
    }
    server
        .query("mutation($id: ID!) { updateInstance(input: { id: $id, deletionProtected: true }) { userErrors { code } } }", json!({ "id": id }))
        .await;
    assert_eq!(resumed.next().await.unwrap()["data"]["instanceEvents"]["type"], "INSTANCE_UPDATED");

    let mut lost = server.subscribe(document, json!({ "after": "999999-1700000000000000" })).await;
    assert_eq!(lost.next().await.unwrap()["errors"][0]["extensions"]["code"], "MUST_REFETCH");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_database_shows_and_recovers() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("victim").await;
    server.until_healthy(&id).await;
    let mut live = server.subscribe("subscription($id: ID!) { instance(id: $id) { health reason { code } } }", json!({ "id": id })).await;
    live.next().await.unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(postmaster(&home, &id)), nix::sys::signal::Signal::SIGKILL).unwrap();
    let down = live.next().await.unwrap()["data"]["instance"].clone();
    assert_eq!(down, json!({ "health": "UNHEALTHY", "reason": { "code": "PROCESS_EXITED" } }));
    let up = live.next().await.unwrap()["data"]["instance"].clone();
    assert_eq!(up, json!({ "health": "HEALTHY", "reason": null }));

    let checks = server.query("query($id: ID!) { instance(id: $id) { healthSummary { checks uptime } healthChecks(first: 100) { nodes { status latencyMs loggedIn error { code } } } } }", json!({ "id": id })).await;
    let nodes = checks["instance"]["healthChecks"]["nodes"].as_array().unwrap();
    let failed = nodes.iter().find(|check| check["status"] == "UNHEALTHY" && check["error"]["code"] == "PROCESS_EXITED");
    assert_eq!(failed.unwrap_or_else(|| panic!("{nodes:#?}"))["loggedIn"], Value::Null);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_health_check_reaches_its_subscriber() {
    let home = Home::new();
    let server = home.start().await;
    let payload = server.create(json!({ "name": "pulse", "healthCheck": { "intervalSeconds": 1 } })).await;
    let id = text(&payload["instance"]["id"]);
    let mut live =
        server.subscribe("subscription($id: ID!) { healthChecks(instanceId: $id) { cursor status latencyMs loggedIn } }", json!({ "id": id })).await;
    let (mut last, mut logins) = (0, Vec::new());
    for _ in 0..3 {
        let check = live.next().await.unwrap()["data"]["healthChecks"].clone();
        assert_eq!(check["status"], "HEALTHY", "{check}");
        let cursor: i64 = text(&check["cursor"]).parse().unwrap();
        assert!(cursor > last && check["latencyMs"].as_f64().unwrap() > 0.0);
        last = cursor;
        logins.push(check["loggedIn"].as_bool().unwrap());
    }
    // The first one logs in, and sooner or later one leaves a connection.
    while logins.len() < 15 && !logins.contains(&false) {
        logins.push(live.next().await.unwrap()["data"]["healthChecks"]["loggedIn"].as_bool().unwrap());
    }
    assert!(logins[0] && logins.contains(&false), "{logins:?}");
    let checks = server.query("query($id: ID!) { instance(id: $id) { healthChecks(last: 2) { nodes { loggedIn } } } }", json!({ "id": id })).await;
    assert_eq!(checks["instance"]["healthChecks"]["nodes"][1]["loggedIn"], true, "{checks:#}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_brings_its_instances_back() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("keeper").await;
    let before = server.until_healthy(&id).await;
    let url = text(&before["connectionString"]);
    psql(&url, "CREATE TABLE t (a int); INSERT INTO t VALUES (42)").await.unwrap();
    let pid = postmaster(&home, &id);

    server.stop().await;
    assert!(!is_alive(pid), "a clean stop leaves nothing behind");
    assert!(processes_of(&home).is_empty(), "{:?}", processes_of(&home));

    let server = home.start().await;
    eventually("the instance answers again", async || psql(&url, "TABLE t").await.as_deref() == Ok("42")).await;
    let after = server.until_healthy(&id).await;
    assert_eq!(after["endpoint"], before["endpoint"]);

    // After a crash the next server adopts the running instances.
    let pid = postmaster(&home, &id);
    server.kill().await;
    assert!(is_alive(pid), "a crash of the server does not touch the databases");
    let server = home.start().await;
    assert_eq!(psql(&url, "TABLE t").await.as_deref(), Ok("42"));
    assert_eq!(postmaster(&home, &id), pid, "it is the same process");
    server.delete(&id).await;
    server.until_deleted(&id).await;
    server.stop().await;
    assert!(processes_of(&home).is_empty(), "{:?}", processes_of(&home));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_while_it_creates_goes_on_afterwards() {
    let home = Home::new();
    let server = home.start_with(&[("TOYGRES_ENGINE_LOCK_SECONDS", "5")]).await;
    let id = server.create_ok("survivor").await;
    server.kill().await;
    let server = home.start_with(&[("TOYGRES_ENGINE_LOCK_SECONDS", "5")]).await;
    let now = server.until_healthy(&id).await;
    assert_eq!(psql(&text(&now["connectionString"]), "SELECT 1").await.as_deref(), Ok("1"));
    server.delete(&id).await;
    server.kill().await;
    let server = home.start_with(&[("TOYGRES_ENGINE_LOCK_SECONDS", "5")]).await;
    server.until_deleted(&id).await;
    assert_eq!(std::fs::read_dir(home.path().join("data/instances")).unwrap().count(), 0);
    server.stop().await;
}

async fn changes_until(list: &mut Live, there: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut seen = Vec::new();
    loop {
        let change = list.next().await.expect("the list never ends")["data"]["instances"].clone();
        let over = there(&change);
        seen.push(change);
        if over {
            return seen;
        }
    }
}
