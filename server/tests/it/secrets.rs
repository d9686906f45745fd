//! Passwords: they never appear unencrypted, and are resealed when the key is replaced.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    database_users::succeeded,
    rotate_password::rotated,
    support::{Database, Home, dump, text},
};

/// Needs percent-encoding in a URL, so that both forms are searched for.
const PASSWORD: &str = "S3cret/of the+tenants?";
/// Another one, which replaces it.
const ROTATED: &str = "R0tated/for the+tenants?";
/// That of another user.
const OF_A_USER: &str = "Us3r/of the+tenants?";
/// Rejected because it is too long, but only after it has passed through the server.
const REJECTED: &str = "Rejected-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789";

#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_found_anywhere() {
    let (home, database) = (Home::new(), Database::start());
    let url = database.url();
    let server = home.start_with(&[("DATABASE_URL", &url), ("TOYGRES_LOG", "trace,duroxide=trace,sqlx=trace")]).await;
    // Short-lived programs have arguments and an environment too.
    let watching = Arc::new(());
    let watch = tokio::task::spawn_blocking({
        // The search ends with the test, also if the test fails.
        let watching = Arc::downgrade(&watching);
        move || {
            let mut seen = BTreeSet::new();
            while watching.strong_count() > 0 {
                seen.extend(arguments_and_environments());
                std::thread::sleep(Duration::from_millis(5));
            }
            seen
        }
    });

    let refused = server.create(json!({ "name": "refused", "password": REJECTED })).await;
    assert_eq!(refused["userErrors"][0]["field"], json!(["password"]), "{refused}");
    let checked = json!({ "intervalSeconds": 5 });
    let chosen = text(
        &server.create(json!({ "name": "chosen", "password": PASSWORD, "idempotencyKey": "k", "healthCheck": checked })).await["instance"]["id"],
    );
    let conflict = server.create(json!({ "name": "chosen", "password": "another password", "idempotencyKey": "k" })).await;
    assert_eq!(conflict["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH", "{conflict}");
    let generated = server.create_ok("generated").await;
    server.until_healthy(&chosen).await;
    let now = server.until_healthy(&generated).await;
    let connection_string = text(&now["connectionString"]);
    let generated_password = connection_string.split([':', '@']).nth(2).unwrap().to_owned();
    assert_eq!(generated_password.len(), 32, "{connection_string}");

    // If the tenant changes the password, that is a notice, and the stored one is in no answer any more.
    let own = text(&server.instance(&chosen).await["connectionString"]);
    // Not with psql, because its arguments would be found.
    let (tenant, connection) = tokio_postgres::connect(&own, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut live = server
        .subscribe(
            "subscription($id: ID!) { instance(id: $id) { health reason { code message } notices { code message since } connectionString } }",
            json!({ "id": chosen }),
        )
        .await;
    let mut notices = Vec::new();
    for (password, is_changed) in [("'changed'".to_owned(), true), (format!("'{PASSWORD}'"), false)] {
        tenant.batch_execute(&format!("ALTER ROLE app PASSWORD {password}")).await.unwrap();
        loop {
            let now = live.next().await.unwrap()["data"]["instance"].clone();
            assert_eq!((&now["health"], &now["reason"]), (&json!("HEALTHY"), &Value::Null), "it is no outage");
            if (now["notices"][0]["code"] == "PASSWORD_CHANGED") == is_changed {
                // Clients ask for the password when it is left out.
                assert_eq!(now["connectionString"] == own, !is_changed, "{now}");
                assert!(text(&now["connectionString"]).contains("@127.0.0.1:"), "{now}");
                notices.push(now["notices"].clone());
                break;
            }
        }
    }
    drop(tenant);
    connection.await.unwrap().unwrap();
    let rotation = rotated(&server, json!({ "id": chosen, "password": ROTATED, "idempotencyKey": "k" })).await;
    assert_eq!(rotation["status"], "SUCCEEDED", "{rotation:#}");
    let user = json!({ "instanceId": chosen, "name": "reports", "access": "READ_ONLY", "password": OF_A_USER, "idempotencyKey": "k" });
    succeeded(&server, "createDatabaseUser", user).await;
    let everything = server
        .query("{ instances(first: 5) { nodes { reason { message } events(first: 50) { nodes { reason { message } from to } } operations(first: 5) { nodes { steps { error { message } } } } } } }", json!({}))
        .await;
    let stopped = server.log_path().to_owned();
    let dumped = dump(&url).await;
    server.stop().await;
    drop(watching);
    let processes = watch.await.unwrap();
    assert!(processes.iter().any(|process| process.contains("initdb")), "programs that live for a moment are seen");

    let log = std::fs::read_to_string(stopped).unwrap();
    assert!(log.contains("TRACE") && log.contains("duroxide"), "the log says everything");
    assert!(dumped.contains("duroxide") && dumped.contains(&chosen), "the dump is whole");
    let places = [
        ("the database", dumped),
        ("the log", log),
        ("events, steps and reasons", everything.to_string()),
        ("notices", json!(notices).to_string()),
        ("a rotation", rotation.to_string()),
        ("arguments and environments", processes.into_iter().collect()),
    ];
    for password in [PASSWORD, ROTATED, OF_A_USER, REJECTED, &generated_password] {
        for spelling in spellings(password) {
            for (place, content) in &places {
                let found = content.find(&spelling).map(|at| content[at.saturating_sub(200)..].chars().take(400).collect::<String>());
                assert_eq!(found, None, "{place} shows a password");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_while_servers_run() {
    let (home, database) = (Home::new(), Database::start());
    let url = database.url();
    let [old, new] = [1, 2].map(|byte| BASE64_STANDARD.encode([byte; 32]));
    let keys = |keys: &str| vec![("DATABASE_URL".to_owned(), url.clone()), ("TOYGRES_SECRET_KEY".to_owned(), keys.to_owned())];
    let start = async |of: &str| {
        let env = keys(of);
        home.start_with(&env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>()).await
    };
    let server = start(&old).await;
    let first = text(&server.create(json!({ "name": "first", "idempotencyKey": "first" })).await["instance"]["id"]);
    let before = server.until_healthy(&first).await;
    server.stop().await;

    // A server with only another key cannot open the passwords, and reports this at the start.
    let mut lost = home.command(&["serve", "--listen", &Home::free_address()]);
    let lost = lost.envs(keys(&new)).output().await.unwrap();
    let sentence = String::from_utf8_lossy(&lost.stderr);
    assert!(
        !lost.status.success() && sentence.contains("TOYGRES_SECRET_KEY") && sentence.contains("is not the one it was sealed with"),
        "{sentence}"
    );

    let server = start(&format!("{new},{old}")).await;
    let second = server.create_ok("second").await;
    server.until_healthy(&second).await;
    let rotate = async |of: &str| {
        let output = home.command(&["secrets", "rotate"]).envs(keys(of)).output().await.unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    };
    let (good, said) = rotate(&new).await;
    assert!(!good && said.contains("is not the one it was sealed with"), "without the old key nothing can be opened: {said}");
    let (good, said) = rotate(&format!("{new},{old}")).await;
    assert!(good && said.contains("5 secrets sealed with the first key now, 4 were before"), "{said}");
    let (good, said) = rotate(&format!("{new},{old}")).await;
    assert!(good && said.contains("0 secrets sealed with the first key now, 9 were before"), "{said}");
    let again = server.create(json!({ "name": "first", "idempotencyKey": "first" })).await;
    assert_eq!(again["instance"]["id"], json!(first), "the answer to an idempotency key outlives the change: {again}");
    server.stop().await;

    let server = start(&new).await;
    assert_eq!(server.until_healthy(&first).await["connectionString"], before["connectionString"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_the_data_directory_is_replaced() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("first").await;
    let before = server.until_healthy(&id).await;
    let rotate = async || {
        let output = home.command(&["secrets", "rotate"]).output().await.unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    };
    let (good, said) = rotate().await;
    assert!(!good && said.contains("stop it"), "{said}");
    server.stop().await;

    let key = || std::fs::read_to_string(home.path().join("data/secret.key")).unwrap();
    let old = key();
    let (good, said) = rotate().await;
    assert!(good && said.contains("5 secrets sealed with the first key now"), "{said}");
    let both = key();
    assert!(both.ends_with(&old) && both.lines().count() == 2, "the new key is in front");
    // All passwords can be opened without the old key.
    std::fs::write(home.path().join("data/secret.key"), both.lines().next().unwrap()).unwrap();
    let server = home.start().await;
    assert_eq!(server.until_healthy(&id).await["connectionString"], before["connectionString"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_missed_and_not_replaced() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("first").await;
    server.until_healthy(&id).await;
    server.stop().await;
    let (key, elsewhere) = (home.path().join("data/secret.key"), home.path().join("backup"));
    std::fs::rename(&key, &elsewhere).unwrap();
    for _ in 0..2 {
        let refused = home.command(&["serve", "--listen", &Home::free_address()]).output().await.unwrap();
        let sentence = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && sentence.contains("secret.key is missing, so put it back"), "{sentence}");
        assert!(!key.exists(), "no other key is in its place");
    }
    std::fs::rename(&elsewhere, &key).unwrap();
    let server = home.start().await;
    server.until_healthy(&id).await;
    server.stop().await;
}

/// The forms in which a password could be leaked.
fn spellings(password: &str) -> Vec<String> {
    let percent: String = password
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let hex = password.bytes().map(|byte| format!("{byte:02x}")).collect();
    let debug = format!("{:?}", password.as_bytes());
    vec![password.to_owned(), percent, BASE64_STANDARD.encode(password), hex, debug[1..debug.len() - 1].to_owned()]
}

fn arguments_and_environments() -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(|c: char| c.is_ascii_digit())) {
            for file in ["cmdline", "environ"] {
                let bytes = std::fs::read(entry.path().join(file)).unwrap_or_default();
                found.push(String::from_utf8_lossy(&bytes).replace('\0', " "));
            }
        }
    }
    found
}
