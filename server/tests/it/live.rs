//! Live delivery under load and faults: no event is lost or duplicated, and all are in order.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use toygres_domain::secret::SecretKeys;
use toygres_store::{Store, changes::Changes};

use crate::support::{Database, Home, Server, TIMEOUT, connect, eventually, seq, subscribe_to, text};

const DOCUMENT: &str = "subscription($after: String) { instanceEvents(after: $after) { cursor } }";

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_are_heard_in_the_order_of_their_commits() {
    const WRITERS: usize = 32;
    const WRITES: usize = 40;
    let world = World::start(WRITERS).await;
    let server = world.server(&[]).await;
    let start = world.head().await;
    let follower = tokio::spawn(follow(vec![server.address.clone()], start.clone(), seq(&start) + (WRITERS * WRITES) as i64, Some(50)));
    join_all((0..WRITERS).map(|writer| {
        let url = world.database.url();
        async move {
            let client = connect(&url).await;
            for n in 0..WRITES {
                // Transactions of different lengths overlap. The `seq` of each event must nevertheless be in the order of commits.
                let pause = (writer * 7 + n * 13) % 10;
                let sql = format!("BEGIN; {}; SELECT pg_sleep({pause} / 1000.0); COMMIT", touch(writer));
                client.batch_execute(&sql).await.unwrap();
            }
        }
    }))
    .await;
    let heard = follower.await.unwrap();
    assert_eq!(heard, world.log(seq(&start)).await, "each event once, in order");
    assert_eq!(heard.len(), WRITERS * WRITES);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listening_connection_that_is_killed_again_and_again_loses_nothing() {
    const WRITES: usize = 10_000;
    let world = World::start(10).await;
    let server = world.server(&[]).await;
    let start = world.head().await;
    let follower = tokio::spawn(follow(vec![server.address.clone()], start.clone(), seq(&start) + WRITES as i64, None));
    let over = Arc::new(AtomicBool::new(false));
    let killer = tokio::spawn({
        let (client, over) = (connect(&world.database.url()).await, over.clone());
        async move {
            let mut killed = 0;
            while !over.load(Ordering::Relaxed) {
                let listeners = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'listen%' AND pid <> pg_backend_pid()";
                killed += client.query(listeners, &[]).await.unwrap().len();
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            killed
        }
    });
    let writer = connect(&world.database.url()).await;
    let begun = Instant::now();
    for n in 0..WRITES {
        writer.batch_execute(&touch(n % 10)).await.unwrap();
        let due = begun + Duration::from_millis(5) * u32::try_from(n).unwrap();
        tokio::time::sleep_until(due.into()).await;
    }
    let heard = tokio::time::timeout(TIMEOUT, follower).await.expect("everything arrives").unwrap();
    over.store(true, Ordering::Relaxed);
    let killed = killer.await.unwrap();
    println!("listener killed {killed} times, {} of {WRITES} events heard", heard.len());
    assert!(killed > 20, "the listener was killed only {killed} times");
    assert_eq!(heard, world.log(seq(&start)).await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_cut_off_and_harms_nobody() {
    let world = World::start(100).await;
    let server = world.server(&[]).await;
    let document =
        "subscription { instanceEvents(after: \"0\") { cursor instance { id name state health database username labels { key value } } } }";
    let mut deaf = Vec::new();
    for _ in 0..20 {
        let mut live = server.subscribe(document, json!({})).await;
        live.next().await.unwrap();
        deaf.push(live);
    }
    let before = server.memory();
    let start = world.head().await;
    let follower = tokio::spawn(follow(vec![server.address.clone()], start.clone(), seq(&start) + 30_000, None));
    let writer = connect(&world.database.url()).await;
    let begun = Instant::now();
    for _ in 0..300 {
        writer.batch_execute("UPDATE toygres.instances SET deletion_protected = NOT deletion_protected").await.unwrap();
        tokio::time::sleep(Duration::from_millis(100).saturating_sub(begun.elapsed() / 300)).await;
    }
    let heard = tokio::time::timeout(TIMEOUT, follower).await.expect("the others are not held up").unwrap();
    assert_eq!(heard.len(), 30_000);
    let grown = server.memory().saturating_sub(before);
    println!("20 subscribers that read nothing while 30,000 events passed: the server grew by {} KB", grown / 1024);
    assert!(grown < 64 << 20, "the server grew by {grown} bytes");
    // Each subscriber either gets all events, which the buffers of the kernel can hold, or is disconnected. None has a gap.
    let log = world.log(0).await;
    let mut cut_off = 0;
    for live in &mut deaf {
        let mut heard = vec![log[0]];
        let reading = async {
            while heard.last() != log.last() {
                match live.try_next().await {
                    Ok(Some(answer)) if answer.get("errors").is_none() => heard.push(cursor(&answer)),
                    _ => break,
                }
            }
        };
        tokio::time::timeout(TIMEOUT, reading).await.expect("it hears the end, or of its end");
        assert!(log.starts_with(&heard), "a gap");
        cut_off += usize::from(heard.len() < log.len());
    }
    println!("{cut_off} of 20 were cut off");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_database_loses_nothing_for_a_hundred_subscribers() {
    let world = World::start(10).await;
    let server = world.server(&[]).await;
    let start = world.head().await;
    // A sequence skips numbers after a crash, so the last cursor is only known at the end.
    let last = Arc::new(AtomicI64::new(i64::MAX));
    let followers: Vec<_> = (0..100).map(|_| tokio::spawn(follow_until(vec![server.address.clone()], start.clone(), last.clone(), None))).collect();
    for round in 0..3 {
        let writer = connect(&world.database.url()).await;
        for n in 0..20 {
            writer.batch_execute(&touch((round + n) % 10)).await.unwrap();
        }
        drop(writer);
        if round < 2 {
            world.database.halt();
            world.database.resume();
        }
    }
    let log = world.log(seq(&start)).await;
    last.store(*log.last().unwrap(), Ordering::Relaxed);
    for heard in join_all(followers).await {
        assert_eq!(heard.unwrap(), log);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_do_not_put_off_the_wake_ups_without_one() {
    let world = World::start(0).await;
    let store = Store::open(&world.database.url(), 1, SecretKeys::generate()).unwrap();
    let shutdown = CancellationToken::new();
    let _stops = shutdown.clone().drop_guard();
    let mut webhooks = Changes::start(&store, shutdown).webhooks();
    let notifying = async {
        for _ in 0..18 {
            world.reader.batch_execute("NOTIFY toygres_tokens").await.unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    // The first wake-up comes with the connection.
    tokio::select! {
        second = webhooks.wait_for(|wakes| *wakes >= 2) => drop(second.unwrap()),
        () = notifying => panic!("no wake-up in 9 s"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_a_killed_server_resume_on_another() {
    let world = World::start(10).await;
    let other_home = Home::new();
    let (first, second) = (world.server(&[]).await, world.server_in(&other_home).await);
    let start = world.head().await;
    let addresses = vec![first.address.clone(), second.address.clone()];
    let followers: Vec<_> = (0..20).map(|_| tokio::spawn(follow(addresses.clone(), start.clone(), seq(&start) + 200, None))).collect();
    let writer = connect(&world.database.url()).await;
    let mut first = Some(first);
    for n in 0..200 {
        writer.batch_execute(&touch(n % 10)).await.unwrap();
        if n == 100 {
            first.take().expect("it is killed once").kill().await;
        }
    }
    let log = world.log(seq(&start)).await;
    for heard in join_all(followers).await {
        assert_eq!(heard.unwrap(), log);
    }
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_resumes_where_its_client_says_it_was() {
    let world = World::start(3).await;
    let server = world.server(&[]).await;
    let writer = connect(&world.database.url()).await;
    for n in 0..3 {
        writer.batch_execute(&touch(n)).await.unwrap();
    }
    let log = world.log(0).await;
    // Like a reconnect of EventSource: the same request with the last id.
    let body = json!({ "query": "subscription { instanceEvents(after: \"0\") { cursor } }" });
    let seen = world.cursor(log[log.len() - 3]).await;
    let request = reqwest::Client::new().post(format!("http://{}/graphql", server.address)).json(&body);
    let mut stream = request.header("Accept", "text/event-stream").header("Last-Event-ID", &seen).send().await.unwrap();
    let mut text = String::new();
    while text.matches("event: next").count() < 2 {
        text.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().expect("the stream goes on")).unwrap());
    }
    let ids: Vec<i64> = text.lines().filter_map(|line| line.strip_prefix("id: ")).map(seq).collect();
    assert_eq!(ids, log[log.len() - 2..], "{text}");
    let metrics = server.get("/metrics").await.text().await.unwrap();
    for expected in ["toygres_sockets 1", "toygres_feeds 1", "toygres_deliveries_total{transport=\"sse\"} 2", "toygres_listener_connects_total 1"] {
        assert!(metrics.contains(expected), "{expected} is not in:\n{metrics}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_told_what_starts_and_stops_matching() {
    let world = World::start(3).await;
    let server = world.server(&[]).await;
    let document = "subscription { instances(filter: { health: [UNHEALTHY] }) { type instance { name } cursor } }";
    let mut list = server.subscribe(document, json!({})).await;
    let mut next = async || {
        let change = list.next().await.unwrap()["data"]["instances"].clone();
        (change["type"].as_str().unwrap().to_owned(), change["instance"]["name"].clone())
    };
    let writer = connect(&world.database.url()).await;
    let set = |name: &str, health: &str| format!("UPDATE toygres.instances SET health_status = '{health}' WHERE name = '{name}'");
    assert_eq!(next().await, ("SNAPSHOT_COMPLETE".to_owned(), Value::Null));
    writer.batch_execute(&set("live-1", "healthy")).await.unwrap();
    writer.batch_execute(&set("live-0", "unhealthy")).await.unwrap();
    assert_eq!(next().await, ("UPSERTED".to_owned(), json!("live-0")), "what never matched is not mentioned");
    writer.batch_execute(&set("live-0", "healthy")).await.unwrap();
    assert_eq!(next().await, ("REMOVED".to_owned(), json!("live-0")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_of_a_later_release_stops_nobody() {
    let world = World::start(2).await;
    let server = world.server(&[]).await;
    let document =
        "subscription($after: String) { instanceEvents(after: $after) { reason { code message } instance { name reason { code message } } } }";
    let mut live = server.subscribe(document, json!({ "after": world.head().await })).await;
    let writer = connect(&world.database.url()).await;
    let reason = "UPDATE toygres.instances SET health_status = 'unhealthy', reason_code = 'from_the_future', reason_message = 'x'";
    writer.batch_execute(&format!("{reason} WHERE name = 'live-0'")).await.unwrap();
    writer.batch_execute(&touch(1)).await.unwrap();
    let internal = json!({ "code": "INTERNAL", "message": "x" });
    let event = live.next().await.unwrap()["data"]["instanceEvents"].clone();
    assert_eq!(event, json!({ "reason": internal, "instance": { "name": "live-0", "reason": internal } }));
    assert_eq!(live.next().await.unwrap()["data"]["instanceEvents"]["instance"]["name"], "live-1");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_that_ask_the_same_share_what_is_executed() {
    const SUBSCRIBERS: usize = 10;
    const WRITES: usize = 30;
    let world = World::start(1).await;
    let server = world.server(&[]).await;
    let selection = "cursor type instance { id name state labels { key value } } operation { id }";
    let document = format!("subscription($after: String) {{ instanceEvents(after: $after) {{ {selection} }} }}");
    let head = world.head().await;
    let mut same = Vec::new();
    for n in 0..SUBSCRIBERS {
        // Where they begin makes no difference.
        let variables = if n % 2 == 0 { json!({ "after": head }) } else { json!({}) };
        same.push(server.subscribe(&document, variables).await);
    }
    let mut other = server.subscribe(&format!("subscription {{ alone: instanceEvents {{ {selection} }} }}"), json!({})).await;
    let metric = async |name: &str| {
        let metrics = server.get("/metrics").await.text().await.unwrap();
        let line =
            metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or_else(|| panic!("{name} is not in {metrics}"));
        line.parse::<usize>().unwrap()
    };
    eventually("all are there", async || metric("toygres_feeds").await == SUBSCRIBERS + 1).await;
    let writer = connect(&world.database.url()).await;
    for _ in 0..WRITES {
        writer.batch_execute(&touch(0)).await.unwrap();
    }
    for _ in 0..WRITES {
        let expected = other.next().await.unwrap()["data"]["alone"].clone();
        assert_eq!(expected["instance"]["name"], "live-0");
        for subscriber in &mut same {
            assert_eq!(subscriber.next().await.unwrap(), json!({ "data": { "instanceEvents": expected } }));
        }
    }
    let executions = metric("toygres_subscription_executions_total").await;
    println!("{executions} executions for {} results", (SUBSCRIBERS + 1) * WRITES);
    // One for all and one for the other; some may have read the table first.
    assert!(executions < (SUBSCRIBERS + 1) * WRITES / 2, "{executions} executions");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_samples_wake_a_server_only_while_somebody_watches() {
    let world = World::start(1).await;
    let server = world.server(&[]).await;
    let client = connect(&world.database.url()).await;
    let id: String = client.query_one("SELECT id::text FROM toygres.instances", &[]).await.unwrap().get(0);
    let listens = async || {
        let query = "SELECT query FROM pg_stat_activity WHERE query ~* '^(un)?listen' ORDER BY backend_start DESC LIMIT 1";
        client.query_one(query, &[]).await.unwrap().get::<_, String>(0)
    };
    assert!(!listens().await.contains("health"));
    let mut live = server.subscribe("subscription($id: ID!) { healthChecks(instanceId: $id) { status } }", json!({ "id": id })).await;
    eventually("it listens to samples", async || listens().await.to_lowercase().starts_with("listen \"toygres_health")).await;
    client.batch_execute("INSERT INTO toygres.health_checks (instance_id, status) SELECT id, 'healthy' FROM toygres.instances").await.unwrap();
    assert_eq!(live.next().await.unwrap()["data"]["healthChecks"]["status"], "HEALTHY");
    drop(live);
    eventually("it stops", async || listens().await.to_lowercase().starts_with("unlisten")).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_beyond_retention_must_be_fetched_anew() {
    let world = World::start(1).await;
    let client = connect(&world.database.url()).await;
    let server = world.server(&[]).await;
    // A server that has not read the log up to here would deliver the events from its memory.
    let mut follower = server.subscribe(DOCUMENT, json!({ "after": world.head().await })).await;
    let mut cursors = Vec::new();
    for _ in 0..3 {
        client.batch_execute(&touch(0)).await.unwrap();
        cursors.push(world.head().await);
        assert_eq!(follower.next().await.unwrap()["data"]["instanceEvents"]["cursor"], json!(cursors.last()));
    }
    let gone = "DELETE FROM toygres.events WHERE seq < (SELECT max(seq) FROM toygres.events) RETURNING seq, at";
    let horizon = format!("WITH gone AS ({gone}) UPDATE toygres.event_horizon SET (seq, at) = (SELECT seq, at FROM gone ORDER BY seq DESC LIMIT 1)");
    client.batch_execute(&horizon).await.unwrap();
    let mut old = server.subscribe(DOCUMENT, json!({ "after": cursors[0] })).await;
    assert_eq!(old.next().await.unwrap()["errors"][0]["extensions"]["code"], "MUST_REFETCH");
    for kept in [&cursors[1], "0"] {
        let mut live = server.subscribe(DOCUMENT, json!({ "after": kept })).await;
        assert_eq!(live.next().await.unwrap()["data"]["instanceEvents"]["cursor"], json!(cursors[2]), "after {kept}");
    }
    server.stop().await;
}

/// The data directory was exchanged for one with a longer log, or an older state was restored and continued.
#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_log_must_be_fetched_anew() {
    let world = World::start(1).await;
    let client = connect(&world.database.url()).await;
    let server = world.server(&[]).await;
    client.batch_execute(&touch(0)).await.unwrap();
    let before = world.head().await;
    let mut open = server.subscribe(DOCUMENT, json!({ "after": before })).await;
    client.batch_execute(&touch(0)).await.unwrap();
    open.next().await.unwrap();
    let head = world.head().await;
    // Another log has its events at other times. Its next event comes after all that were heard.
    client.batch_execute(&format!("UPDATE toygres.events SET at = at + interval '1 s' WHERE seq > 0; {}", touch(0))).await.unwrap();
    assert_eq!(open.next().await.unwrap()["errors"][0]["extensions"]["code"], "MUST_REFETCH", "a subscription that was open");
    for cursor in [&before, &head] {
        let mut resumed = server.subscribe(DOCUMENT, json!({ "after": cursor })).await;
        assert_eq!(resumed.next().await.unwrap()["errors"][0]["extensions"]["code"], "MUST_REFETCH", "{cursor}");
    }
    // The list of instances too, with which a client would keep instances that the other log never had.
    let mut list = server.subscribe("subscription($after: String) { instances(after: $after) { cursor } }", json!({ "after": head })).await;
    assert_eq!(list.next().await.unwrap()["errors"][0]["extensions"]["code"], "MUST_REFETCH");
    server.stop().await;
}

/// Follows the log on several servers, as a client with the resume helper does, until the event `last`. Returns the numbers of the
/// events. With `hang_up`, it also disconnects after this number of events.
async fn follow(addresses: Vec<String>, start: String, last: i64, hang_up: Option<usize>) -> Vec<i64> {
    follow_until(addresses, start, Arc::new(AtomicI64::new(last)), hang_up).await
}

async fn follow_until(addresses: Vec<String>, start: String, last: Arc<AtomicI64>, hang_up: Option<usize>) -> Vec<i64> {
    let (mut heard, mut position, mut turn) = (Vec::new(), start, 0);
    while seq(&position) < last.load(Ordering::Relaxed) {
        let address = &addresses[turn % addresses.len()];
        turn += 1;
        let Ok(mut live) = subscribe_to(address, DOCUMENT, json!({ "after": position })).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let mut count = 0;
        while seq(&position) < last.load(Ordering::Relaxed) && hang_up != Some(count) {
            // A time-out, because the last cursor may be set meanwhile.
            let Ok(next) = tokio::time::timeout(Duration::from_secs(1), live.try_next()).await else { continue };
            let Ok(Some(item)) = next else { break };
            if let Some(errors) = item.get("errors") {
                assert_ne!(errors[0]["extensions"]["code"], "MUST_REFETCH", "{item}");
                tokio::time::sleep(Duration::from_millis(20)).await;
                break;
            }
            position = text(&item["data"]["instanceEvents"]["cursor"]);
            heard.push(seq(&position));
            count += 1;
        }
    }
    heard
}

fn cursor(item: &Value) -> i64 {
    seq(&text(&item["data"]["instanceEvents"]["cursor"]))
}

struct World {
    database: Database,
    home: Home,
    reader: Client,
}

impl World {
    /// A migrated database with instances that only the test changes.
    async fn start(instances: usize) -> Self {
        let database = Database::start();
        let home = Home::new();
        let migrated = home.command(&["migrate"]).env("DATABASE_URL", database.url()).status().await.unwrap();
        assert!(migrated.success());
        let reader = connect(&database.url()).await;
        let rows = format!(
            "INSERT INTO toygres.instances (id, name, state, postgres_version, storage_gb, cpu_millis, memory_mb, username, database_name, exposure,
                 health_interval_seconds, health_timeout_seconds)
             SELECT gen_random_uuid(), 'live-' || n, 'running', 17, 10, 500, 512, 'app', 'app', '{{\"type\":\"cluster\"}}', 30, 5
             FROM generate_series(0, {instances} - 1) n"
        );
        // The triggers and functions are found by the search path, as for every client of the metadata.
        reader.batch_execute(&rows).await.unwrap();
        Self { database, home, reader }
    }

    async fn server(&self, more: &[(&str, &str)]) -> Server {
        let url = self.database.url();
        let mut env = vec![("DATABASE_URL", url.as_str()), ("TOYGRES_ROLE", "api")];
        env.extend_from_slice(more);
        self.home.start_with(&env).await
    }

    async fn server_in(&self, home: &Home) -> Server {
        home.start_with(&[("DATABASE_URL", &self.database.url()), ("TOYGRES_ROLE", "api")]).await
    }

    /// The cursor of the last event.
    async fn head(&self) -> String {
        let head = "SELECT seq || '-' || (extract(epoch FROM at) * 1000000)::bigint FROM toygres.event_log_head()";
        self.reader.query_one(head, &[]).await.unwrap().get(0)
    }

    /// The cursor of an event.
    async fn cursor(&self, seq: i64) -> String {
        let sql = "SELECT seq || '-' || (extract(epoch FROM at) * 1000000)::bigint FROM toygres.events WHERE seq = $1";
        self.reader.query_one(sql, &[&seq]).await.unwrap().get(0)
    }

    async fn log(&self, after: i64) -> Vec<i64> {
        let client = connect(&self.database.url()).await;
        client.query("SELECT seq FROM toygres.events WHERE seq > $1 ORDER BY seq", &[&after]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}

fn touch(n: usize) -> String {
    format!("UPDATE toygres.instances SET deletion_protected = NOT deletion_protected WHERE name = 'live-{n}'")
}
