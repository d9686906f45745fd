//! Webhooks: nothing is lost and nothing out of order, whoever dies; signatures, refusals, and the ways in which a receiver can fail.

mod access;
mod command_line;
mod delivery;
mod messages;
mod receiver;
mod refusals;

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::support::{Database, Home, Server, connect, text};

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
