//! Attacks on a server that costs a caller little and could cost it much. While each runs, other callers are served, and the server
//! stays small. The figures are printed.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

use crate::support::{Home, Server, eventually};

/// The memory that the server may have throughout, in bytes. A debug build is larger.
const MEMORY: u64 = if cfg!(debug_assertions) { 400 } else { 150 } * 1024 * 1024;
/// The 99th percentile of `/livez`.
const LIVEZ: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1000 } else { 100 });
/// How much longer another query may take than without an attack, at the median.
const SLOWER: f64 = if cfg!(debug_assertions) { 20.0 } else { 2.0 };

/// Shared, because a client reads the certificates of this machine when it is made.
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

/// What one attacker does, again and again.
#[derive(Clone, Copy, Debug)]
enum Attack {
    /// A document of 1 kB that is 2^24 fields once its fragments are expanded.
    Fragments,
    /// Pages of pages, whose complexity overflows.
    Pages,
    /// The largest bundle, of which nothing is read.
    SlowReaders,
    /// The largest bundle, which clients want compressed.
    Assets,
    /// Sockets that are opened and never say anything.
    SilentSockets,
    /// Sockets that send 256 KiB before `connection_init`.
    LoudSockets,
    /// Connections that send no request.
    IdleConnections,
    /// Tokens that do not exist.
    UnknownTokens,
    /// The health of the server.
    Readiness,
}

impl Attack {
    const ALL: [Self; 9] = [
        Self::Fragments,
        Self::Pages,
        Self::SlowReaders,
        Self::Assets,
        Self::SilentSockets,
        Self::LoudSockets,
        Self::IdleConnections,
        Self::UnknownTokens,
        Self::Readiness,
    ];

    fn attackers(self) -> usize {
        match self {
            Self::SlowReaders => 300,
            Self::SilentSockets | Self::LoudSockets => 500,
            Self::IdleConnections => 1000,
            Self::Assets => 32,
            Self::Fragments | Self::Pages | Self::UnknownTokens | Self::Readiness => 8,
        }
    }

    /// How long an attacker waits until it begins again. The attackers run on the same machine, and it is the server that is tested.
    fn pause(self) -> Duration {
        match self {
            Self::SlowReaders | Self::SilentSockets | Self::LoudSockets | Self::IdleConnections => Duration::from_secs(1),
            Self::Assets | Self::Fragments | Self::Pages | Self::UnknownTokens | Self::Readiness => Duration::from_millis(10),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_callers_are_served_during_attacks() {
    let scale: f64 = std::env::var("TOYGRES_CHAOS_SCALE").ok().map_or(1.0, |scale| scale.parse().expect("TOYGRES_CHAOS_SCALE is a number"));
    let time = Duration::from_secs_f64(2.0 * scale);
    let home = Home::new();
    let mut server = home.start_with(&[("TOYGRES_ACCESS", "tokens"), ("TOYGRES_ROLE", "api")]).await;
    let made = home.command(&["token", "create", "--local", "--name", "good", "--role", "viewer"]).output().await.unwrap();
    server.bearer = Some(String::from_utf8(made.stdout).unwrap().trim().to_owned());
    let bundle = largest_bundle(&server).await;
    let idle = callers(&server, time).await;
    println!("idle: query p50 {:?}, livez p99 {:?}, memory {} MiB", idle.query, idle.livez, server.memory() >> 20);
    let mut findings = Vec::new();
    for attack in Attack::ALL {
        let (over, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut attackers = JoinSet::new();
        for _ in 0..attack.attackers() {
            attackers.spawn(run(attack, server.address.clone(), server.bearer.clone().unwrap(), bundle.clone(), over.clone(), begun.clone()));
        }
        eventually("every attacker has attacked", async || begun.load(Ordering::Relaxed) == attack.attackers()).await;
        let under = callers(&server, time).await;
        let memory = server.memory();
        over.store(true, Ordering::Relaxed);
        attackers.shutdown().await;
        println!("{attack:?}: query p50 {:?}, livez p99 {:?}, memory {} MiB", under.query, under.livez, memory >> 20);
        if memory > MEMORY {
            findings.push(format!("{attack:?}: {} MiB of memory", memory >> 20));
        }
        if under.livez > LIVEZ {
            findings.push(format!("{attack:?}: /livez takes {:?}", under.livez));
        }
        if under.query > idle.query.mul_f64(SLOWER) {
            findings.push(format!("{attack:?}: a query takes {:?} instead of {:?}", under.query, idle.query));
        }
    }
    // The machine is shared, so the figures of a short run are only printed.
    assert!(scale <= 1.0 || findings.is_empty(), "{findings:#?}");
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.query("{ controlPlane { version } }", json!({})).await;
    server.stop().await;
}

/// What a caller sees who attacks nothing.
struct Seen {
    query: Duration,
    livez: Duration,
}

async fn callers(server: &Server, time: Duration) -> Seen {
    let until = Instant::now() + time;
    let (mut queries, mut livez) = (Vec::new(), Vec::new());
    while Instant::now() < until {
        let started = Instant::now();
        let answer = server.request("{ instances(first: 10) { nodes { id name state } } }", json!({})).await;
        assert_eq!(answer["errors"], Value::Null, "{answer:#}");
        queries.push(started.elapsed());
        let started = Instant::now();
        assert_eq!(server.get("/livez").await.status(), 200);
        livez.push(started.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    queries.sort();
    livez.sort();
    Seen { query: queries[queries.len() / 2], livez: livez[livez.len() * 99 / 100] }
}

/// The path of the largest script of the page.
async fn largest_bundle(server: &Server) -> String {
    let page = server.get("/").await.text().await.unwrap();
    let scripts = page.split('"').filter_map(|part| part.strip_prefix('.')).filter(|part| part.starts_with("/assets/"));
    scripts.max_by_key(|path| path.ends_with(".js")).unwrap_or("/schema.graphql").to_owned()
}

async fn run(attack: Attack, address: String, token: String, bundle: String, over: Arc<AtomicBool>, begun: Arc<AtomicUsize>) {
    let first = AtomicBool::new(true);
    let sent = || {
        if first.swap(false, Ordering::Relaxed) {
            begun.fetch_add(1, Ordering::Relaxed);
        }
    };
    while !over.load(Ordering::Relaxed) {
        // The server may refuse and close, which is its right.
        let _ = once(attack, &address, &token, &bundle, &sent).await;
        sent();
        tokio::time::sleep(attack.pause()).await;
    }
}

/// Attacks, and calls `sent` before it waits for the server.
async fn once(
    attack: Attack,
    address: &str,
    token: &str,
    bundle: &str,
    sent: &(dyn Fn() + Sync),
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let post = async |token: &str, query: &str| {
        let request = HTTP.post(format!("http://{address}/graphql")).bearer_auth(token);
        request.json(&json!({ "query": query })).send().await?.bytes().await.map(drop)
    };
    match attack {
        Attack::Fragments => {
            let fragments: String = (0..24).map(|n| format!(" fragment F{n} on Query {{ ...F{0} ...F{0} }}", n + 1)).collect();
            post(token, &format!("{{ ...F0 }}{fragments} fragment F24 on Query {{ __typename }}")).await?;
        }
        Attack::Pages => {
            let query = "{ instances(first: 2147483647) { nodes { operations(first: 2147483647) { nodes { instance { events(first: 2147483647) {
                nodes { instance { operations(first: 2147483647) { nodes { instance { healthChecks(first: 2147483647) { nodes { id } } } } } } } } } } } } } }";
            post(token, query).await?;
        }
        Attack::SlowReaders | Attack::Assets => {
            let mut stream = TcpStream::connect(address).await?;
            let request = format!("GET {bundle} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await?;
            sent();
            if matches!(attack, Attack::SlowReaders) {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            stream.read_to_end(&mut Vec::new()).await?;
        }
        Attack::SilentSockets | Attack::LoudSockets => {
            let mut request = format!("ws://{address}/graphql").into_client_request()?;
            request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
            let stream = TcpStream::connect(address).await?;
            let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await?;
            if matches!(attack, Attack::LoudSockets) {
                // Without its last byte, so that it stays in the buffer.
                let mut frame = vec![0x81, 0xff];
                frame.extend((256 * 1024u64).to_be_bytes());
                frame.extend([0; 4]);
                frame.resize(256 * 1024, b' ');
                socket.get_mut().write_all(&frame).await?;
            }
            sent();
            while let Some(Ok(message)) = socket.next().await {
                if matches!(message, Message::Close(_)) {
                    socket.flush().await?;
                }
            }
        }
        Attack::IdleConnections => {
            let mut stream = TcpStream::connect(address).await?;
            sent();
            stream.read_to_end(&mut Vec::new()).await?;
        }
        Attack::UnknownTokens => post(&format!("toygres_{}", fastrand::u64(..)), "{ __typename }").await?,
        Attack::Readiness => HTTP.get(format!("http://{address}/readyz")).send().await?.bytes().await.map(drop)?,
    }
    Ok(())
}
