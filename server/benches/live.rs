//! Live delivery: the latency from a write to a subscriber and its cost, compared with plain LISTEN/NOTIFY in the same run and with
//! another product. Writes are SQL statements on the metadata database, because the writer makes no difference.

#[path = "postgraphile/peer.rs"]
mod peer;
#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the bench needs a part of what the tests do")]
mod support;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{SinkExt, StreamExt, future::join_all};
use peer::Peer;
use serde_json::json;
use support::{Database, Home, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use tokio_postgres::{AsyncMessage, NoTls};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

/// Instances that are written to.
const INSTANCES: usize = 50;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started");
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    runtime.block_on(bench(only.as_deref()));
}

async fn bench(only: Option<&str>) {
    let wanted = |name: &str| only.is_none_or(|only| name.contains(only));
    let database = Database::start_durable();
    let home = Home::new();
    // This server runs no workflows, so only the bench writes.
    let server = home.start_with(&[("DATABASE_URL", &database.url()), ("TOYGRES_ROLE", "api")]).await;
    let mut world = World { writer: connect(&database).await, url: database.url(), subject: Subject::Ours(server) };
    world.prepare().await;

    println!(
        "{:<26}{:>9}{:>9}{:>9}{:>12}{:>12}{:>9}{:>12}",
        "10 updates/s", "p50 ms", "p99 ms", "x floor", "us/delivery", "KB/socket", "MB", "client us"
    );
    let floor = world.floor().await;
    show("raw LISTEN/NOTIFY", &floor, None, None);
    for (name, shape) in [
        ("1 socket", Shape::Sockets(1)),
        ("100 sockets", Shape::Sockets(100)),
        ("1000 sockets", Shape::Sockets(1000)),
        ("1000 event streams", Shape::Streams(1000)),
        ("1000 on one socket", Shape::OneSocket(1000)),
    ] {
        if wanted(name) {
            // A new server for each round, so that memory of an earlier round is not counted.
            let fresh = home.start_with(&[("DATABASE_URL", &database.url()), ("TOYGRES_ROLE", "api")]).await;
            std::mem::replace(&mut world.subject, Subject::Ours(fresh)).stop().await;
            let (latencies, cost) = world.paced(shape).await;
            show(name, &latencies, Some(&floor), Some(cost));
        }
    }
    if wanted("burst") {
        world.burst().await;
    }
    if wanted("writers") {
        world.writers().await;
    }
    if wanted("peer") {
        match Peer::installed() {
            Ok(()) => world.peer(&floor).await,
            Err(reason) => println!("PostGraphile is missing beside this: {reason}"),
        }
    }
    world.subject.stop().await;
}

#[derive(Clone, Copy)]
enum Shape {
    Sockets(usize),
    Streams(usize),
    OneSocket(usize),
}

struct World {
    writer: tokio_postgres::Client,
    url: String,
    subject: Subject,
}

/// The server that is measured.
enum Subject {
    Ours(Server),
    Peer(Peer),
}

impl Subject {
    fn address(&self) -> String {
        match self {
            Self::Ours(server) => server.address.clone(),
            Self::Peer(peer) => peer.address.clone(),
        }
    }

    fn cpu(&self) -> Duration {
        match self {
            Self::Ours(server) => server.cpu(),
            Self::Peer(peer) => peer.cpu(),
        }
    }

    fn memory(&self) -> u64 {
        match self {
            Self::Ours(server) => server.memory(),
            Self::Peer(peer) => peer.memory(),
        }
    }

    /// The number of the last change.
    async fn head(&self, writer: &tokio_postgres::Client) -> u64 {
        match self {
            Self::Ours(_) => {
                let row = writer.query_one("SELECT toygres.event_head()", &[]).await.expect("the log can be asked");
                u64::try_from(row.get::<_, i64>(0)).expect("positive")
            }
            Self::Peer(_) => peer::head(writer).await,
        }
    }

    /// The subscription. With our server all subscribers start after the same event, which the peer does not support.
    async fn document(&self, writer: &tokio_postgres::Client) -> String {
        match self {
            Self::Ours(_) => {
                let head = "SELECT seq || '-' || (extract(epoch FROM at) * 1000000)::bigint FROM toygres.event_log_head()";
                let after: String = writer.query_one(head, &[]).await.expect("the log can be asked").get(0);
                format!("subscription {{ instanceEvents(after: \"{after}\") {{ cursor type instance {{ id state health }} }} }}")
            }
            Self::Peer(_) => peer::DOCUMENT.to_owned(),
        }
    }

    async fn stop(self) {
        match self {
            Self::Ours(server) => server.stop().await,
            Self::Peer(peer) => peer.stop().await,
        }
    }
}

/// The cost of the deliveries.
struct Cost {
    cpu_per_delivery: Duration,
    client_per_delivery: Duration,
    bytes_per_socket: f64,
    bytes: u64,
}

/// The deliveries that the subscribers receive.
#[derive(Default)]
struct Ears {
    /// When the event with this number after the base was sent. Older events are ignored.
    sent: Mutex<Vec<Instant>>,
    base: AtomicU64,
    latencies: Mutex<Vec<Duration>>,
    heard: AtomicUsize,
    ready: AtomicUsize,
}

impl Ears {
    fn hear(&self, frame: &[u8]) {
        let now = Instant::now();
        let Some(number) = cursor(frame).and_then(|cursor| cursor.checked_sub(self.base.load(Ordering::Relaxed) + 1)) else { return };
        self.heard.fetch_add(1, Ordering::Relaxed);
        let sent = self.sent.lock().expect("no panic while held");
        if let Some(at) = usize::try_from(number).ok().and_then(|number| sent.get(number).copied()) {
            drop(sent);
            self.latencies.lock().expect("no panic while held").push(now - at);
        }
    }

    async fn until_heard(&self, count: usize) {
        until(|| self.heard.load(Ordering::Relaxed) >= count).await;
    }

    /// Starts to count after this number.
    fn begin(&self, base: u64) {
        self.base.store(base, Ordering::Relaxed);
        self.heard.store(0, Ordering::Relaxed);
    }
}

impl World {
    async fn prepare(&self) {
        let rows = format!(
            "INSERT INTO toygres.instances (id, name, state, postgres_version, storage_gb, cpu_millis, memory_mb, username, database_name, exposure,
                 health_interval_seconds, health_timeout_seconds)
             SELECT gen_random_uuid(), 'bench-' || n, 'running', 17, 10, 500, 512, 'app', 'app', '{{\"type\":\"cluster\"}}', 30, 5
             FROM generate_series(1, {INSTANCES}) n"
        );
        self.writer.batch_execute(&rows).await.expect("instances can be inserted");
    }

    /// One update of one instance.
    async fn write(&self, n: usize) {
        let statement = format!(
            "UPDATE toygres.instances SET health_status = CASE health_status WHEN 'healthy' THEN 'unhealthy' ELSE 'healthy' END WHERE name = 'bench-{}'",
            n % INSTANCES + 1
        );
        self.writer.batch_execute(&statement).await.expect("the write works");
    }

    /// The notifications on a separate connection.
    async fn floor(&self) -> Vec<Duration> {
        let (listener, mut connection) = tokio_postgres::connect(&self.url, NoTls).await.expect("the database answers");
        let (heard, mut wakes) = tokio::sync::mpsc::unbounded_channel();
        let driver = tokio::spawn(async move {
            while let Some(Ok(message)) = futures::future::poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(_) = message {
                    let _ = heard.send(Instant::now());
                }
            }
        });
        listener.batch_execute("LISTEN toygres_events").await.expect("listening works");
        let mut latencies = Vec::new();
        for n in 0..100 {
            let sent = Instant::now();
            self.write(n).await;
            latencies.push(wakes.recv().await.expect("the listener lives") - sent);
            tokio::time::sleep(Duration::from_millis(100).saturating_sub(sent.elapsed())).await;
        }
        drop(listener);
        driver.abort();
        latencies
    }

    /// 10 updates a second for 10 seconds.
    async fn paced(&self, shape: Shape) -> (Vec<Duration>, Cost) {
        const UPDATES: usize = 100;
        let ears = Arc::new(Ears::default());
        let before = self.subject.memory();
        let (subscribers, sockets, mut tasks) = self.listen(shape, &ears).await;
        let bytes_per_socket = (self.subject.memory() as f64 - before as f64) / sockets as f64;
        let (cpu, own) = (self.subject.cpu(), own_cpu());
        for n in 0..UPDATES {
            let sent = Instant::now();
            ears.sent.lock().expect("no panic while held").push(sent);
            self.write(n).await;
            tokio::time::sleep(Duration::from_millis(100).saturating_sub(sent.elapsed())).await;
        }
        ears.until_heard(UPDATES * subscribers).await;
        let deliveries = u32::try_from(UPDATES * subscribers).expect("few enough");
        let cost = Cost {
            cpu_per_delivery: (self.subject.cpu() - cpu) / deliveries,
            client_per_delivery: (own_cpu() - own) / deliveries,
            bytes_per_socket,
            bytes: self.subject.memory(),
        };
        tasks.shutdown().await;
        self.settle().await;
        let latencies = std::mem::take(&mut *ears.latencies.lock().expect("no panic while held"));
        (latencies, cost)
    }

    /// As many events as possible to 1,000 sockets.
    async fn burst(&self) {
        const ROUNDS: usize = 4;
        let ears = Arc::new(Ears::default());
        let (subscribers, _, mut tasks) = self.listen(Shape::Sockets(1000), &ears).await;
        let (cpu, own, started) = (self.subject.cpu(), own_cpu(), Instant::now());
        for _ in 0..ROUNDS {
            self.writer
                .batch_execute("UPDATE toygres.instances SET health_status = CASE health_status WHEN 'healthy' THEN 'unhealthy' ELSE 'healthy' END")
                .await
                .expect("the write works");
        }
        let deliveries = ROUNDS * INSTANCES * subscribers;
        ears.until_heard(deliveries).await;
        let (elapsed, count) = (started.elapsed(), u32::try_from(deliveries).expect("few enough"));
        println!(
            "burst to 1000 sockets: {deliveries} deliveries in {:.2} s = {:.0}/s; server {:.1} us, client {:.1} us of CPU per delivery",
            elapsed.as_secs_f64(),
            deliveries as f64 / elapsed.as_secs_f64(),
            micros((self.subject.cpu() - cpu) / count),
            micros((own_cpu() - own) / count)
        );
        tasks.shutdown().await;
        self.settle().await;
    }

    /// The peer, with the same writes, subscribers and clients. From here on, writes notify only the peer.
    async fn peer(&mut self, floor: &[Duration]) {
        peer::take_over(&self.writer).await;
        println!("PostGraphile");
        for (name, shape) in [("1000 sockets", Shape::Sockets(1000)), ("1000 on one socket", Shape::OneSocket(1000))] {
            std::mem::replace(&mut self.subject, Subject::Peer(Peer::start(&self.url).await)).stop().await;
            let (latencies, cost) = self.paced(shape).await;
            show(name, &latencies, Some(floor), Some(cost));
        }
        self.burst().await;
    }

    /// The cost of the event log and NOTIFY for writers.
    async fn writers(&self) {
        println!("{:<26}{:>12}{:>12}{:>9}", "writes/s by", "without", "with", "ratio");
        for writers in [1, 8, 32] {
            let mut rates = [0.0; 2];
            for (rate, triggers) in rates.iter_mut().zip(["DISABLE", "ENABLE"]) {
                self.writer
                    .batch_execute(&format!("ALTER TABLE toygres.instances {triggers} TRIGGER instances_event"))
                    .await
                    .expect("the table is ours");
                let clients = join_all((0..writers).map(|_| connect_to(&self.url))).await;
                let until = Instant::now() + Duration::from_secs(5);
                let done = join_all(clients.iter().enumerate().map(|(index, client)| async move {
                    let statement = client
                        .prepare("UPDATE toygres.instances SET deletion_protected = NOT deletion_protected WHERE name = $1")
                        .await
                        .expect("the statement is right");
                    let mut done = 0_u32;
                    let name = format!("bench-{}", index % INSTANCES + 1);
                    while Instant::now() < until {
                        client.execute(&statement, &[&name]).await.expect("the write works");
                        done += 1;
                    }
                    done
                }))
                .await;
                *rate = f64::from(done.iter().sum::<u32>()) / 5.0;
            }
            println!("{:<26}{:>12.0}{:>12.0}{:>9.2}", format!("{writers} writers"), rates[0], rates[1], rates[1] / rates[0]);
        }
    }

    /// Subscribes, and returns the numbers of subscribers and sockets when each has received an event.
    async fn listen(&self, shape: Shape, ears: &Arc<Ears>) -> (usize, usize, JoinSet<()>) {
        let mut tasks = JoinSet::new();
        let (subscribers, sockets) = match shape {
            Shape::Sockets(count) | Shape::Streams(count) => (count, count),
            Shape::OneSocket(count) => (count, 1),
        };
        let per_socket = subscribers / sockets;
        let document = self.subject.document(&self.writer).await;
        for index in 0..sockets {
            let (address, document, mine) = (self.subject.address(), document.clone(), ears.clone());
            match shape {
                Shape::Streams(_) => tasks.spawn(event_stream(address, document, mine)),
                Shape::Sockets(_) | Shape::OneSocket(_) => tasks.spawn(socket(address, document, per_socket, mine)),
            };
            // The backlog of a listening socket is short.
            if index % 50 == 49 {
                until(|| ears.ready.load(Ordering::Relaxed) > index).await;
            }
        }
        until(|| ears.ready.load(Ordering::Relaxed) == sockets).await;
        // All subscribers must receive an event before the counters are reset. The peer starts subscriptions asynchronously, and
        // they miss earlier events, so another event is sent.
        for tries in 1.. {
            ears.begin(self.subject.head(&self.writer).await);
            self.write(0).await;
            if tokio::time::timeout(Duration::from_secs(5), ears.until_heard(subscribers)).await.is_ok() {
                break;
            }
            assert!(tries < 12, "{} of {subscribers} subscribers hear of a write", ears.heard.load(Ordering::Relaxed));
        }
        ears.begin(self.subject.head(&self.writer).await);
        (subscribers, sockets, tasks)
    }

    async fn settle(&self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn until(there: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !there() {
        assert!(Instant::now() < deadline, "it takes too long");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn socket(address: String, document: String, subscriptions: usize, ears: Arc<Ears>) {
    // A busy server may time out although the client has sent the message.
    let mut socket = loop {
        if let Some(socket) = acknowledged(&address).await {
            break socket;
        }
    };
    for id in 0..subscriptions {
        let subscribe = json!({ "id": id.to_string(), "type": "subscribe", "payload": { "query": document } });
        socket.send(Message::text(subscribe.to_string())).await.expect("the socket stands");
    }
    ears.ready.fetch_add(1, Ordering::Relaxed);
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = &message {
            ears.hear(text.as_bytes());
        }
    }
}

async fn acknowledged(address: &str) -> Option<WebSocketStream<MaybeTlsStream<TcpStream>>> {
    let mut request = format!("ws://{address}/graphql").into_client_request().expect("the address is right");
    request.headers_mut().insert("Sec-WebSocket-Protocol", "graphql-transport-ws".parse().expect("a header value"));
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.expect("the server takes the socket");
    socket.send(Message::text(r#"{"type":"connection_init"}"#)).await.ok()?;
    match socket.next().await? {
        Ok(Message::Text(text)) if text.contains("connection_ack") => Some(socket),
        _ => None,
    }
}

async fn event_stream(address: String, document: String, ears: Arc<Ears>) {
    let mut stream = TcpStream::connect(&address).await.expect("the server takes the connection");
    let body = json!({ "query": document }).to_string();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("the connection stands");
    ears.ready.fetch_add(1, Ordering::Relaxed);
    let (mut buffer, mut chunk) = (Vec::new(), vec![0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        buffer.extend_from_slice(&chunk[..read]);
        while let Some(end) = buffer.windows(2).position(|pair| pair == b"\n\n") {
            ears.hear(&buffer[..end]);
            buffer.drain(..end + 2);
        }
    }
}

/// The number in a cursor.
fn cursor(frame: &[u8]) -> Option<u64> {
    let key = b"\"cursor\":\"";
    let start = frame.windows(key.len()).position(|window| window == key)? + key.len();
    let digits = frame[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&frame[start..start + digits]).ok()?.parse().ok()
}

async fn connect(database: &Database) -> tokio_postgres::Client {
    connect_to(&database.url()).await
}

async fn connect_to(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the database answers");
    tokio::spawn(connection);
    client
}

fn own_cpu() -> Duration {
    support::cpu_of(std::process::id())
}

fn show(name: &str, latencies: &[Duration], floor: Option<&[Duration]>, cost: Option<Cost>) {
    let p50 = percentile(latencies, 50);
    let ratio = floor.map(|floor| format!("{:.2}", p50.as_secs_f64() / percentile(floor, 50).as_secs_f64())).unwrap_or_default();
    let [per_delivery, per_socket, total, client] = match cost {
        None => [const { String::new() }; 4],
        Some(cost) => [
            format!("{:.1}", micros(cost.cpu_per_delivery)),
            format!("{:.1}", cost.bytes_per_socket / 1024.0),
            format!("{:.0}", cost.bytes as f64 / 1024.0 / 1024.0),
            format!("{:.1}", micros(cost.client_per_delivery)),
        ],
    };
    println!(
        "{name:<26}{:>9.2}{:>9.2}{ratio:>9}{per_delivery:>12}{per_socket:>12}{total:>9}{client:>12}",
        millis(p50),
        millis(percentile(latencies, 99))
    );
}

fn percentile(all: &[Duration], percent: usize) -> Duration {
    let mut all = all.to_vec();
    all.sort_unstable();
    all[(all.len() * percent / 100).min(all.len() - 1)]
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
