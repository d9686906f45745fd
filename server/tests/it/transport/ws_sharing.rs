//! Many operations on one socket, and readers that do not read.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::support::{Client, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_starves_nobody() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("flood", "subscription { flood }").await;
    for id in 0..20 {
        client.subscribe(&id.to_string(), "subscription { ticks(millis: 20) }").await;
    }
    let (mut seen, began) = (HashMap::<String, usize>::new(), Instant::now());
    while began.elapsed() < Duration::from_secs(1) {
        let id = client.receive().await["id"].as_str().expect("an id").to_owned();
        *seen.entry(id).or_default() += 1;
    }
    let slowest = (0..20).map(|id| seen.get(&id.to_string()).copied().unwrap_or(0)).min();
    println!("flood {} results, slowest of 20 tickers {slowest:?} of 50", seen["flood"]);
    assert!(slowest >= Some(20), "{seen:?}");
    // A socket under a flood still answers.
    client.send(json!({"type": "ping"})).await;
    let (asked, mut between) = (Instant::now(), HashMap::<String, usize>::new());
    loop {
        let message = client.receive().await;
        if message["type"] == "pong" {
            break;
        }
        *between.entry(message["id"].to_string()).or_default() += 1;
        assert!(asked.elapsed() < Duration::from_secs(5), "no pong, but {between:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_subscriptions_share_one_socket_evenly() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    for id in 0..1000 {
        client.subscribe(&id.to_string(), "subscription { ticks(millis: 100) }").await;
    }
    let mut seen = vec![0_usize; 1000];
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        let id: usize = client.receive().await["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        seen[id] += 1;
    }
    let (least, most) = (seen.iter().min().copied(), seen.iter().max().copied());
    println!("in 3 s: least {least:?}, most {most:?} of 30 results per subscription");
    assert!(least >= Some(10), "least {least:?}, most {most:?}");
}

#[tokio::test]
async fn who_does_not_read_is_cut_off() {
    let server = Server::start_with(
        |options| options.limits.write_timeout = Duration::from_millis(300),
        |options| options.send_buffer = 8 * 1024,
    )
    .await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { flood(bytes: 10000) }").await;
    assert!(matches!(client.next().await, Some(Message::Text(_))));
    // The client reads nothing more; the server has given up once the subscription is gone.
    server.wait_for_open(0).await;
}
