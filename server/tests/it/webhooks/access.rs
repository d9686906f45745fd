//! Where messages may go, and who is shown what.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    LOCAL, World, create, create_ok,
    receiver::{Answer, Receiver},
    test, update, webhook,
};
use crate::support::{Database, dump, eventually, text};

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_not_public_are_refused() {
    let world = World::start().await;
    let strict = world.server_with(&[("TOYGRES_WEBHOOK_ALLOW_HTTP", "true")]).await;
    for url in [
        "https://127.0.0.1/",
        "http://[::1]:80/",
        "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://0x7f000001/",
    ] {
        let refused = create(&strict, json!({ "url": url })).await;
        assert_eq!((&refused["webhook"], &refused["secret"]), (&Value::Null, &Value::Null));
        assert_eq!((&refused["userErrors"][0]["code"], &refused["userErrors"][0]["field"]), (&json!("INVALID"), &json!(["url"])), "{refused:#}");
        assert!(text(&refused["userErrors"][0]["message"]).contains("TOYGRES_WEBHOOK_ALLOWED_NETWORKS"), "{refused:#}");
    }
    strict.stop().await;
    let server = world.server().await;
    let receiver = Receiver::start(Answer::Status(204)).await;
    let (by_address, _) = create_ok(&server, &receiver.url()).await;
    let (by_name, _) = create_ok(&server, &format!("http://localhost:{}/hooks", receiver.port)).await;
    for id in [&by_address, &by_name] {
        assert_eq!(test(&server, id).await["delivered"], json!(true));
    }
    server.stop().await;
    // The setting is gone: what was accepted is refused when it would be sent, also if only the look-up of its name shows where it leads.
    let strict = world.server_with(&[("TOYGRES_WEBHOOK_ALLOW_HTTP", "true")]).await;
    let before = receiver.received().len();
    for id in [&by_address, &by_name] {
        let answer = test(&strict, id).await;
        assert!(text(&answer["error"]).contains("TOYGRES_WEBHOOK_ALLOWED_NETWORKS"), "{answer:#}");
        assert_eq!((&answer["delivered"], &answer["status"]), (&json!(false), &Value::Null));
    }
    world.touch(0).await;
    eventually("a delivery is refused", async || {
        let now = webhook(&strict, &by_name).await;
        now["lastAttempt"]["error"].as_str().is_some_and(|error| error.contains("TOYGRES_WEBHOOK_ALLOWED_NETWORKS"))
    })
    .await;
    assert_eq!(receiver.received().len(), before, "nothing was sent");
    strict.stop().await;
    let https_only = world.server_with(&LOCAL[..1]).await;
    let refused = create(&https_only, json!({ "url": receiver.url() })).await;
    assert!(text(&refused["userErrors"][0]["message"]).contains("TOYGRES_WEBHOOK_ALLOW_HTTP"), "{refused:#}");
    https_only.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_url_and_the_secret_are_shown_to_administrators_alone() {
    let world = World::with(Database::start_logging()).await;
    let server = world.server().await;
    let receiver = Receiver::start(Answer::Status(500)).await;
    let given = format!("whsec_{}", BASE64_STANDARD.encode([7; 24]));
    let input =
        json!({ "url": format!("{}/credential-hunter22", receiver.url()), "secret": given, "idempotencyKey": "once", "description": "on call" });
    let created = create(&server, input.clone()).await;
    assert_eq!((&created["secret"], &created["webhook"]["description"]), (&json!(given), &json!("on call")), "{created:#}");
    let again = create(&server, input.clone()).await;
    assert_eq!(
        (&again["webhook"]["id"], &again["secret"]),
        (&created["webhook"]["id"], &created["secret"]),
        "a repeated key returns the first answer"
    );
    let mut other = input.clone();
    other["secret"] = json!(format!("whsec_{}", BASE64_STANDARD.encode([8; 24])));
    let refused = create(&server, other).await;
    assert_eq!(refused["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH", "{refused:#}");
    let refused = create(&server, json!({ "url": "https://a.example", "secret": "whsec_hunter22", "description": "x".repeat(201) })).await;
    let fields: Vec<_> = refused["userErrors"].as_array().unwrap().iter().map(|error| error["field"][0].clone()).collect();
    assert_eq!(fields, [json!("description"), json!("secret")]);
    assert!(!refused.to_string().contains("hunter22"), "{refused:#}");

    world.touch(0).await;
    let id = text(&created["webhook"]["id"]);
    eventually("an attempt has failed", async || webhook(&server, &id).await["failingSince"].is_string()).await;
    let bytes = BASE64_STANDARD.encode([7; 24]);
    for (what, text) in
        [("the server's log", server.log()), ("the statements", world.database.log()), ("the database", dump(&world.database.url()).await)]
    {
        assert!(!text.contains("hunter22") && !text.contains(&bytes), "{what}");
    }
    let refused = update(&server, json!({ "id": id, "description": "x", "revision": "7" })).await;
    assert_eq!(refused["userErrors"][0]["code"], "REVISION_MISMATCH", "{refused:#}");

    let delete = "mutation($id: ID!) { deleteWebhook(input: { id: $id }) { deletedWebhookId userErrors { code } } }";
    let deleted = server.query(delete, json!({ "id": id })).await["deleteWebhook"].clone();
    assert_eq!(deleted, json!({ "deletedWebhookId": id, "userErrors": [] }));
    assert_eq!(server.query(delete, json!({ "id": id })).await["deleteWebhook"]["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(webhook(&server, &id).await, Value::Null);
    server.stop().await;

    let mut server = world.server_with(&[LOCAL[0], LOCAL[1], ("TOYGRES_ACCESS", "tokens")]).await;
    let url = world.database.url();
    for role in ["viewer", "operator", "admin"] {
        let mut command = world.home.command(&["token", "create", "--local", "--name", role, "--role", role]);
        let output = command.env("DATABASE_URL", &url).output().await.unwrap();
        server.bearer = Some(String::from_utf8(output.stdout).unwrap().trim().to_owned());
        let listed = server.request("{ webhooks { nodes { id } } }", json!({})).await;
        let made = server.request("mutation { createWebhook(input: { url: \"https://a.example\" }) { webhook { id } } }", json!({})).await;
        let denied = |answer: &Value| answer["errors"][0]["extensions"]["code"] == "FORBIDDEN";
        assert_eq!((denied(&listed), denied(&made)), (role != "admin", role != "admin"), "{role}: {listed:#} {made:#}");
    }
    server.stop().await;
}
