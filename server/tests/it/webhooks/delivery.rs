//! Delivery: nothing is lost and nothing out of order, whoever dies.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    World, create_ok, events,
    receiver::{Answer, NpmReceiver, Receiver},
    test, update, webhook,
};
use crate::support::{eventually, text};

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
