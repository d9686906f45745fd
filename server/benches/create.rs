//! The time from `createInstance` to RUNNING, compared with `initdb` and a start alone in the same run; then that of a suspension and of a
//! resumption, compared with a fast shutdown and a start by `pg_ctl`.

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the bench needs a part of what the tests do")]
mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::{Database, Home};

const ROUNDS: usize = 10;

fn main() {
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(bench());
}

async fn bench() {
    let floor: Vec<Duration> = (0..ROUNDS).map(|_| timed(Database::start_durable)).collect();

    let home = Home::new();
    let server = home.start().await;
    // The first creation also creates the template, so it is reported separately.
    let (first, _) = create(&server, 0).await;
    let (mut running, mut healthy) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let (to_running, to_healthy) = create(&server, round).await;
        running.push(to_running);
        healthy.push(to_healthy);
    }
    let (suspended, resumed) = suspend_and_resume(&server).await;
    server.stop().await;
    let raw = Database::start_durable();
    let (stops, starts): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (timed(|| raw.shut_down()), timed(|| raw.resume()))).unzip();
    drop(raw);

    println!("{ROUNDS} rounds, one after the other; median (minimum to maximum)");
    show("raw initdb and start", &floor);
    println!("{:<44}{:>8.0} ms", "createInstance to RUNNING, the very first", millis(first));
    show("createInstance to RUNNING", &running);
    show("createInstance to HEALTHY", &healthy);
    println!("ratio RUNNING / raw: {:.2}", millis(median(&running)) / millis(median(&floor)));
    for (name, raw_name, ours, raw) in [
        ("suspendInstance to SUSPENDED", "raw pg_ctl stop -m fast", &suspended, &stops),
        ("resumeInstance to RUNNING", "raw pg_ctl start", &resumed, &starts),
    ] {
        show(raw_name, raw);
        show(name, ours);
        println!("{:<44}{:>8.0} ms", "difference", millis(median(ours)) - millis(median(raw)));
    }
}

/// The times from the request until a subscriber is notified.
async fn create(server: &support::Server, round: usize) -> (Duration, Duration) {
    let started = Instant::now();
    let id = server.create_ok(&format!("bench-{round}")).await;
    let mut live = server.subscribe("subscription($id: ID!) { instance(id: $id) { state health } }", json!({ "id": id })).await;
    let mut running = None;
    loop {
        let now = live.next().await.expect("the instance is there")["data"]["instance"].clone();
        if now["state"] == "RUNNING" {
            running.get_or_insert_with(|| started.elapsed());
        }
        if now["health"] == "HEALTHY" {
            break;
        }
    }
    let healthy = started.elapsed();
    server.delete(&id).await;
    server.until_deleted(&id).await;
    (running.expect("it is running before it is healthy"), healthy)
}

/// The times from the requests until a subscriber is notified.
async fn suspend_and_resume(server: &support::Server) -> (Vec<Duration>, Vec<Duration>) {
    let id = server.create_ok("bench-suspend").await;
    server.until_healthy(&id).await;
    let (mut suspended, mut resumed) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        suspended.push(until(server, &id, "suspendInstance", "SUSPENDED").await);
        resumed.push(until(server, &id, "resumeInstance", "RUNNING").await);
        server.until_healthy(&id).await;
    }
    (suspended, resumed)
}

/// The time from a mutation until the instance has this state.
async fn until(server: &support::Server, id: &str, mutation: &str, state: &str) -> Duration {
    let started = Instant::now();
    let document = format!("mutation($id: ID!) {{ {mutation}(input: {{ id: $id }}) {{ userErrors {{ message }} }} }}");
    let accepted = server.query(&document, json!({ "id": id })).await;
    assert_eq!(accepted[mutation]["userErrors"], json!([]), "{accepted:#}");
    server.until(id, state, |now| now["state"] == state).await;
    started.elapsed()
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let started = Instant::now();
    let result = work();
    let elapsed = started.elapsed();
    drop(result);
    elapsed
}

fn show(name: &str, all: &[Duration]) {
    let (least, most) = (all.iter().min().expect("rounds"), all.iter().max().expect("rounds"));
    println!("{name:<44}{:>8.0} ms ({:.0} to {:.0})", millis(median(all)), millis(*least), millis(*most));
}

fn median(all: &[Duration]) -> Duration {
    let mut all = all.to_vec();
    all.sort_unstable();
    all[all.len() / 2]
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
