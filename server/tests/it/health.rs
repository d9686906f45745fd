//! The health of instances through subscriptions, and the metrics of the server.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use crate::support::{Database, Home, Live, Server, children_of, eventually, postmaster, text};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const HEALTH: &str = "subscription($id: ID!) { instance(id: $id) { health reason { code } } }";

async fn until(live: &mut Live, health: &str) -> Value {
    loop {
        let now = live.next().await.unwrap()["data"]["instance"].clone();
        if now["health"] == health {
            return now;
        }
    }
}

async fn healthy(server: &Server, input: Value) -> (String, Live) {
    let payload = server.create(input).await;
    let id = text(&payload["instance"]["id"]);
    let mut live = server.subscribe(HEALTH, json!({ "id": id })).await;
    until(&mut live, "HEALTHY").await;
    (id, live)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_that_the_runtime_sees_shows_within_two_seconds() {
    let home = Home::new();
    let server = home.start().await;
    let (id, mut live) = healthy(&server, json!({ "name": "victim" })).await;
    kill(Pid::from_raw(postmaster(&home, &id)), Signal::SIGKILL).unwrap();
    let killed = Instant::now();
    let down = until(&mut live, "UNHEALTHY").await;
    let seen = killed.elapsed();
    assert!(seen < Duration::from_secs(2), "{seen:?}");
    assert_eq!(down["reason"]["code"], "PROCESS_EXITED");
    until(&mut live, "HEALTHY").await;
    println!("seen after {seen:?}, back after {:?}", killed.elapsed());
    server.stop().await;
}

/// The processes exist and the connections are open, but the server does not respond.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_shows_within_interval_and_ten_seconds() {
    let home = Home::new();
    let server = home.start().await;
    let (id, mut live) = healthy(&server, json!({ "name": "silent", "healthCheck": { "intervalSeconds": 4, "timeoutSeconds": 2 } })).await;
    let server_of_it = postmaster(&home, &id);
    let family: Vec<_> = std::iter::once(server_of_it).chain(children_of(server_of_it)).map(Pid::from_raw).collect();
    family.iter().for_each(|pid| kill(*pid, Signal::SIGSTOP).unwrap());
    let stopped = Instant::now();
    let down = until(&mut live, "UNHEALTHY").await;
    let seen = stopped.elapsed();
    family.iter().for_each(|pid| kill(*pid, Signal::SIGCONT).unwrap());
    assert_eq!(down["reason"]["code"], "CONNECTION_TIMEOUT");
    assert!(seen < Duration::from_secs(4 + 10), "{seen:?}");
    until(&mut live, "HEALTHY").await;
    println!("seen after {seen:?}, back after {:?}", stopped.elapsed());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_interval_holds_at_once() {
    let home = Home::new();
    let server = home.start().await;
    let (id, _) = healthy(&server, json!({ "name": "watched", "healthCheck": { "intervalSeconds": 3600 } })).await;
    let update = async |policy: Value| {
        let mutation = "mutation($id: ID!, $policy: HealthCheckInput!) { updateInstance(input: { id: $id, healthCheck: $policy }) {
            instance { healthCheckPolicy { intervalSeconds timeoutSeconds } } userErrors { code field } } }";
        server.query(mutation, json!({ "id": id, "policy": policy })).await["updateInstance"].clone()
    };
    let refused = update(json!({ "intervalSeconds": 0, "timeoutSeconds": 61 })).await;
    let errors = json!(["intervalSeconds", "timeoutSeconds"].map(|field| json!({ "code": "OUT_OF_RANGE", "field": ["healthCheck", field] })));
    assert_eq!(refused, json!({ "instance": null, "userErrors": errors }));
    let updated = update(json!({ "intervalSeconds": 1 })).await;
    assert_eq!(updated["instance"]["healthCheckPolicy"], json!({ "intervalSeconds": 1, "timeoutSeconds": 5 }), "{updated:#}");
    let at = "query($id: ID!) { instance(id: $id) { updatedAt latestHealthCheck { at } healthChecks(first: 3) { nodes { at } } } }";
    eventually("it is checked three times more", async || {
        let instance = server.query(at, json!({ "id": id })).await["instance"].clone();
        let checks = instance["healthChecks"]["nodes"].as_array().unwrap().clone();
        checks.len() == 3 && checks.iter().all(|check| text(&check["at"]) > text(&instance["updatedAt"]))
    })
    .await;
    server.stop().await;
}

/// Two servers on the same machine share the instances. The one that does not host them is killed.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_leaves_its_share_to_the_other() {
    let (home, metadata) = (Home::new(), Database::start());
    let url = metadata.url();
    let env = [("DATABASE_URL", url.as_str()), ("TOYGRES_SECRET_KEY", KEY), ("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")];
    let server = home.start_with(&env).await;
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(healthy(&server, json!({ "name": format!("shared-{number}") })).await.0);
    }
    let other = home.start_with(&env).await;
    let share = async |server: &Server| {
        let scraped = server.get("/metrics").await.text().await.unwrap();
        scraped.lines().find_map(|line| line.strip_prefix("toygres_probed_instances ")?.parse::<usize>().ok()).unwrap_or_default()
    };
    eventually("they share the instances", async || share(&server).await + share(&other).await == ids.len()).await;
    println!("shares: {} and {}", share(&server).await, share(&other).await);
    other.kill().await;
    let killed = Instant::now();
    eventually("the other has all", async || share(&server).await == ids.len()).await;
    let at = chrono::Utc::now();
    for id in &ids {
        let latest = "query($id: ID!) { instance(id: $id) { health latestHealthCheck { at status } } }";
        eventually("it is checked", async || {
            let instance = server.query(latest, json!({ "id": id })).await["instance"].clone();
            assert_eq!(instance["health"], "HEALTHY");
            text(&instance["latestHealthCheck"]["at"]).parse::<chrono::DateTime<chrono::Utc>>().unwrap() > at
        })
        .await;
    }
    assert!(killed.elapsed() < Duration::from_secs(15), "{:?}", killed.elapsed());
    server.stop().await;
}

/// Every metric in docs/OPERATIONS.md is exported, and every exported metric of Toygres is in docs/OPERATIONS.md.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_metrics_are_there() {
    let home = Home::new();
    let server = home.start().await;
    let (id, mut live) = healthy(&server, json!({ "name": "measured", "healthCheck": { "intervalSeconds": 1 } })).await;
    kill(Pid::from_raw(postmaster(&home, &id)), Signal::SIGKILL).unwrap();
    until(&mut live, "UNHEALTHY").await;
    until(&mut live, "HEALTHY").await;
    let manual = include_str!("../../../docs/OPERATIONS.md");
    let documented: BTreeSet<&str> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .filter(|name| name.starts_with("toygres_") || name.starts_with("duroxide_"))
        .collect();
    assert!(documented.len() > 25, "{documented:?}");
    let mut missing = BTreeSet::new();
    let mut scraped = String::new();
    eventually("every documented metric is there", async || {
        scraped = server.get("/metrics").await.text().await.unwrap();
        let there = names(&scraped);
        missing = documented.iter().filter(|name| !there.contains(**name)).map(|name| (*name).to_owned()).collect();
        if !missing.is_empty() {
            println!("not there yet: {missing:?}");
        }
        // Gauges are read from the tables every 15 seconds.
        let recovered = scraped.contains(r#"toygres_instances{state="running",health="healthy"} 1"#);
        missing.is_empty() && recovered && scraped.contains("toygres_health_check_lag_seconds_count")
    })
    .await;
    let undocumented: Vec<_> = names(&scraped).into_iter().filter(|name| name.starts_with("toygres_") && !documented.contains(name)).collect();
    assert_eq!(undocumented, Vec::<&str>::new());
    assert!(!scraped.contains("duroxide_orchestration_continue_as_new_total"), "its labels have no bound");
    for sample in [
        r#"toygres_health_checks_total{result="healthy"}"#,
        r#"toygres_health_checks_total{result="process_exited"}"#,
        r#"toygres_operation_seconds_count{kind="create",result="succeeded"} 1"#,
        r#"toygres_table_bytes{schema="duroxide",table="history"}"#,
    ] {
        assert!(scraped.contains(sample), "{sample} in\n{scraped}");
    }
    server.stop().await;
}

fn names(scraped: &str) -> BTreeSet<&str> {
    scraped.lines().filter_map(|line| line.strip_prefix("# TYPE ")).filter_map(|line| line.split(' ').next()).collect()
}
