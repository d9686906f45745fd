//! A page of 50 of 10,000 instances over HTTP, compared with the SQL of the same page through sqlx in the same run.

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the bench needs a part of what the tests do")]
mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::{Database, Home, psql};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use toygres_domain::{instance::InstanceFilter, secret::SecretKeys};
use toygres_store::{InstanceOrder, InstanceOrderField, PageRequest, Store};

const INSTANCES: usize = 10_000;
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(8);
const QUERY: &str = "{ instances(first: 50) { nodes { id name state health createdAt } pageInfo { hasNextPage endCursor } } }";

fn main() {
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(bench());
}

async fn bench() {
    let database = Database::start_durable();
    let (home, url) = (Home::new(), database.url());
    let migrated = home.command(&["migrate"]).env("DATABASE_URL", &url).output().await.expect("the binary runs");
    assert!(migrated.status.success(), "{migrated:?}");
    let rows = format!(
        "INSERT INTO toygres.instances (id, name, state, postgres_version, storage_gb, cpu_millis, memory_mb, username, database_name, exposure,
             health_interval_seconds, health_timeout_seconds, created_at)
         SELECT gen_random_uuid(), 'bench-' || n, 'running', 15, 10, 500, 512, 'app', 'app', '{{\"type\": \"cluster\"}}', 30, 5,
                now() - n * interval '1 second'
         FROM generate_series(1, {INSTANCES}) n"
    );
    psql(&url, &rows).await.expect("rows can be made");
    psql(&url, "VACUUM ANALYZE toygres.instances").await.expect("a vacuum works");
    let server = home.start_with(&[("DATABASE_URL", &url), ("TOYGRES_ROLE", "api")]).await;

    println!("instances(first: 50) of {INSTANCES}; {} s each", MEASURED.as_secs());
    println!("{:<34}{:>12}{:>10}{:>10}{:>10}{:>16}", "", "requests/s", "p50 ms", "p99 ms", "/ SQL", "server CPU us");
    for connections in [1, 64] {
        let store = Store::open(&url, 32, SecretKeys::generate()).expect("the URL is one");
        let sql = measure(connections, async || {
            let store = store.clone();
            let order = InstanceOrder { field: InstanceOrderField::CreatedAt, descending: false };
            async move || {
                let page = store.instances(&InstanceFilter::default(), order, &PageRequest::first(50)).await.expect("a page");
                assert_eq!(page.items.len(), 50);
            }
        })
        .await;
        store.close().await;
        show(&format!("SQL through sqlx, {connections} at once"), &sql, None, None);

        let body = json!({ "query": QUERY }).to_string();
        let request = format!(
            "POST /graphql HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            server.address,
            body.len()
        );
        let cpu = server.cpu();
        let http = measure(connections, async || {
            let mut client = Client { stream: TcpStream::connect(&server.address).await.expect("a connection"), buffer: Vec::new() };
            client.stream.set_nodelay(true).expect("a socket option");
            let request = request.clone();
            async move || client.ask(request.as_bytes()).await
        })
        .await;
        let spent = (server.cpu() - cpu).as_secs_f64() * 1e6 / http.asked as f64;
        show(&format!("GraphQL over HTTP, {connections} at once"), &http, Some(sql.rate() / http.rate()), Some(spent));
    }
    server.stop().await;
}

/// The results after the warm-up.
struct Seen {
    latencies: Vec<Duration>,
    /// Includes the warm-up.
    asked: usize,
}

impl Seen {
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / MEASURED.as_secs_f64()
    }

    fn millis(&self, quantile: f64) -> f64 {
        let at = ((self.latencies.len() - 1) as f64 * quantile) as usize;
        self.latencies[at].as_secs_f64() * 1000.0
    }
}

/// Sends requests repeatedly with this concurrency, each task with its own result of `connect`.
async fn measure<A: AsyncFnMut() + 'static>(at_once: usize, connect: impl AsyncFn() -> A) -> Seen {
    let mut askers = Vec::new();
    for _ in 0..at_once {
        askers.push(connect().await);
    }
    let begin = Instant::now() + WARM_UP;
    let end = begin + MEASURED;
    // Concurrent, not parallel: the client leaves a core to the server and the database.
    let work = askers.into_iter().map(|mut ask| async move {
        let (mut latencies, mut asked) = (Vec::new(), 0);
        while Instant::now() < end {
            let started = Instant::now();
            ask().await;
            asked += 1;
            if started >= begin {
                latencies.push(started.elapsed());
            }
        }
        (latencies, asked)
    });
    let mut seen = Seen { latencies: Vec::new(), asked: 0 };
    for (latencies, asked) in futures::future::join_all(work).await {
        seen.latencies.extend(latencies);
        seen.asked += asked;
    }
    seen.latencies.sort_unstable();
    seen
}

fn show(name: &str, seen: &Seen, ratio: Option<f64>, cpu: Option<f64>) {
    let optional = |value: Option<f64>, digits| value.map_or(String::new(), |value| format!("{value:.digits$}"));
    println!(
        "{name:<34}{:>12.0}{:>10.2}{:>10.2}{:>10}{:>16}",
        seen.rate(),
        seen.millis(0.5),
        seen.millis(0.99),
        optional(ratio, 2),
        optional(cpu, 0)
    );
}

/// One persistent connection, without a client library, which would use more CPU time than the server.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn ask(&mut self, request: &[u8]) {
        self.stream.write_all(request).await.expect("the request is sent");
        self.buffer.clear();
        loop {
            assert!(self.stream.read_buf(&mut self.buffer).await.expect("an answer") > 0, "the server hung up");
            let Some(head) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&self.buffer[..head]).expect("a head of text");
            assert!(text.starts_with("HTTP/1.1 200"), "{text}");
            let length = text.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
            if self.buffer.len() >= head + 4 + length.expect("a length") {
                assert!(self.buffer[head + 4..].starts_with(br#"{"data":"#), "{}", String::from_utf8_lossy(&self.buffer));
                return;
            }
        }
    }
}
