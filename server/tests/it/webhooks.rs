//! Webhooks: nothing is lost and nothing out of order, whoever dies; signatures, refusals, and the ways in which a receiver can fail.

mod receiver;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokio_postgres::Client;
use toygres_domain::{secret::Secret, webhook::SigningSecret};

use self::receiver::{Answer, NpmReceiver, Receiver};
use crate::support::{Database, Home, Server, connect, dump, eventually, text};

const FIELDS: &str = "id url description events state disabled { code message since } lastDeliveredAt lastAttempt { at status error } failingSince
    nextAttemptAt pendingEvents lagSeconds formerSecretUntil revision createdAt";
/// Receivers of tests are on this machine.
const LOCAL: [(&str, &str); 2] = [("TOYGRES_WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8"), ("TOYGRES_WEBHOOK_ALLOW_HTTP", "true")];

/// A metadata database with instances that only the test changes.
struct World {
    database: Database,
    home: Home,
    client: Client,
}

impl World {
    async fn start() -> Self {
        Self::with(Database::start()).await
    }

    async fn with(database: Database) -> Self {
        let home = Home::new();
        assert!(home.command(&["migrate"]).env("DATABASE_URL", database.url()).status().await.unwrap().success());
        let client = connect(&database.url()).await;
        // No server works on instances that have failed.
        let rows = "INSERT INTO toygres.instances (id, name, state, reason_code, reason_message, postgres_version, storage_gb, cpu_millis, memory_mb, username,
                        database_name, exposure, health_interval_seconds, health_timeout_seconds)
                    SELECT gen_random_uuid(), 'hook-' || n, 'failed', 'internal', 'a test', 17, 10, 500, 512, 'app', 'app', '{\"type\":\"cluster\"}', 30, 5
                    FROM generate_series(0, 4) n";
        client.batch_execute(rows).await.unwrap();
        Self { database, home, client }
    }

    async fn server(&self) -> Server {
        self.server_with(&LOCAL).await
    }

    async fn server_with(&self, more: &[(&str, &str)]) -> Server {
        let url = self.database.url();
        let mut env = vec![("DATABASE_URL", url.as_str())];
        env.extend_from_slice(more);
        self.home.start_with(&env).await
    }

    async fn touch(&self, n: usize) {
        let sql = format!("UPDATE toygres.instances SET deletion_protected = NOT deletion_protected WHERE name = 'hook-{}'", n % 5);
        self.client.batch_execute(&sql).await.unwrap();
    }

    /// The ids of the events after a number, in the order of the log.
    async fn events_after(&self, seq: i64) -> Vec<String> {
        let rows = self.client.query("SELECT seq FROM toygres.events WHERE seq > $1 ORDER BY seq", &[&seq]).await.unwrap();
        rows.iter().map(|row| format!("event-{}", row.get::<_, i64>(0))).collect()
    }

    async fn head(&self) -> i64 {
        self.client.query_one("SELECT seq FROM toygres.event_log_head()", &[]).await.unwrap().get(0)
    }
}

async fn create(server: &Server, input: Value) -> Value {
    let mutation = format!(
        "mutation($input: CreateWebhookInput!) {{ createWebhook(input: $input) {{ webhook {{ {FIELDS} }} secret userErrors {{ code field message }} }} }}"
    );
    server.query(&mutation, json!({ "input": input })).await["createWebhook"].clone()
}

/// Creates a webhook, which must be accepted. Returns its id and its secret.
async fn create_ok(server: &Server, url: &str) -> (String, String) {
    let created = create(server, json!({ "url": url })).await;
    assert_eq!(created["userErrors"], json!([]), "{created:#}");
    (text(&created["webhook"]["id"]), text(&created["secret"]))
}

async fn update(server: &Server, input: Value) -> Value {
    let mutation = format!(
        "mutation($input: UpdateWebhookInput!) {{ updateWebhook(input: $input) {{ webhook {{ {FIELDS} }} userErrors {{ code field message }} }} }}"
    );
    server.query(&mutation, json!({ "input": input })).await["updateWebhook"].clone()
}

async fn webhook(server: &Server, id: &str) -> Value {
    let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on Webhook {{ {FIELDS} }} }} }}");
    server.query(&query, json!({ "id": id })).await["node"].clone()
}

async fn test(server: &Server, id: &str) -> Value {
    let mutation =
        "mutation($id: ID!) { testWebhook(input: { id: $id }) { answer { delivered status error body durationMs } userErrors { message } } }";
    let payload = server.query(mutation, json!({ "id": id })).await["testWebhook"].clone();
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    payload["answer"].clone()
}

/// The ids of the events that were received, in order. A message that was sent again follows itself, and counts once.
fn events(received: &[Value]) -> Vec<String> {
    let mut events: Vec<String> = Vec::new();
    for message in received {
        let event = text(&message["data"]["eventId"]);
        if events.last() != Some(&event) {
            events.push(event);
        }
    }
    events
}

async fn metric(server: &Server, line: &str) -> Option<String> {
    let metrics = server.get("/metrics").await.text().await.unwrap();
    metrics.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' ').map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_goes_away_and_comes_back_misses_nothing() {
    // TOYGRES_WEBHOOK_AWAY_SECONDS=60 is the long form.
    let away = std::env::var("TOYGRES_WEBHOOK_AWAY_SECONDS").map_or(5, |seconds| seconds.parse().unwrap());
    let world = World::start().await;
    let server = world.server().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let start = world.head().await;
    let (id, secret) = create_ok(&server, &format!("http://127.0.0.1:{port}/hooks")).await;
    let mut receiver = NpmReceiver::new(port, secret);
    receiver.come().await;

    let answer = test(&server, &id).await;
    assert_eq!((&answer["delivered"], &answer["status"], &answer["error"]), (&json!(true), &json!(204), &Value::Null), "{answer:#}");
    assert_eq!(receiver.received()[0]["type"], "webhook.test");

    let writer = async {
        let until = Instant::now() + Duration::from_secs(away + 4);
        let mut n = 0;
        while Instant::now() < until {
            world.touch(n).await;
            n += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let comings = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        receiver.go().await;
        tokio::time::sleep(Duration::from_secs(away)).await;
        let now = webhook(&server, &id).await;
        assert_eq!(now["state"], "ENABLED");
        assert!(now["failingSince"].is_string() && now["nextAttemptAt"].is_string() && now["pendingEvents"].as_i64() > Some(10), "{now:#}");
        assert!(text(&now["lastAttempt"]["error"]).contains("could not be reached"), "{now:#}");
        receiver.come().await;
    };
    tokio::join!(writer, comings);
    let log = world.events_after(start).await;
    assert!(log.len() > 100, "{} events", log.len());
    // The pause between attempts is at most as long as the receiver was away.
    tokio::time::timeout(Duration::from_secs(60 + 2 * away), async {
        while events(&receiver.received()[1..]).len() < log.len() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("everything arrives");
    let received = receiver.received();
    assert!(received.iter().all(|message| message.get("error").is_none()), "every signature is valid");
    assert_eq!(events(&received[1..]), log, "each event once, in order");
    println!("{} events, {} messages, away for {away} s", log.len(), received.len() - 1);
    let now = webhook(&server, &id).await;
    assert_eq!((&now["failingSince"], &now["pendingEvents"], &now["lastAttempt"]["status"]), (&Value::Null, &json!(0), &json!(204)), "{now:#}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_killed_lose_nothing_and_do_not_send_at_once() {
    let world = World::start().await;
    let (mut first, mut second) = (world.server().await, world.server().await);
    let receiver = Receiver::start(Answer::Status(204)).await;
    let start = world.head().await;
    create_ok(&first, &receiver.url()).await;
    for n in 0..200 {
        world.touch(n).await;
    }
    eventually("deliveries are under way", async || receiver.received().len() > 20).await;
    first.crash().await;
    for n in 0..200 {
        world.touch(n).await;
    }
    second.crash().await;
    first = world.server().await;
    second = world.server().await;
    for n in 0..200 {
        world.touch(n).await;
    }
    let log = world.events_after(start).await;
    // The lease of a server that was killed ends after half a minute.
    eventually("everything arrives", async || {
        let received = receiver.received();
        received.last().is_some_and(|last| Some(&text(&last["data"]["eventId"])) == log.last())
    })
    .await;
    let received = receiver.received();
    assert_eq!(events(&received), log, "each event once, in order, and again only what was sent last");
    let repeated = received.len() - log.len();
    assert!(repeated <= 2, "{repeated} messages were sent again: more than one for each server that was killed");
    println!("{} events, {repeated} messages sent again", log.len());
    first.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_say_what_happened_and_keep_their_id() {
    let world = World::start().await;
    let server = world.server().await;
    let receiver = Receiver::start(Answer::RetryAfter(503, "1")).await;
    let created = create(&server, json!({ "url": receiver.url(), "events": ["NOTICE_RAISED", "NOTICE_CLEARED", "INSTANCE_STATE_CHANGED"] })).await;
    let id = text(&created["webhook"]["id"]);
    let secret = SigningSecret::parse(Secret::new(text(&created["secret"]))).unwrap();
    // Not selected, so it is passed over.
    world.touch(0).await;
    let notice = json!([{ "code": "connections_high", "message": "95 of the 97 connections are in use", "since": "2026-11-30T00:00:00Z" }]);
    let sql = format!("UPDATE toygres.instances SET notices = '{notice}' WHERE name = 'hook-0'");
    world.client.batch_execute(&sql).await.unwrap();
    eventually("it is sent again", async || receiver.received().len() >= 2).await;
    receiver.answers(Answer::Status(200));
    world
        .client
        .batch_execute("UPDATE toygres.instances SET notices = '[]', state = 'deleted', deleted_at = now() WHERE name = 'hook-0'")
        .await
        .unwrap();
    eventually("the rest arrives", async || receiver.received().iter().any(|message| message["type"] == "notice.cleared")).await;
    let received = receiver.received();
    let mut kinds: Vec<_> = received.iter().map(|message| text(&message["type"])).collect();
    kinds.dedup();
    assert_eq!(kinds, ["notice.raised", "instance.state_changed", "notice.cleared"]);
    assert_eq!(
        (&received[0]["id"], &received[0]["data"]["notice"]),
        (&received[1]["id"], &received[1]["data"]["notice"]),
        "a repetition is the same message"
    );
    let data = &received[0]["data"];
    assert_eq!((&data["version"], &data["webhookId"], &data["instance"]["name"]), (&json!(1), &json!(id), &json!("hook-0")));
    assert_eq!(data["notice"]["code"], "CONNECTIONS_HIGH");
    let changed = received.iter().find(|message| message["type"] == "instance.state_changed").unwrap();
    assert_eq!((&changed["data"]["from"], &changed["data"]["to"]), (&json!("FAILED"), &json!("DELETED")));
    let ids: HashSet<_> = received.iter().map(|message| text(&message["id"])).collect();
    assert_eq!(ids.len(), 3, "each message has an id of its own");
    for message in &received {
        let signature = secret.sign(&text(&message["id"]), text(&message["timestamp"]).parse().unwrap(), text(&message["text"]).as_bytes());
        assert_eq!(message["signature"], json!(signature));
    }

    // Another secret: both sign.
    let rotate = "mutation($id: ID!) { rotateWebhookSecret(input: { id: $id }) { secret webhook { formerSecretUntil } userErrors { message } } }";
    let rotated = server.query(rotate, json!({ "id": id })).await["rotateWebhookSecret"].clone();
    assert!(rotated["webhook"]["formerSecretUntil"].is_string(), "{rotated:#}");
    let new = SigningSecret::parse(Secret::new(text(&rotated["secret"]))).unwrap();
    assert_eq!(test(&server, &id).await["body"], "an answer");
    let last = receiver.received().pop().unwrap();
    let sign = |secret: &SigningSecret| secret.sign(&text(&last["id"]), text(&last["timestamp"]).parse().unwrap(), text(&last["text"]).as_bytes());
    assert_eq!(last["signature"], json!(format!("{} {}", sign(&new), sign(&secret))));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_that_do_not_accept() {
    let world = World::start().await;
    let server = world.server().await;
    let elsewhere = Receiver::start(Answer::Status(204)).await;
    let (redirect, gone) = (Receiver::start(Answer::Redirect(elsewhere.url())).await, Receiver::start(Answer::Status(410)).await);
    let (slow, endless) = (Receiver::start(Answer::Never).await, Receiver::start(Answer::Endless(200)).await);
    let busy = Receiver::start(Answer::RetryAfter(429, "1800")).await;
    let mut ids = Vec::new();
    for receiver in [&redirect, &gone, &slow, &endless, &busy] {
        ids.push(create_ok(&server, &receiver.url()).await.0);
    }
    world.touch(0).await;
    let attempted = async |id: &str| {
        eventually("an attempt", async || webhook(&server, id).await["lastAttempt"].is_object()).await;
        webhook(&server, id).await
    };
    let now = attempted(&ids[0]).await;
    assert!(text(&now["lastAttempt"]["error"]).contains("redirects are not followed"), "{now:#}");
    assert_eq!((now["lastAttempt"]["status"].clone(), elsewhere.received().len()), (json!(307), 0));

    let now = attempted(&ids[1]).await;
    assert_eq!((&now["state"], &now["disabled"]["code"]), (&json!("DISABLED"), &json!("GONE")), "{now:#}");
    assert!(server.log().contains("410 Gone"), "it is logged");
    eventually("it is counted", async || metric(&server, "toygres_webhooks{state=\"given_up\"}").await.as_deref() == Some("1")).await;
    assert_eq!(metric(&server, "toygres_webhook_deliveries_total{result=\"gone\"}").await.as_deref(), Some("1"));

    let now = attempted(&ids[3]).await;
    assert_eq!(
        (&now["lastAttempt"]["status"], &now["lastAttempt"]["error"], &now["pendingEvents"]),
        (&json!(200), &Value::Null, &json!(0)),
        "{now:#}"
    );

    let now = attempted(&ids[4]).await;
    let at = |value: &Value| chrono::DateTime::parse_from_rfc3339(&text(value)).unwrap();
    let pause = at(&now["nextAttemptAt"]) - at(&now["lastAttempt"]["at"]);
    assert!((1790..=1801).contains(&pause.num_seconds()), "Retry-After is honoured: {pause}");
    let before = busy.received().len();
    // Another URL is tried at once.
    busy.answers(Answer::Status(200));
    let updated = update(&server, json!({ "id": ids[4], "url": format!("{}/other", busy.url()), "revision": now["revision"] })).await;
    assert_eq!(updated["webhook"]["nextAttemptAt"], Value::Null, "{updated:#}");
    eventually("another URL is tried at once", async || busy.received().len() > before).await;

    let now = attempted(&ids[2]).await;
    assert!(text(&now["lastAttempt"]["error"]).contains("within 15 s"), "{now:#}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_failures_disables_and_enabling_continues() {
    let world = World::start().await;
    let server = world.server().await;
    let receiver = Receiver::start(Answer::Status(500)).await;
    let start = world.head().await;
    let (id, _) = create_ok(&server, &receiver.url()).await;
    world.touch(0).await;
    eventually("an attempt", async || receiver.received().len() == 1).await;
    eventually("it is recorded", async || webhook(&server, &id).await["failingSince"].is_string()).await;
    assert_eq!(webhook(&server, &id).await["state"], "ENABLED");
    let a_day_later =
        "UPDATE toygres.webhook_cursors SET failing_since = failing_since - interval '24 hours', next_attempt_at = now(), failures = failures + 1";
    world.client.batch_execute(a_day_later).await.unwrap();
    eventually("it is disabled", async || webhook(&server, &id).await["state"] == "DISABLED").await;
    let now = webhook(&server, &id).await;
    assert_eq!(now["disabled"]["code"], "FAILING");
    assert!(text(&now["disabled"]["message"]).contains("500"), "{now:#}");
    assert!(server.log().contains("a webhook is disabled"), "{}", server.log());
    world.touch(1).await;
    assert!(!test(&server, &id).await["delivered"].as_bool().unwrap(), "it can be tested while it is disabled");

    receiver.answers(Answer::Status(204));
    let before = receiver.received().len();
    let updated = update(&server, json!({ "id": id, "state": "ENABLED" })).await;
    assert_eq!((&updated["webhook"]["state"], &updated["webhook"]["disabled"]), (&json!("ENABLED"), &Value::Null), "{updated:#}");
    let log = world.events_after(start).await;
    eventually("it continues", async || events(&receiver.received()[before..]) == log).await;

    // Disabled until events are gone.
    let updated = update(&server, json!({ "id": id, "state": "DISABLED" })).await;
    assert_eq!(updated["webhook"]["disabled"]["code"], "REQUESTED");
    for n in 0..4 {
        world.touch(n).await;
    }
    let kept = world.head().await;
    let prune = format!(
        "WITH last AS (SELECT seq, at FROM toygres.events WHERE seq < {kept} ORDER BY seq DESC LIMIT 1) UPDATE toygres.event_horizon
         SET seq = last.seq, at = last.at FROM last; DELETE FROM toygres.events WHERE seq < {kept}"
    );
    world.client.batch_execute(&prune).await.unwrap();
    let before = receiver.received().len();
    update(&server, json!({ "id": id, "state": "ENABLED" })).await;
    eventually("it is told of the gap", async || receiver.received().len() >= before + 2).await;
    let received = receiver.received().split_off(before);
    assert_eq!((&received[0]["type"], &received[1]["type"]), (&json!("webhook.gap"), &json!("instance.updated")));
    assert_eq!(text(&received[0]["data"]["after"]).split('-').next(), log.last().unwrap().strip_prefix("event-"));
    assert_eq!(text(&received[0]["data"]["resumesAfter"]).split('-').next().unwrap(), (kept - 1).to_string());
    assert_eq!(received[1]["data"]["eventId"], json!(format!("event-{kept}")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_not_public_are_refused() {
    let world = World::start().await;
    let strict = world.server_with(&[("TOYGRES_WEBHOOK_ALLOW_HTTP", "true")]).await;
    for url in [
        "https://127.0.0.1/",
        "http://[::1]:80/",
        "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://0x7f000001/",
    ] {
        let refused = create(&strict, json!({ "url": url })).await;
        assert_eq!((&refused["webhook"], &refused["secret"]), (&Value::Null, &Value::Null));
        assert_eq!((&refused["userErrors"][0]["code"], &refused["userErrors"][0]["field"]), (&json!("INVALID"), &json!(["url"])), "{refused:#}");
        assert!(text(&refused["userErrors"][0]["message"]).contains("TOYGRES_WEBHOOK_ALLOWED_NETWORKS"), "{refused:#}");
    }
    strict.stop().await;
    let server = world.server().await;
    let receiver = Receiver::start(Answer::Status(204)).await;
    let (by_address, _) = create_ok(&server, &receiver.url()).await;
    let (by_name, _) = create_ok(&server, &format!("http://localhost:{}/hooks", receiver.port)).await;
    for id in [&by_address, &by_name] {
        assert_eq!(test(&server, id).await["delivered"], json!(true));
    }
    server.stop().await;
    // The setting is gone: what was accepted is refused when it would be sent, also if only the look-up of its name shows where it leads.
    let strict = world.server_with(&[("TOYGRES_WEBHOOK_ALLOW_HTTP", "true")]).await;
    let before = receiver.received().len();
    for id in [&by_address, &by_name] {
        let answer = test(&strict, id).await;
        assert!(text(&answer["error"]).contains("TOYGRES_WEBHOOK_ALLOWED_NETWORKS"), "{answer:#}");
        assert_eq!((&answer["delivered"], &answer["status"]), (&json!(false), &Value::Null));
    }
    world.touch(0).await;
    eventually("a delivery is refused", async || {
        let now = webhook(&strict, &by_name).await;
        now["lastAttempt"]["error"].as_str().is_some_and(|error| error.contains("TOYGRES_WEBHOOK_ALLOWED_NETWORKS"))
    })
    .await;
    assert_eq!(receiver.received().len(), before, "nothing was sent");
    strict.stop().await;
    let https_only = world.server_with(&LOCAL[..1]).await;
    let refused = create(&https_only, json!({ "url": receiver.url() })).await;
    assert!(text(&refused["userErrors"][0]["message"]).contains("TOYGRES_WEBHOOK_ALLOW_HTTP"), "{refused:#}");
    https_only.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_url_and_the_secret_are_shown_to_administrators_alone() {
    let world = World::with(Database::start_logging()).await;
    let server = world.server().await;
    let receiver = Receiver::start(Answer::Status(500)).await;
    let given = format!("whsec_{}", BASE64_STANDARD.encode([7; 24]));
    let input =
        json!({ "url": format!("{}/credential-hunter22", receiver.url()), "secret": given, "idempotencyKey": "once", "description": "on call" });
    let created = create(&server, input.clone()).await;
    assert_eq!((&created["secret"], &created["webhook"]["description"]), (&json!(given), &json!("on call")), "{created:#}");
    let again = create(&server, input.clone()).await;
    assert_eq!(
        (&again["webhook"]["id"], &again["secret"]),
        (&created["webhook"]["id"], &created["secret"]),
        "a repeated key returns the first answer"
    );
    let mut other = input.clone();
    other["secret"] = json!(format!("whsec_{}", BASE64_STANDARD.encode([8; 24])));
    let refused = create(&server, other).await;
    assert_eq!(refused["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH", "{refused:#}");
    let refused = create(&server, json!({ "url": "https://a.example", "secret": "whsec_hunter22", "description": "x".repeat(201) })).await;
    let fields: Vec<_> = refused["userErrors"].as_array().unwrap().iter().map(|error| error["field"][0].clone()).collect();
    assert_eq!(fields, [json!("description"), json!("secret")]);
    assert!(!refused.to_string().contains("hunter22"), "{refused:#}");

    world.touch(0).await;
    let id = text(&created["webhook"]["id"]);
    eventually("an attempt has failed", async || webhook(&server, &id).await["failingSince"].is_string()).await;
    let bytes = BASE64_STANDARD.encode([7; 24]);
    for (what, text) in
        [("the server's log", server.log()), ("the statements", world.database.log()), ("the database", dump(&world.database.url()).await)]
    {
        assert!(!text.contains("hunter22") && !text.contains(&bytes), "{what}");
    }
    let refused = update(&server, json!({ "id": id, "description": "x", "revision": "7" })).await;
    assert_eq!(refused["userErrors"][0]["code"], "REVISION_MISMATCH", "{refused:#}");

    let delete = "mutation($id: ID!) { deleteWebhook(input: { id: $id }) { deletedWebhookId userErrors { code } } }";
    let deleted = server.query(delete, json!({ "id": id })).await["deleteWebhook"].clone();
    assert_eq!(deleted, json!({ "deletedWebhookId": id, "userErrors": [] }));
    assert_eq!(server.query(delete, json!({ "id": id })).await["deleteWebhook"]["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(webhook(&server, &id).await, Value::Null);
    server.stop().await;

    let mut server = world.server_with(&[LOCAL[0], LOCAL[1], ("TOYGRES_ACCESS", "tokens")]).await;
    let url = world.database.url();
    for role in ["viewer", "operator", "admin"] {
        let mut command = world.home.command(&["token", "create", "--local", "--name", role, "--role", role]);
        let output = command.env("DATABASE_URL", &url).output().await.unwrap();
        server.bearer = Some(String::from_utf8(output.stdout).unwrap().trim().to_owned());
        let listed = server.request("{ webhooks { nodes { id } } }", json!({})).await;
        let made = server.request("mutation { createWebhook(input: { url: \"https://a.example\" }) { webhook { id } } }", json!({})).await;
        let denied = |answer: &Value| answer["errors"][0]["extensions"]["code"] == "FORBIDDEN";
        assert_eq!((denied(&listed), denied(&made)), (role != "admin", role != "admin"), "{role}: {listed:#} {made:#}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_manages_webhooks() {
    let world = World::start().await;
    let server = world.server().await;
    let receiver = Receiver::start(Answer::Status(204)).await;
    let run = async |arguments: &[&str]| {
        let mut command = world.home.command(&[&["webhooks"], arguments, &["--url", &server.url("")]].concat());
        let output = command.output().await.unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, secret, said) = run(&["create", &receiver.url(), "--event", "notice-raised", "--description", "on call"]).await;
    assert!(code == 0 && secret.starts_with("whsec_"), "{said}");
    let id = said.split_whitespace().find_map(|word| word.strip_suffix(';')).unwrap().to_owned();
    let (_, listed, _) = run(&["list"]).await;
    assert!(listed.contains(&id) && listed.contains("notice raised") && listed.contains("enabled"), "{listed}");
    let (code, answer, said) = run(&["test", &id]).await;
    assert!(code == 0 && answer.starts_with("status 204"), "{answer}{said}");
    receiver.answers(Answer::Status(500));
    let (code, _, said) = run(&["test", &id]).await;
    assert!(code == 1 && said.contains("500"), "{said}");
    assert!(run(&["disable", &id]).await.1.contains("disabled"));
    assert!(run(&["enable", &id]).await.1.contains("enabled"));
    assert!(run(&["update", &id, "--all-events"]).await.1.contains("all"));
    let (code, rotated, _) = run(&["rotate-secret", &id]).await;
    assert!(code == 0 && rotated.starts_with("whsec_") && rotated != secret);
    let (code, _, said) = run(&["update", &id, "--target", "http://10.0.0.1/"]).await;
    assert!(code == 2 && said.contains("url: leads to 10.0.0.1"), "{code} {said}");
    assert_eq!(run(&["delete", &id, "--yes"]).await.0, 0);
    assert_eq!(run(&["test", &id]).await.0, 4);
    server.stop().await;
}

/// How many messages a second one webhook gets. It prints the number, and demands little: the machine of a test is shared.
#[tokio::test(flavor = "multi_thread")]
async fn one_webhook_keeps_up_with_many_events() {
    const EVENTS: usize = 2000;
    let world = World::start().await;
    let server = world.server().await;
    let receiver = Receiver::start(Answer::Status(204)).await;
    let (id, _) = create_ok(&server, &receiver.url()).await;
    update(&server, json!({ "id": id, "state": "DISABLED" })).await;
    for n in 0..EVENTS {
        world.touch(n).await;
    }
    update(&server, json!({ "id": id, "state": "ENABLED" })).await;
    eventually("it begins", async || !receiver.received().is_empty()).await;
    let begun = Instant::now();
    eventually("everything arrives", async || receiver.received().len() >= EVENTS).await;
    let rate = EVENTS as f64 / begun.elapsed().as_secs_f64();
    println!("{rate:.0} messages a second");
    assert!(rate > 50.0, "{rate:.0} messages a second");
    server.stop().await;
}
