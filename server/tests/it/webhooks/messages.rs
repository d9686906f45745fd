//! What messages say, and their signatures.

use std::collections::HashSet;

use serde_json::json;
use toygres_domain::{secret::Secret, webhook::SigningSecret};

use super::{
    World, create,
    receiver::{Answer, Receiver},
    test,
};
use crate::support::{eventually, text};

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
