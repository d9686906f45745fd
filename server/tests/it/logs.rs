//! The log of an instance, read and followed through the API: with PostgreSQL 15 as a local process, and 18 as a pod.

use std::time::Instant;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    access::first_token,
    cli::commands::{command, run, succeed},
    database_users::succeeded,
    kubernetes::Platform,
    support::{Database, Home, Live, Server, TIMEOUT, connect, eventually, psql, subscribe_as, text},
};

const LOGS: &str = "query($id: ID!, $first: Int, $after: String, $severity: LogSeverity, $since: DateTime, $contains: String) { instance(id: $id) {
    logs(first: $first, after: $after, severity: $severity, since: $since, contains: $contains) { gap reason { code message }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        nodes { cursor time severity sqlstate message detail hint context statement username database applicationName pid } } } }";
const FOLLOW: &str = "subscription($id: ID!, $tail: Int, $after: String, $severity: LogSeverity, $contains: String) {
    instanceLogs(instanceId: $id, tail: $tail, after: $after, severity: $severity, contains: $contains) {
        cursor gap entries { cursor time severity message } } }";

async fn logs(server: &Server, variables: Value) -> Value {
    server.query(LOGS, variables).await["instance"]["logs"].clone()
}

fn messages(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|entry| text(&entry["message"])).collect()
}

/// Logs a message that contains a number, `count` times.
async fn log_numbers(url: &str, from: u32, count: u32) {
    eventually("the server answers", async || psql(url, "SELECT 1").await.is_ok()).await;
    let client = connect(url).await;
    let last = from + count - 1;
    client.batch_execute(&format!("DO $$ BEGIN FOR n IN {from}..{last} LOOP RAISE LOG 'number %.', n; END LOOP; END $$")).await.unwrap();
}

fn number(entry: &Value) -> Option<u32> {
    text(&entry["message"]).strip_prefix("number ")?.strip_suffix('.')?.parse().ok()
}

/// A subscriber who checks that every number comes once and in order, except where there is a gap.
struct Numbers {
    live: Live,
    /// Where and as what to subscribe again: a server closes the socket of who does not read for long.
    variables: (String, Option<String>, String),
    /// The last number.
    last: u32,
    cursor: String,
    gaps: usize,
}

impl Numbers {
    /// Follows the log after a cursor, and after this number.
    async fn follow(server: &Server, id: &str, after: &str, last: u32) -> Self {
        let live = subscribe_as(&server.address, server.bearer.as_deref(), FOLLOW, json!({ "id": id, "after": after })).await.unwrap();
        let variables = (server.address.clone(), server.bearer.clone(), id.to_owned());
        Self { live, variables, last, cursor: after.to_owned(), gaps: 0 }
    }

    /// Follows what is logged from now on.
    async fn from_now(server: &Server, id: &str, last: u32) -> Self {
        let newest = logs(server, json!({ "id": id, "first": 1 })).await;
        Self::follow(server, id, &text(&newest["nodes"][0]["cursor"]), last).await
    }

    /// Reads until this number.
    async fn until(&mut self, last: u32) {
        while self.last < last {
            let Ok(Some(item)) = timeout(TIMEOUT, self.live.try_next()).await.expect("something comes in time") else {
                let (address, token, id) = &self.variables;
                let variables = json!({ "id": id, "after": self.cursor });
                self.live = subscribe_as(address, token.as_deref(), FOLLOW, variables).await.unwrap();
                continue;
            };
            assert_eq!(item["errors"], Value::Null, "{item:#}");
            let batch = &item["data"]["instanceLogs"];
            let mut gap = batch["gap"] == true;
            self.gaps += usize::from(gap);
            for number in batch["entries"].as_array().unwrap().iter().filter_map(number) {
                assert!(number > self.last, "{number} after {}", self.last);
                assert!(gap || number == self.last + 1, "{number} after {} without a gap", self.last);
                (self.last, gap) = (number, false);
            }
            self.cursor = text(&batch["cursor"]);
        }
    }
}

/// Waits until a message is in the log, and returns the entry.
async fn logged(server: &Server, id: &str, contains: &str) -> Value {
    let mut found = Value::Null;
    eventually(contains, async || {
        found = logs(server, json!({ "id": id, "contains": contains })).await["nodes"][0].clone();
        found != Value::Null
    })
    .await;
    found
}

/// Entries have all their parts, and are selected by each.
async fn entries_are_typed_and_selected(server: &Server, id: &str, url: &str) {
    let began = chrono::Utc::now();
    let client = connect(url).await;
    client.batch_execute("SET application_name = 'shop'").await.unwrap();
    let raise = "DO $$ BEGIN RAISE LOG E'first\\nsecond\\n\\tthird' USING DETAIL = E'one\\ntwo', HINT = 'Do this.'; END $$";
    client.batch_execute(raise).await.unwrap();
    let raised = logged(server, id, "second").await;
    let expected = json!({ "severity": "LOG", "message": "first\nsecond\n\tthird", "detail": "one\ntwo", "hint": "Do this.", "sqlstate": null,
        "username": "app", "database": "app", "applicationName": "shop", "statement": null,
        "context": "PL/pgSQL function inline_code_block line 1 at RAISE" });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&raised[field], value, "{field}: {raised:#}");
    }
    let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    assert_eq!(raised["pid"], json!(backend));
    let time: chrono::DateTime<chrono::Utc> = text(&raised["time"]).parse().unwrap();
    assert!((time - began).abs() < chrono::TimeDelta::seconds(10), "{raised:#}");

    // A statement with several lines.
    client.batch_execute("DO $$ BEGIN EXECUTE E'SELEC\\n\\t1'; END $$").await.unwrap_err();
    let failed = logged(server, id, "selec").await;
    assert_eq!(
        (&failed["severity"], &failed["sqlstate"], &failed["statement"]),
        (&json!("ERROR"), &json!("42601"), &json!("SELEC\n\t1")),
        "{failed:#}"
    );

    // Secrets that clients log are masked, and nobody finds one by guessing.
    let secrets =
        "DO $$ BEGIN RAISE WARNING E'ALTER ROLE a\\n PASSWORD ''hunter2''; postgres://u:hunter2@h/d' USING DETAIL = 'password=hunter2'; END $$";
    client.batch_execute(secrets).await.unwrap();
    let masked = logged(server, id, "alter role a").await;
    assert_eq!(masked["message"], "ALTER ROLE a\n PASSWORD '***'; postgres://u:***@h/d");
    assert!(!masked.to_string().contains("hunter2"));
    assert_eq!(logs(server, json!({ "id": id, "contains": "hunter2" })).await["nodes"], json!([]));

    // Neither can a client make entries of its own.
    let name = "2026-01-01 00:00:00.000 UTC [1] PANIC:  forged";
    let forged = format!("DO $$ BEGIN RAISE LOG E'x\\n{name}\\n\\n\\t{name}'; END $$");
    client.batch_execute(&forged).await.unwrap();
    let host_and_port = url.split('@').nth(1).unwrap().split('/').next().unwrap();
    connect_as(host_and_port, &format!("\n{name}")).await;
    connect_as(host_and_port, &format!("LOG:  x\n{name}")).await;
    logged(server, id, "forged").await;
    let panics = logs(server, json!({ "id": id, "severity": "PANIC", "contains": "forged" })).await;
    assert_eq!(panics["nodes"], json!([]), "{panics:#}");

    let errors = logs(server, json!({ "id": id, "severity": "ERROR", "first": 500 })).await;
    assert!(errors["nodes"].as_array().unwrap().iter().all(|entry| ["ERROR", "FATAL", "PANIC"].contains(&entry["severity"].as_str().unwrap())));
    assert!(messages(&errors["nodes"]).iter().any(|message| message.contains("syntax error")), "{errors:#}");
    let later = logs(server, json!({ "id": id, "since": chrono::Utc::now() + chrono::TimeDelta::hours(1) })).await;
    assert_eq!((&later["nodes"], &later["reason"]), (&json!([]), &Value::Null));
    let since = logs(server, json!({ "id": id, "since": raised["time"], "first": 500 })).await;
    assert_eq!(messages(&since["nodes"])[0], "first\nsecond\n\tthird", "{since:#}");
    assert_eq!(logs(server, json!({ "id": id, "contains": "SHOP", "severity": "ERROR" })).await["nodes"][0]["sqlstate"], "42601");
}

/// A login as a role with any name, which is refused.
async fn connect_as(host_and_port: &str, user: &str) {
    let (host, port) = host_and_port.split_once(':').unwrap();
    let mut config = tokio_postgres::Config::new();
    config.host(host).port(port.parse().unwrap()).user(user).dbname("app").password("x");
    assert!(config.connect(tokio_postgres::NoTls).await.is_err());
}

/// The newest page, and then each page after another.
async fn pages_follow_each_other(server: &Server, id: &str, url: &str) {
    log_numbers(url, 1, 120).await;
    logged(server, id, "number 120.").await;
    let newest = logs(server, json!({ "id": id, "first": 5, "contains": "number" })).await;
    assert_eq!(messages(&newest["nodes"]), (116..=120).map(|n| format!("number {n}.")).collect::<Vec<_>>());
    assert_eq!((&newest["pageInfo"]["hasPreviousPage"], &newest["pageInfo"]["hasNextPage"]), (&json!(true), &json!(false)));
    let mut after = logged(server, id, "number 1.").await["cursor"].clone();
    let mut read = Vec::new();
    loop {
        let page = logs(server, json!({ "id": id, "first": 50, "after": after, "contains": "number" })).await;
        assert_eq!(page["gap"], false);
        read.extend(messages(&page["nodes"]));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(read, (2..=120).map(|n| format!("number {n}.")).collect::<Vec<_>>());
    for (field, wrong) in [("after", json!("x")), ("first", json!(501))] {
        let answer = server.request(LOGS, json!({ "id": id, field: wrong })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer:#}");
    }
}

async fn viewers_are_refused(server: &Server, viewer: &str, id: &str) {
    let mut live = subscribe_as(&server.address, Some(viewer), FOLLOW, json!({ "id": id })).await.unwrap();
    let answer = live.next().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer:#}");
    let body = json!({ "query": LOGS, "variables": { "id": id } });
    let request = reqwest::Client::new().post(server.url("/graphql")).bearer_auth(viewer).json(&body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer:#}");
}

async fn the_command_line_shows_the_same(home: &Home, server: &Server, url: &str) {
    let shown = succeed(home, server, &["instances", "logs", "orders", "-n", "3", "--contains", "number"]).await;
    assert!(shown.contains(" LOG: number 120.\n\tCONTEXT: PL/pgSQL function inline_code_block line 1 at RAISE\n"), "{shown}");
    assert_eq!(shown.matches(": number").count(), 3, "{shown}");
    let entries = succeed(home, server, &["instances", "logs", "orders", "--severity", "error", "--since", "1h", "-o", "json"]).await;
    let entries: Value = serde_json::from_str(&entries).unwrap();
    assert!(messages(&entries).iter().any(|message| message.contains("syntax error")), "{entries:#}");
    let wrong = run(home, server, &["instances", "logs", "orders", "-n", "501"]).await;
    assert!(wrong.code != 0 && wrong.err.contains("0 to 500"), "{wrong:#?}");

    let mut child = command(home, server, &["instances", "logs", "orders", "-f", "-n", "1", "--contains", "number", "-o", "json"]);
    let mut child = child.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(child.stdout.take().unwrap()));
    let mut next = async || {
        let line = timeout(TIMEOUT, lines.next_line()).await.expect("an entry comes in time").unwrap().unwrap();
        text(&serde_json::from_str::<Value>(&line).unwrap()["message"])
    };
    assert_eq!(next().await, "number 120.");
    log_numbers(url, 121, 2).await;
    assert_eq!((next().await, next().await), ("number 121.".to_owned(), "number 122.".to_owned()));
    child.kill().await.unwrap();
}

/// A subscriber who reads at once and one who does not, while a server logs more than its host keeps. Both get every number in order, except
/// where they are told of a gap. Returns the gaps of the slow one.
async fn a_flood(server: &Server, id: &str, url: &str, from: u32, count: u32) -> usize {
    let last = from + count - 1;
    let mut fast = Numbers::from_now(server, id, from - 1).await;
    let mut slow = Numbers::from_now(server, id, from - 1).await;
    let before = server.memory();
    let began = Instant::now();
    let flood = log_numbers(url, from, count);
    let reading = async {
        fast.until(last).await;
        began.elapsed()
    };
    let timed = async {
        flood.await;
        began.elapsed()
    };
    let (logged, read) = tokio::join!(timed, reading);
    let grown = server.memory().saturating_sub(before);
    let rate = f64::from(count) / logged.as_secs_f64();
    eprintln!("measured: {rate:.0} lines/s; read {read:?} after the first of {count}; {} gaps; memory +{} KiB", fast.gaps, grown / 1024);
    assert!(rate > 10_000.0, "{rate} lines/s");
    assert!(grown < 96 * 1024 * 1024, "{grown} bytes");
    slow.until(last).await;
    eprintln!("measured: the slow subscriber had {} gaps", slow.gaps);
    slow.gaps
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_logs_is_read_and_followed() {
    let home = Home::new();
    let mut server = home.start_with(&[("TOYGRES_ACCESS", "tokens")]).await;
    let admin = first_token(&home, "admin").await;
    let viewer = first_token(&home, "viewer").await;
    server.bearer = Some(admin);
    let payload = server.create(json!({ "name": "orders" })).await;
    let id = text(&payload["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    entries_are_typed_and_selected(&server, &id, &url).await;
    pages_follow_each_other(&server, &id, &url).await;
    viewers_are_refused(&server, &viewer, &id).await;
    the_command_line_shows_the_same(&home, &server, &url).await;

    // As a server on another machine sees it.
    let (directory, elsewhere) = (home.path().join(format!("data/instances/{id}")), home.path().join("elsewhere"));
    std::fs::rename(&directory, &elsewhere).unwrap();
    let absent = logs(&server, json!({ "id": id })).await;
    let mut live = subscribe_as(&server.address, server.bearer.as_deref(), FOLLOW, json!({ "id": id })).await.unwrap();
    let refused = live.next().await.unwrap();
    std::fs::rename(&elsewhere, &directory).unwrap();
    assert_eq!(absent["reason"]["code"], "LOG_NOT_HERE", "{absent:#}");
    let extensions = &refused["errors"][0]["extensions"];
    assert_eq!((&extensions["code"], &extensions["reason"]), (&json!("LOG_UNAVAILABLE"), &json!("LOG_NOT_HERE")), "{refused:#}");

    let mut live = subscribe_as(&server.address, server.bearer.as_deref(), FOLLOW, json!({ "id": id, "tail": 1 })).await.unwrap();
    live.next().await.unwrap();
    let metrics = server.get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("\ntoygres_log_streams 1\n"), "{metrics}");
    assert!(metrics.contains("toygres_inspections_total{what=\"logs\",result=\"answered\"}"), "{metrics}");
    server.delete(&id).await;
    server.until_deleted(&id).await;
    while live.next().await.is_some() {}
    assert_eq!(logs(&server, json!({ "id": id })).await["reason"]["code"], "NOT_RUNNING");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_followed_across_restarts_and_a_flood() {
    let (home, database) = (Home::new(), Database::start());
    let env = [("DATABASE_URL", database.url())];
    let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
    let server = home.start_with(&env).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    let mut numbers = Numbers::from_now(&server, &id, 0).await;
    log_numbers(&url, 1, 10).await;
    numbers.until(10).await;
    // Of the server of the instance, in the middle.
    succeeded(&server, "restartInstance", json!({ "id": id })).await;
    log_numbers(&url, 11, 10).await;
    numbers.until(20).await;
    assert_eq!(numbers.gaps, 0);

    // Of the control plane, which is killed, and then one that stops the instance too.
    let cursor = numbers.cursor.clone();
    server.kill().await;
    log_numbers(&url, 21, 10).await;
    let server = home.start_with(&env).await;
    let mut numbers = Numbers::follow(&server, &id, &cursor, 20).await;
    numbers.until(30).await;
    let cursor = numbers.cursor.clone();
    log_numbers(&url, 31, 10).await;
    server.stop().await;
    let server = home.start_with(&env).await;
    server.until_healthy(&id).await;
    log_numbers(&url, 41, 10).await;
    let mut numbers = Numbers::follow(&server, &id, &cursor, 30).await;
    numbers.until(50).await;
    assert_eq!(numbers.gaps, 0);
    let old = numbers.cursor.clone();

    // More than is kept: the file stays small, and whoever is late is told.
    let gaps = a_flood(&server, &id, &url, 1001, 250_000).await;
    assert!(gaps >= 1, "the slow subscriber missed something");
    let file = home.path().join(format!("data/instances/{id}/log"));
    let size = || std::os::unix::fs::MetadataExt::blocks(&file.metadata().unwrap()) * 512;
    eventually("the log is cut", async || size() < 40 * 1024 * 1024).await;
    let late = logs(&server, json!({ "id": id, "after": old, "first": 1 })).await;
    assert_eq!(late["gap"], true, "{late:#}");
    let newest = logs(&server, json!({ "id": id, "first": 1, "contains": "number" })).await;
    assert_eq!(messages(&newest["nodes"]), ["number 251000."]);
    let cursor = text(&newest["nodes"][0]["cursor"]);
    let mut numbers = Numbers::follow(&server, &id, &cursor, 251_000).await;
    log_numbers(&url, 251_001, 10).await;
    numbers.until(251_010).await;
    assert_eq!(numbers.gaps, 0, "a cursor stays valid when what is before it is cut");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_pod_is_read_and_followed() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let payload = server.create(json!({ "name": "orders", "postgresVersion": "18" })).await;
    let id = text(&payload["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    entries_are_typed_and_selected(&server, &id, &url).await;
    pages_follow_each_other(&server, &id, &url).await;

    let mut numbers = Numbers::from_now(&server, &id, 200).await;
    log_numbers(&url, 201, 10).await;
    numbers.until(210).await;
    succeeded(&server, "restartInstance", json!({ "id": id })).await;
    log_numbers(&url, 211, 10).await;
    numbers.until(220).await;
    assert_eq!(numbers.gaps, 0);

    // The pod goes on while the control plane is away.
    let cursor = numbers.cursor.clone();
    server.stop().await;
    log_numbers(&url, 221, 10).await;
    let server = platform.start().await;
    let mut numbers = Numbers::follow(&server, &id, &cursor, 220).await;
    numbers.until(230).await;
    assert_eq!(numbers.gaps, 0);
    let cursor = numbers.cursor.clone();

    a_flood(&server, &id, &url, 1001, 100_000).await;

    // The log of a pod goes with the pod.
    succeeded(&server, "suspendInstance", json!({ "id": id })).await;
    assert_eq!(logs(&server, json!({ "id": id })).await["reason"]["code"], "SUSPENDED");
    let mut numbers = Numbers::follow(&server, &id, &cursor, 200_000).await;
    succeeded(&server, "resumeInstance", json!({ "id": id })).await;
    log_numbers(&url, 200_001, 5).await;
    numbers.until(200_005).await;
    assert_eq!(numbers.gaps, 1, "the pod of the cursor is gone");
    server.delete(&id).await;
    server.until_deleted(&id).await;
    server.stop().await;
}
