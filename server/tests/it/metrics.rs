//! Metrics of instances through the API, for Prometheus and on the command line: with the oldest and the newest version as local processes,
//! and as a pod.

use std::collections::BTreeSet;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use toygres_domain::metric::{MetricKind, MetricName};

use crate::{
    cli::commands::{json as json_of, run, succeed},
    kubernetes::Platform,
    support::{Database, Home, Live, Server, connect, eventually, postmaster, psql, text},
};

/// Every check reads.
const OFTEN: [(&str, &str); 2] = [("TOYGRES_HEALTH_INTERVAL_SECONDS", "1"), ("TOYGRES_METRICS_INTERVAL_SECONDS", "1")];
const METRICS: &str = "query($id: ID!, $names: [MetricName!], $from: DateTime, $to: DateTime, $step: Int) {
    instance(id: $id) { metrics(names: $names, from: $from, to: $to, stepSeconds: $step) {
        name unit stepSeconds points { at value minimum maximum } } } }";
const FOLLOW: &str =
    "subscription($id: ID!, $names: [MetricName!]) { instanceMetrics(instanceId: $id, names: $names) { at values { name unit value } } }";

async fn series(server: &Server, id: &str, names: &[&str]) -> Vec<Value> {
    let answer = server.query(METRICS, json!({ "id": id, "names": names, "step": 30 })).await;
    answer["instance"]["metrics"].as_array().unwrap().clone()
}

/// The values of a reading, by name; those that are null are left out.
fn values(reading: &Value) -> std::collections::BTreeMap<String, f64> {
    let values = reading["data"]["instanceMetrics"]["values"].as_array().unwrap_or_else(|| panic!("{reading:#}"));
    values.iter().filter_map(|value| Some((text(&value["name"]), value["value"].as_f64()?))).collect()
}

/// The next reading that is as it should be.
async fn next(live: &mut Live, what: &str, is: impl Fn(&std::collections::BTreeMap<String, f64>) -> bool) -> std::collections::BTreeMap<String, f64> {
    for _ in 0..60 {
        let now = values(&live.next().await.unwrap());
        if is(&now) {
            return now;
        }
        println!("not yet {what}: {now:?}");
    }
    panic!("never {what}");
}

/// Checks the readings that have come, and some that follow: of more than a hundred commits that the counters begin or go on with, none is a rate.
/// A reading without rates, the first of a server that has started, may be stored together with the next, and not be seen.
async fn is_quiet_until_now(live: &mut Live) {
    let now = chrono::Utc::now() + chrono::TimeDelta::seconds(2);
    loop {
        let reading = live.next().await.unwrap();
        let values = values(&reading);
        assert!(values.values().all(|value| *value >= 0.0) && values.get("COMMITS").is_none_or(|rate| *rate < 50.0), "{values:?}");
        let at = reading["data"]["instanceMetrics"]["at"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        if at > now {
            return assert!(values.contains_key("COMMITS"), "rates are read again: {values:?}");
        }
    }
}

/// The samples of `/metrics/instances` by metric: its type, and its value for the instance of this name.
async fn scraped(server: &Server, name: &str) -> std::collections::BTreeMap<String, (String, f64)> {
    let response = server.get("/metrics/instances").await;
    assert_eq!(response.status(), 200);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    let body = response.text().await.unwrap();
    let mut samples = std::collections::BTreeMap::new();
    let (mut helped, mut kind) = (String::new(), (String::new(), String::new()));
    for line in body.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (metric, description) = help.split_once(' ').unwrap();
            assert!(!description.is_empty());
            helped = metric.to_owned();
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (metric, is) = of.split_once(' ').unwrap();
            assert_eq!(metric, helped, "its help comes first");
            kind = (metric.to_owned(), is.to_owned());
        } else {
            let (metric, rest) = line.split_once('{').unwrap();
            let (labels, value) = rest.split_once("} ").unwrap();
            assert_eq!(metric, kind.0, "its type comes first");
            assert!(labels.starts_with("id=\"") && labels.contains(",name=\""), "{labels}");
            if labels.ends_with(&format!("name=\"{name}\"")) {
                assert!(samples.insert(metric.to_owned(), (kind.1.clone(), value.parse::<f64>().unwrap())).is_none(), "{metric} is there twice");
            }
        }
    }
    samples
}

fn exported() -> BTreeSet<&'static str> {
    MetricName::ALL.iter().filter_map(|metric| metric.definition().prometheus).collect()
}

/// An instance of this version under a load that is known, and its server restarted and killed.
async fn lives(version: u32) {
    let home = Home::new();
    let place = std::env::var("TOYGRES_TEST_POSTGRES").expect("TOYGRES_TEST_POSTGRES is set: run scripts/install-test-postgres");
    let bins = format!("{}:{place}/18-complete/bin", std::env::var("TOYGRES_PG_BIN").unwrap_or_default());
    let server = home.start_with(&[OFTEN.as_slice(), &[("TOYGRES_PG_BIN", &bins)]].concat()).await;
    let created = server.create(json!({ "name": "orders", "postgresVersion": version.to_string() })).await;
    assert_eq!(created["userErrors"], json!([]), "{created:#}");
    let id = text(&created["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    let mut live = server
        .subscribe(FOLLOW, json!({ "id": id, "names": ["COMMITS", "CONNECTIONS", "MAX_CONNECTIONS", "DATABASE_SIZE", "VOLUME_AVAILABLE"] }))
        .await;
    let first = next(&mut live, "a rate", |now| now.contains_key("COMMITS") && now.contains_key("DATABASE_SIZE")).await;
    assert!(first["MAX_CONNECTIONS"] > 10.0 && first["DATABASE_SIZE"] > 5e6 && first["VOLUME_AVAILABLE"] > 1e9, "{first:?}");

    // 100 transactions are somewhere in the rates of the readings that follow, once each.
    let client = connect(&url).await;
    client.batch_execute("CREATE TABLE t (a int); SELECT pg_stat_force_next_flush()").await.unwrap();
    next(&mut live, "its own session", |now| now["CONNECTIONS"] == 1.0).await;
    for number in 0..100 {
        client.batch_execute(&format!("INSERT INTO t VALUES ({number})")).await.unwrap();
    }
    client.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
    next(&mut live, "the load", |now| now.get("COMMITS").is_some_and(|rate| *rate > 5.0)).await;
    let written: f64 = {
        let mut written = 0.0;
        eventually("the rows that were written are counted", async || {
            let rows = series(&server, &id, &["ROWS_WRITTEN"]).await.remove(0);
            assert_eq!((&rows["unit"], &rows["stepSeconds"]), (&json!("PER_SECOND"), &json!(30)));
            written = rows["points"].as_array().unwrap().iter().map(|point| point["maximum"].as_f64().unwrap()).fold(0.0, f64::max);
            written > 5.0
        })
        .await;
        written
    };
    assert!(written < 300.0, "{written} rows a second of the 100 that were inserted, and of the catalogs");

    let samples = scraped(&server, "orders").await;
    for metric in MetricName::ALL {
        let Some(name) = metric.definition().prometheus else { continue };
        let (kind, _) = samples.get(name).unwrap_or_else(|| panic!("{name} is exported, on PostgreSQL {version}: {samples:?}"));
        assert_eq!(kind == "counter", metric.definition().kind == MetricKind::Counter, "{name}");
    }
    assert!(samples["toygres_postgres_commits_total"].1 >= 100.0, "a counter is as the server counts it");
    assert_eq!(samples["toygres_postgres_connections"].1, 1.0);

    // Whatever the server begins anew, no rate is negative or as if everything had been counted just now.
    let mut all = server.subscribe(FOLLOW, json!({ "id": id })).await;
    let is_sane = |now: &std::collections::BTreeMap<String, f64>| assert!(now.values().all(|value| *value >= 0.0), "{now:?}");
    let restart = "mutation($id: ID!) { restartInstance(input: { id: $id }) { userErrors { message } } }";
    assert_eq!(server.query(restart, json!({ "id": id })).await["restartInstance"]["userErrors"], json!([]));
    next(&mut all, "the restart, which ends the session", |now| {
        is_sane(now);
        now["CONNECTIONS"] == 0.0
    })
    .await;
    // The statistics outlive a restart, with more than a hundred commits in them, and a crash takes them away.
    let commits = async || scraped(&server, "orders").await.get("toygres_postgres_commits_total").map(|(_, total)| *total);
    is_quiet_until_now(&mut all).await;
    assert!(commits().await.is_some_and(|total| total >= 100.0));
    kill(Pid::from_raw(postmaster(&home, &id)), Signal::SIGKILL).unwrap();
    eventually("the crash is read", async || commits().await.is_some_and(|total| total < 100.0)).await;
    is_quiet_until_now(&mut all).await;

    // The command line shows the same.
    let table = succeed(&home, &server, &["instances", "metrics", "orders", "--step", "30s"]).await;
    assert!(table.starts_with("METRIC") && table.contains("cache hit ratio") && table.lines().count() == MetricName::ALL.len() + 1, "{table}");
    let one = json_of(&home, &server, &["instances", "metrics", "orders", "--metric", "connections", "--since", "10m"]).await;
    assert_eq!((&one[0]["name"], &one[0]["unit"]), (&json!("CONNECTIONS"), &json!("COUNT")), "{one:#}");
    assert!(!one[0]["points"].as_array().unwrap().is_empty());
    let followed = run(&home, &server, &["instances", "metrics", "orders", "-f", "--timeout", "4s", "-o", "json", "--metric", "wal-bytes"]).await;
    assert_eq!(followed.code, 124, "{}", followed.err);
    let readings: Vec<Value> = followed.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(readings.len() >= 2 && readings.iter().all(|reading| reading["values"][0]["name"] == "WAL_BYTES"), "{readings:?}");
    let wrong = run(&home, &server, &["instances", "metrics", "orders", "--step", "10s"]).await;
    assert!(wrong.code != 0 && wrong.err.contains("must be 30 to 604800"), "{}", wrong.err);

    // What is deleted is not exported any more, and completes its subscription.
    server.delete(&id).await;
    server.until_deleted(&id).await;
    assert!(scraped(&server, "orders").await.is_empty());
    let over = async { while all.next().await.is_some() {} };
    tokio::time::timeout(std::time::Duration::from_secs(30), over).await.expect("it completes");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_of_postgresql_15_are_those_of_its_load() {
    lives(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_of_postgresql_18_are_those_of_its_load() {
    lives(18).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_of_a_pod_are_read_too() {
    let platform = Platform::new().await;
    let server = platform.start_with(&OFTEN).await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    let mut live = server.subscribe(FOLLOW, json!({ "id": id })).await;
    let now = next(&mut live, "a rate", |now| now.contains_key("COMMITS") && now.contains_key("VOLUME_USED")).await;
    assert!(now["VOLUME_AVAILABLE"] > now["VOLUME_USED"], "{now:?}");
    assert_eq!(scraped(&server, "orders").await.len(), exported().len());
    server.delete(&id).await;
    server.until_deleted(&id).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_refused_with_the_field_and_a_remedy() {
    let (home, database) = (Home::new(), Database::start());
    let metadata = database.url();
    let server = home.start_with(&[("DATABASE_URL", metadata.as_str()), ("TOYGRES_METRICS_INTERVAL_SECONDS", "0")]).await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    let ask = async |more: Value| {
        let mut variables = json!({ "id": id });
        variables.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = server.request(METRICS, variables).await;
        let error = &answer["errors"][0];
        (text(&error["extensions"]["code"]), text(&error["message"]))
    };
    let (code, message) = ask(json!({ "from": "2026-01-01T00:00:00Z", "to": "2026-01-03T00:00:00Z", "step": 30 })).await;
    assert_eq!(code, "BAD_USER_INPUT", "{message}");
    assert!(message.contains("stepSeconds") && message.contains("use a stepSeconds of at least"), "{message}");
    let (_, message) = ask(json!({ "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "step": 60 })).await;
    assert!(message.contains("24 metrics of 1440 points each are more than 10000 points"), "{message}");
    let (_, message) = ask(json!({ "step": 29 })).await;
    assert!(message.contains("stepSeconds: must be 30 to 604800"), "{message}");
    let (_, message) = ask(json!({ "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" })).await;
    assert!(message.contains("from: must be before to"), "{message}");
    let list = "{ instances(first: 500) { nodes { metrics(from: \"2026-01-01T00:00:00Z\", to: \"2026-01-01T20:00:00Z\") { points { value } } } } }";
    let answer = server.request(list, json!({})).await;
    assert!(answer.to_string().contains("complex"), "what all of them have would be too much: {answer}");

    // Nothing was read, because it is off; what it still has of an earlier time is answered, with steps of hours from the summaries.
    assert_eq!(series(&server, &id, &["COMMITS"]).await[0]["points"], json!([]));
    assert!(scraped(&server, "orders").await.is_empty());
    psql(&metadata, &format!("INSERT INTO toygres.instance_metrics_hourly VALUES ('{id}', '2026-01-01 10:00Z', 120, '{{7.5}}', '{{1}}', '{{9}}')"))
        .await
        .unwrap();
    psql(&metadata, "UPDATE toygres.metrics_horizon SET hour = '2026-01-02 00:00Z'").await.unwrap();
    let variables =
        json!({ "id": id, "names": ["CONNECTIONS", "SLOT_WAL"], "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "step": 3600 });
    assert_eq!(
        server.query(METRICS, variables).await["instance"]["metrics"],
        json!([
            { "name": "CONNECTIONS", "unit": "COUNT", "stepSeconds": 3600,
              "points": [{ "at": "2026-01-01T10:00:00+00:00", "value": 7.5, "minimum": 1.0, "maximum": 9.0 }] },
            { "name": "SLOT_WAL", "unit": "BYTES", "stepSeconds": 3600, "points": [] },
        ])
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_token_sees_no_metrics_of_instances() {
    let home = Home::new();
    let mut server = home.start_with(&[("TOYGRES_ACCESS", "tokens")]).await;
    assert_eq!(server.get("/metrics/instances").await.status(), 401);
    let output = home.command(&["token", "create", "--name", "scraper", "--role", "viewer"]).output().await.unwrap();
    server.bearer = Some(String::from_utf8(output.stdout).unwrap().trim().to_owned());
    assert_eq!(server.get("/metrics/instances").await.status(), 200);
    server.stop().await;
}

/// Every metric that the dashboard asks for is one that is exported, and it asks for all of them.
#[test]
fn the_dashboard_asks_for_metrics_that_exist() {
    let dashboard: Value = serde_json::from_str(include_str!("../../../docs/grafana-instances.json")).unwrap();
    let mut asked = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = text(&target["expr"]);
            let words =
                expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| word.starts_with("toygres_")).map(str::to_owned);
            asked.extend(words);
        }
    }
    let exported: BTreeSet<String> = exported().into_iter().map(str::to_owned).collect();
    assert_eq!(asked, exported);
    let manual = include_str!("../../../docs/OPERATIONS.md");
    for name in exported {
        assert!(manual.contains(&format!("`{name}`")), "docs/OPERATIONS.md has {name}");
    }
}
