//! Many operations on one socket, and readers that do not read.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::Message;
use toygres_server::transport::ServeOptions;

use super::support::{Client, Server, TIMEOUT};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_starves_nobody() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("flood", "subscription { flood }").await;
    for id in 0..20 {
        client.subscribe(&id.to_string(), "subscription { ticks(millis: 20) }").await;
    }
    // Until the slowest of the tickers has delivered 20 results, in spite of the flood.
    let (mut seen, began) = (HashMap::<String, usize>::new(), Instant::now());
    while (0..20).any(|id| seen.get(&id.to_string()).copied().unwrap_or(0) < 20) {
        let id = client.receive().await["id"].as_str().expect("an id").to_owned();
        *seen.entry(id).or_default() += 1;
        assert!(began.elapsed() < TIMEOUT, "somebody starves: {seen:?}");
    }
    println!("20 results of each of 20 tickers at 20 ms took {:?}, beside {} of the flood", began.elapsed(), seen["flood"]);
    // A socket under a flood still answers pings.
    client.send(json!({"type": "ping"})).await;
    let (asked, mut between) = (Instant::now(), HashMap::<String, usize>::new());
    loop {
        let message = client.receive().await;
        if message["type"] == "pong" {
            break;
        }
        *between.entry(message["id"].to_string()).or_default() += 1;
        assert!(asked.elapsed() < TIMEOUT, "no pong, but {between:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_subscriptions_share_one_socket_evenly() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    for id in 0..1000 {
        client.subscribe(&id.to_string(), "subscription { ticks(millis: 100) }").await;
    }
    let (mut seen, mut waiting, began) = (vec![0_usize; 1000], 1000, Instant::now());
    while waiting > 0 {
        let id: usize = client.receive().await["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        seen[id] += 1;
        if seen[id] == 10 {
            waiting -= 1;
        }
        assert!(began.elapsed() < TIMEOUT, "somebody starves: {seen:?}");
    }
    let most = seen.iter().max().copied().unwrap_or(0);
    println!("10 results of each of 1,000 subscriptions at 100 ms took {:?}; at the most {most}", began.elapsed());
    assert!(most <= 30, "the fastest has had {most} when the slowest has had 10");
}

const WRITE_TIMEOUT: Duration = Duration::from_millis(300);

/// Few bytes are on their way, and a client that reads nothing is cut off soon.
fn impatient(options: &mut ServeOptions) {
    options.write_timeout = WRITE_TIMEOUT;
    options.send_buffer = 8 * 1024;
}

#[tokio::test]
async fn who_does_not_read_is_cut_off() {
    let server = Server::start_with(|_| (), impatient).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { flood(bytes: 10000) }").await;
    assert!(matches!(client.next().await, Some(Message::Text(_))));
    // The client does not read any more. The server has closed the socket when the subscription has ended.
    server.wait_for_open(0).await;
}

/// Reads numbers until the socket is closed, and returns how many there were and the close code. The first read is followed by a pause in
/// which `meanwhile` is called.
async fn read_all_numbers(client: &mut Client, pause: Duration, meanwhile: impl FnOnce()) -> (u32, Option<u16>) {
    client.subscribe("1", "subscription { numbers(bytes: 200000) }").await;
    let (mut expected, began, mut meanwhile) = (0, Instant::now(), Some(meanwhile));
    loop {
        let text = match client.next().await {
            Some(Message::Text(text)) => text,
            Some(Message::Close(frame)) => return (expected, frame.map(|frame| frame.code.into())),
            None => return (expected, None),
            _ => continue,
        };
        let message: Value = serde_json::from_str(&text).expect("JSON");
        let number = message["payload"]["data"]["numbers"].as_str().and_then(|text| text.trim_end_matches('x').parse().ok());
        assert_eq!(number, Some(expected), "none is left out");
        expected += 1;
        if let Some(meanwhile) = meanwhile.take() {
            tokio::time::sleep(pause / 2).await;
            meanwhile();
            tokio::time::sleep(pause / 2).await;
        }
        assert!(began.elapsed() < TIMEOUT, "the socket is closed in time");
    }
}

#[tokio::test]
async fn who_reads_too_late_loses_the_socket_and_no_result_before() {
    let server = Server::start_with(|_| (), impatient).await;
    let mut client = Client::ready(&server).await;
    // When the client goes on, one write has timed out, and the next one would succeed.
    let (read, code) = read_all_numbers(&mut client, Duration::from_secs(1), || ()).await;
    println!("{read} results before the socket was closed");
    assert!(read > 1 && code.is_none(), "{read} {code:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_slowly_gets_a_result_that_takes_long() {
    // More than the buffers of the kernel hold.
    const BYTES: usize = 15_000_000;
    const PATIENCE: Duration = Duration::from_secs(1);
    let server = Server::start_with(|_| (), |options| options.write_timeout = PATIENCE).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", &format!("subscription {{ once(bytes: {BYTES}) }}")).await;
    // The frame as it comes: the length of a large one is in eight bytes after the first two.
    let (stream, began) = (client.socket.get_mut(), Instant::now());
    let mut head = [0; 10];
    stream.read_exact(&mut head).await.expect("the head of the frame");
    assert_eq!(head[..2], [0x81, 127]);
    let mut message = vec![0; usize::try_from(u64::from_be_bytes(head[2..].try_into().expect("8 bytes"))).expect("a length")];
    for part in message.chunks_mut(64 * 1024) {
        stream.read_exact(part).await.expect("the socket is open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("{BYTES} bytes took {:?}", began.elapsed());
    assert!(began.elapsed() > 3 * PATIENCE, "{:?}", began.elapsed());
    let message: Value = serde_json::from_slice(&message).expect("JSON");
    assert_eq!(message["payload"]["data"]["once"].as_str().map(str::len), Some(BYTES));
}

#[tokio::test]
async fn who_reads_after_a_pause_has_time_to_answer_the_ping() {
    const INTERVAL: Duration = Duration::from_millis(500);
    let server = Server::start_with(|options| options.limits.ping_interval = INTERVAL, |options| options.send_buffer = 8 * 1024).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { numbers(bytes: 20000) }").await;
    assert_eq!(client.receive().await["type"], "next");
    // Three pings are due while nothing can be written.
    tokio::time::sleep(INTERVAL * 7 / 2).await;
    let (began, mut pings) = (Instant::now(), 0);
    while began.elapsed() < INTERVAL * 4 {
        if client.receive().await["type"] == "ping" {
            pings += 1;
            client.send(json!({"type": "pong"})).await;
        }
    }
    assert!((2..=5).contains(&pings), "{pings} pings");
}

#[tokio::test]
async fn a_shutdown_in_the_middle_of_a_write_leaves_no_result_out() {
    let server = Server::start_with(|_| (), |options| options.send_buffer = 8 * 1024).await;
    let mut client = Client::ready(&server).await;
    let (read, code) = read_all_numbers(&mut client, Duration::from_secs(1), || server.shutdown.cancel()).await;
    println!("{read} results before the socket was closed");
    assert!(read > 1 && code == Some(1012), "{read} {code:?}");
}
