//! What runs in an instance, seen and ended through the API: with PostgreSQL 15 as a local process, and 18 as a pod.

use std::time::{Duration, Instant};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_postgres::Client;
use toygres_domain::session::SessionId;

use crate::{
    access::first_token,
    cli::{commands::run, terminal::Terminal},
    kubernetes::Platform,
    support::{Home, Server, TIMEOUT, connect, eventually, psql, text},
};

const ACTIVITY: &str = "query($id: ID!, $first: Int) { instance(id: $id) { activity(first: $first) { readAt totalSessions reason { code message }
    sessions { id pid username database applicationName clientAddress state waitEventType waitEvent blockedBy connectedAt ageSeconds
        transactionSeconds statementSeconds stateSeconds statement } } } }";
const TOP: &str = "query($id: ID!, $order: TopQueryOrder, $first: Int) { instance(id: $id) { topQueries(orderBy: $order, first: $first) {
    since evictions reason { code message }
    queries { queryId text username database calls totalTimeMs meanTimeMs rows ioBytes timeShare } } } }";

async fn activity(server: &Server, id: &str) -> Value {
    server.query(ACTIVITY, json!({ "id": id })).await["instance"]["activity"].clone()
}

/// The session with this application name, when it is as expected.
async fn session(server: &Server, id: &str, application: &str, expected: impl Fn(&Value) -> bool) -> Value {
    let mut found = Value::Null;
    eventually(application, async || {
        let now = activity(server, id).await;
        let sessions = now["sessions"].as_array().unwrap();
        assert!(sessions.iter().all(|session| !text(&session["username"]).starts_with("toygres")), "{now:#}");
        found = sessions.iter().find(|session| session["applicationName"] == application).cloned().unwrap_or_default();
        expected(&found)
    })
    .await;
    found
}

async fn top(server: &Server, id: &str, order: &str) -> Value {
    let mut top = Value::Null;
    eventually("it answers in time", async || {
        top = server.query(TOP, json!({ "id": id, "order": order })).await["instance"]["topQueries"].clone();
        top["reason"] == Value::Null
    })
    .await;
    top
}

/// Sends `cancelQuery` or `terminateSession`, again if the server of the instance did not answer in time. Returns the last payload, and how
/// often it was sent.
async fn send(server: &Server, mutation: &str, id: &str, session: &Value) -> (Value, u32) {
    let (kind, ended) = if mutation == "cancelQuery" { ("CancelQuery", "") } else { ("TerminateSession", "ended") };
    let document =
        format!("mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ sessionId {ended} userErrors {{ code field message }} }} }}");
    let (mut payload, mut times) = (Value::Null, 0);
    eventually("it answers in time", async || {
        payload = server.query(&document, json!({ "input": { "instanceId": id, "sessionId": session } })).await[mutation].clone();
        times += 1;
        !payload.to_string().contains("no answer from")
    })
    .await;
    (payload, times)
}

/// Sends it, which must have an effect.
async fn done(server: &Server, mutation: &str, id: &str, session: &Value) {
    let (payload, times) = send(server, mutation, id, session).await;
    // One without an answer may have had it.
    assert!(times > 1 || (&payload["sessionId"], &payload["userErrors"]) == (session, &json!([])), "{payload:#}");
}

/// Sends it, which must be refused.
async fn refused(server: &Server, mutation: &str, id: &str, session: &Value, code: &str) {
    let (payload, _) = send(server, mutation, id, session).await;
    let error = &payload["userErrors"][0];
    assert_eq!((&error["code"], &error["field"]), (&json!(code), &json!(["sessionId"])), "{payload:#}");
    assert_eq!(payload["sessionId"], Value::Null);
}

async fn named(url: &str, application: &str) -> Client {
    let client = connect(url).await;
    client.batch_execute(&format!("SET application_name = '{application}'")).await.unwrap();
    client
}

/// One session waits for another, and is cancelled; then both are ended.
async fn sessions_are_seen_and_ended(server: &Server, id: &str, url: &str) {
    psql(url, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await.unwrap();
    let (holder, waiter) = (named(url, "holder").await, named(url, "waiter").await);
    holder.batch_execute("BEGIN; UPDATE t SET a = 2; SELECT 'postgres://u:hunter2@h/d'").await.unwrap();
    let waiting = tokio::spawn(async move {
        let outcome = waiter.batch_execute("UPDATE t SET a = 3").await;
        (waiter, outcome)
    });
    let blocked = session(server, id, "waiter", |session| session["waitEventType"] == "Lock").await;
    let blocking = session(server, id, "holder", |session| session["state"] == "IDLE_IN_TRANSACTION").await;
    assert_eq!(blocked["blockedBy"], json!([blocking["pid"]]), "{blocked:#}");
    assert_eq!((&blocked["state"], &blocked["statement"]), (&json!("ACTIVE"), &json!("UPDATE t SET a = 3")));
    assert_eq!((&blocked["username"], &blocked["database"]), (&json!("app"), &json!("app")));
    assert!(blocked["clientAddress"].is_string() && blocked["connectedAt"].is_string(), "{blocked:#}");
    assert_eq!((&blocking["blockedBy"], &blocking["waitEvent"]), (&json!([]), &json!("ClientRead")));
    assert_eq!(blocking["statement"], "BEGIN; UPDATE t SET a = 2; SELECT 'postgres://u:***@h/d'");
    for age in ["ageSeconds", "transactionSeconds", "statementSeconds", "stateSeconds"] {
        let since = blocked[age].as_f64().unwrap();
        let later = session(server, id, "waiter", |session| session["state"] == "ACTIVE").await[age].as_f64().unwrap();
        assert!(since > 0.0 && later > since, "{age}: {since} {later}");
    }
    let mut one = Value::Null;
    eventually("it answers in time", async || {
        one = server.query(ACTIVITY, json!({ "id": id, "first": 1 })).await["instance"]["activity"].clone();
        one["reason"] == Value::Null
    })
    .await;
    assert_eq!(one["sessions"].as_array().unwrap().len(), 1, "{one:#}");
    assert!(one["totalSessions"].as_i64().unwrap() >= 2, "{one:#}");

    // Another session of the same process, and what is none.
    let SessionId { pid, started_micros } = text(&blocked["id"]).parse().unwrap();
    let earlier = SessionId { pid, started_micros: started_micros - 1 }.to_string();
    for unknown in [earlier.as_str(), "nonsense", ""] {
        refused(server, "cancelQuery", id, &json!(unknown), "NOT_FOUND").await;
        refused(server, "terminateSession", id, &json!(unknown), "NOT_FOUND").await;
    }
    refused(server, "cancelQuery", id, &blocking["id"], "CONFLICT").await;
    done(server, "cancelQuery", id, &blocked["id"]).await;
    let (waiter, outcome) = timeout(TIMEOUT, waiting).await.expect("it is cancelled").unwrap();
    assert_eq!(outcome.unwrap_err().code().map(tokio_postgres::error::SqlState::code), Some("57014"));
    waiter.batch_execute("SELECT 1").await.expect("the session goes on");
    refused(server, "cancelQuery", id, &blocked["id"], "CONFLICT").await;

    // A session of the platform: the one that health checks keep.
    let kept = "SELECT pid, (extract(epoch FROM backend_start) * 1000000)::bigint FROM pg_stat_activity WHERE usename = 'toygres_monitor'
        AND application_name = 'toygres-health-check'";
    let mut of_platform = String::new();
    eventually("health checks keep a session", async || {
        of_platform = psql(url, kept).await.unwrap();
        of_platform.lines().count() == 1
    })
    .await;
    let (pid, started) = of_platform.split_once('|').unwrap();
    let monitor = SessionId { pid: pid.parse().unwrap(), started_micros: started.parse().unwrap() };
    for mutation in ["cancelQuery", "terminateSession"] {
        let (payload, _) = send(server, mutation, id, &json!(monitor.to_string())).await;
        // It may have been replaced, after which there is no such session: never is it ended.
        let code = text(&payload["userErrors"][0]["code"]);
        assert!(code == "CONFLICT" || psql(url, kept).await.unwrap() != of_platform, "{payload:#}");
    }

    done(server, "terminateSession", id, &blocking["id"]).await;
    assert!(holder.batch_execute("SELECT 1").await.is_err());
    assert_eq!(psql(url, "TABLE t").await.as_deref(), Ok("1"), "its transaction was rolled back");
    refused(server, "terminateSession", id, &blocking["id"], "NOT_FOUND").await;
}

/// A known load has the known numbers, in each order.
async fn statements_are_counted(server: &Server, id: &str, url: &str) {
    let before = chrono::Utc::now();
    psql(url, "SELECT pg_stat_statements_reset()").await.unwrap();
    let client = connect(url).await;
    for number in 0..7 {
        client.batch_execute(&format!("SELECT {number} AS often")).await.unwrap();
    }
    for last in [1000, 1001, 1002] {
        client.batch_execute(&format!("SELECT generate_series(1, {last}) AS many")).await.unwrap();
    }
    client.batch_execute("SELECT pg_sleep(0.7) AS slow").await.unwrap();
    // Constants of statements that do not read or write rows are part of their text, before 17.
    client.batch_execute("SET app.secret = 'hunter2'").await.unwrap();
    client
        .batch_execute("SET work_mem = '64kB'; SELECT count(*) AS spilled FROM (SELECT generate_series(1, 30000) AS a ORDER BY a DESC) AS t")
        .await
        .unwrap();
    let first = async |order: &str| {
        let top = top(server, id, order).await;
        let since: chrono::DateTime<chrono::Utc> = text(&top["since"]).parse().unwrap();
        assert!(since >= before - Duration::from_secs(5), "{top:#}");
        let share: f64 = top["queries"].as_array().unwrap().iter().map(|query| query["timeShare"].as_f64().unwrap()).sum();
        assert!((0.0..1.001).contains(&share), "{top:#}");
        assert!(!top.to_string().contains("toygres"), "nothing of the platform: {top:#}");
        assert!(top.to_string().contains("SET app.secret = ") && !top.to_string().contains("hunter2"), "{top:#}");
        top["queries"][0].clone()
    };
    let often = first("CALLS").await;
    assert_eq!((&often["text"], &often["calls"], &often["rows"]), (&json!("SELECT $1 AS often"), &json!("7"), &json!("7")), "{often:#}");
    assert_eq!((&often["username"], &often["database"]), (&json!("app"), &json!("app")));
    let many = first("ROWS").await;
    assert_eq!((&many["text"], &many["calls"], &many["rows"]), (&json!("SELECT generate_series($1, $2) AS many"), &json!("3"), &json!("3003")));
    for order in ["TOTAL_TIME", "MEAN_TIME"] {
        let slow = first(order).await;
        assert_eq!((&slow["text"], &slow["calls"]), (&json!("SELECT pg_sleep($1) AS slow"), &json!("1")), "{slow:#}");
        assert!(slow["totalTimeMs"].as_f64().unwrap() >= 700.0 && slow["meanTimeMs"] == slow["totalTimeMs"], "{slow:#}");
        assert!(slow["timeShare"].as_f64().unwrap() > 0.3, "{slow:#}");
    }
    let spilled = first("IO").await;
    assert!(text(&spilled["text"]).contains("AS spilled") && text(&spilled["ioBytes"]).parse::<i64>().unwrap() > 100_000, "{spilled:#}");

    // It is what tools for migrations do to begin anew.
    psql(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
    assert!(psql(url, "SELECT 1 FROM pg_stat_statements").await.is_err(), "the owner has dropped it");
    assert_eq!(first("CALLS").await["calls"], "7");
}

/// Fields and mutations, for a caller who may not see statements.
async fn viewers_are_refused(server: &Server, id: &str) {
    for document in [
        "query($id: ID!) { instance(id: $id) { activity { totalSessions } } }",
        "query($id: ID!) { instance(id: $id) { topQueries { since } } }",
        "mutation($id: ID!) { cancelQuery(input: { instanceId: $id, sessionId: \"x\" }) { sessionId } }",
        "mutation($id: ID!) { terminateSession(input: { instanceId: $id, sessionId: \"x\" }) { sessionId } }",
    ] {
        let answer = server.request(document, json!({ "id": id })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{document}: {answer:#}");
    }
}

async fn requests_have_limits(server: &Server, id: &str) {
    for first in [0, 201] {
        let answer = server.request(ACTIVITY, json!({ "id": id, "first": first })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer:#}");
    }
    let answer = server.request(TOP, json!({ "id": id, "first": 101 })).await;
    assert!(text(&answer["errors"][0]["message"]).contains("1 to 100 statements"), "{answer:#}");
    for field in ["activity(first: 1) { totalSessions }", "topQueries(first: 1) { since }"] {
        let answer = server.request(&format!("{{ instances(first: 10) {{ nodes {{ {field} }} }} }}"), json!({})).await;
        assert!(text(&answer["errors"][0]["message"]).contains("too complex"), "{answer:#}");
    }
}

/// What a command prints, again if the server of the instance did not answer in time.
async fn shown(home: &Home, server: &Server, arguments: &[&str]) -> String {
    let mut output = None;
    eventually("it answers in time", async || {
        let last = run(home, server, arguments).await;
        let answered = !last.err.contains("no answer from");
        output = Some(last);
        answered
    })
    .await;
    let output = output.unwrap();
    assert_eq!(output.code, 0, "{arguments:?}: {output:#?}");
    output.out
}

async fn the_command_line_shows_the_same(home: &Home, server: &Server, url: &str) {
    let client = named(url, "sleeper").await;
    let sleeping = tokio::spawn(async move {
        let outcome = client.batch_execute("SELECT pg_sleep(600)").await;
        (client, outcome)
    });
    let mut sleeper = Value::Null;
    eventually("it sleeps", async || {
        let activity: Value = serde_json::from_str(&shown(home, server, &["instances", "activity", "orders", "-o", "json"]).await).unwrap();
        sleeper =
            activity["sessions"].as_array().unwrap().iter().find(|session| session["applicationName"] == "sleeper").cloned().unwrap_or_default();
        sleeper["waitEvent"] == "PgSleep"
    })
    .await;
    let id = text(&sleeper["id"]);
    for command in ["activity", "top"] {
        let table = shown(home, server, &["instances", command, "orders"]).await;
        assert!(table.contains("SESSION") && table.contains(&id) && table.contains("Timeout:PgSleep"), "{command}: {table}");
    }
    let mut terminal = Terminal::open(home, server, &["instances", "top", "orders"]);
    terminal.shows(&id).await;
    terminal.shows(&id).await;
    assert!(terminal.seen.contains("\x1b[J"), "it is redrawn in place: {:?}", terminal.seen);
    terminal.press("q").await;
    assert_eq!(terminal.code().await, 0);
    let mut terminal = Terminal::open(home, server, &["instances", "top", "orders"]);
    terminal.shows(&id).await;
    terminal.press("\x03").await;
    assert_eq!(terminal.code().await, 0);

    assert!(shown(home, server, &["instances", "cancel", "orders", &id]).await.contains(&id));
    let (client, outcome) = timeout(TIMEOUT, sleeping).await.expect("it is cancelled").unwrap();
    assert!(outcome.is_err());
    assert_eq!(shown(home, server, &["instances", "terminate", "orders", &id]).await, format!("ended session {id}\n"));
    assert!(client.batch_execute("SELECT 1").await.is_err());
    let gone = run(home, server, &["instances", "terminate", "orders", &id]).await;
    assert!(gone.code == 4 && gone.err.contains("SESSION: there is no such session"), "{gone:#?}");
    let queries = shown(home, server, &["instances", "queries", "orders", "--order-by", "calls", "--limit", "1"]).await;
    assert!(queries.starts_with("Since 20") && queries.contains("SHARE") && queries.lines().count() == 3, "{queries}");
    let rows = shown(home, server, &["instances", "queries", "orders", "--order-by", "rows", "-o", "json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&rows).unwrap()["queries"][0]["rows"], "3003");
}

/// A server that does not answer costs a few seconds, and says so; the other instances are not kept waiting.
async fn a_silent_server_has_a_reason(home: &Home, server: &Server, id: &str) {
    let file = home.path().join(format!("data/instances/{id}/data/postmaster.pid"));
    let postmaster = Pid::from_raw(std::fs::read_to_string(file).unwrap().lines().next().unwrap().parse().unwrap());
    kill(postmaster, Signal::SIGSTOP).unwrap();
    let began = Instant::now();
    let silent = activity(server, id).await;
    kill(postmaster, Signal::SIGCONT).unwrap();
    assert_eq!((&silent["reason"]["code"], &silent["sessions"]), (&json!("CONNECTION_TIMEOUT"), &json!([])), "{silent:#}");
    assert!(began.elapsed() >= Duration::from_secs(4), "after {:?}", began.elapsed());
    eventually("it answers again", async || activity(server, id).await["reason"] == Value::Null).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_in_an_instance_is_seen_and_ended() {
    let home = Home::new();
    let mut server = home.start_with(&[("TOYGRES_ACCESS", "tokens")]).await;
    let admin = first_token(&home, "admin").await;
    let viewer = first_token(&home, "viewer").await;
    server.bearer = Some(admin.clone());
    let payload = server.create(json!({ "name": "orders", "healthCheck": { "intervalSeconds": 2 } })).await;
    let id = text(&payload["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    sessions_are_seen_and_ended(&server, &id, &url).await;
    statements_are_counted(&server, &id, &url).await;
    server.bearer = Some(viewer);
    viewers_are_refused(&server, &id).await;
    server.bearer = Some(admin);
    requests_have_limits(&server, &id).await;
    the_command_line_shows_the_same(&home, &server, &url).await;
    a_silent_server_has_a_reason(&home, &server, &id).await;

    server.delete(&id).await;
    server.until_deleted(&id).await;
    assert_eq!(activity(&server, &id).await["reason"]["code"], "NOT_RUNNING");
    let (payload, _) = send(&server, "cancelQuery", &id, &json!("1-1")).await;
    assert_eq!((&payload["userErrors"][0]["code"], &payload["userErrors"][0]["field"]), (&json!("CONFLICT"), &json!(["instanceId"])));
    let (payload, _) = send(&server, "terminateSession", "0b6cf4a2-7e8f-4f0b-9d2c-1f3e5a7b9c1d", &json!("1-1")).await;
    assert_eq!((&payload["userErrors"][0]["code"], &payload["userErrors"][0]["field"]), (&json!("NOT_FOUND"), &json!(["instanceId"])));
    let refused = run(&home, &server, &["instances", "activity", &id]).await;
    assert!(refused.code == 6 && refused.err.contains("it was deleted"), "{refused:#?}");

    let metrics = server.get("/metrics").await.text().await.unwrap();
    let count = |labels: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("toygres_inspections_total{{{labels}}} ")));
        line.unwrap_or_else(|| panic!("{labels}: {metrics}")).parse::<u64>().unwrap()
    };
    for (labels, least) in [
        ("what=\"activity\",result=\"answered\"", 10),
        ("what=\"activity\",result=\"failed\"", 1),
        ("what=\"activity\",result=\"unavailable\"", 2),
        ("what=\"top_queries\",result=\"answered\"", 7),
        ("what=\"cancel_query\",result=\"answered\"", 3),
        ("what=\"terminate_session\",result=\"answered\"", 3),
    ] {
        assert!(count(labels) >= least, "{labels}: {}", count(labels));
    }
    assert_eq!(count("what=\"terminate_session\",result=\"busy\""), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_in_a_pod_is_seen_and_ended() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let payload = server.create(json!({ "name": "orders", "postgresVersion": "18", "healthCheck": { "intervalSeconds": 2 } })).await;
    let id = text(&payload["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    sessions_are_seen_and_ended(&server, &id, &url).await;
    statements_are_counted(&server, &id, &url).await;
    server.query("mutation($id: ID!) { suspendInstance(input: { id: $id }) { userErrors { message } } }", json!({ "id": id })).await;
    server.until(&id, "suspended", |now| now["state"] == "SUSPENDED").await;
    assert_eq!(activity(&server, &id).await["reason"]["code"], "SUSPENDED");
    server.delete(&id).await;
    server.until_deleted(&id).await;
    server.stop().await;
}
