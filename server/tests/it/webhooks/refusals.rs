//! Receivers that do not accept, and webhooks that are disabled.

use serde_json::{Value, json};

use super::{
    World, create_ok, events, metric,
    receiver::{Answer, Receiver},
    test, update, webhook,
};
use crate::support::{eventually, text};

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
