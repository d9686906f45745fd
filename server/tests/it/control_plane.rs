//! The server itself: start, health, configuration, and an unavailable metadata database.

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Database, Home, TIMEOUT, connect, eventually, psql, text};

#[test]
fn the_schema_is_the_golden_one() {
    let golden = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql")).unwrap();
    assert!(toygres_server::graphql::sdl() == golden, "schema.graphql is stale: cargo run -p toygres-server -- schema > schema.graphql");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_served_on_one_address() {
    let home = Home::new();
    let server = home.start().await;
    let page = server.get("/").await;
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
    assert!(page.text().await.unwrap().contains("<html"));
    assert!(server.get("/schema.graphql").await.text().await.unwrap().contains("type Subscription"));
    for (path, body) in [("/livez", "ok\n"), ("/readyz", "ready\n")] {
        let answer = server.get(path).await;
        assert_eq!((answer.status(), answer.text().await.unwrap().as_str()), (StatusCode::OK, body));
    }
    let health: serde_json::Value = server.get("/health").await.json().await.unwrap();
    assert_eq!((&health["status"], &health["checks"]["database"]), (&json!("up"), &json!("up")), "{health:#}");
    assert_eq!(server.get("/nowhere/at.all").await.status(), StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metadata_database_that_is_away_is_waited_for() {
    let database = Database::start();
    database.halt();
    let home = Home::new();
    let mut server = home.spawn(&[("DATABASE_URL", &database.url())]).await;
    eventually("the server says what it waits for", async || server.log().contains("the metadata database does not answer")).await;
    assert_eq!(server.get("/livez").await.status(), StatusCode::OK);
    assert_eq!(server.get("/readyz").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    database.resume();
    server.ready().await;
    let id = server.create_ok("patient").await;
    server.until_healthy(&id).await;

    database.halt();
    let answer = server.request("{ instances { totalCount } }", json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer:#}");
    assert!(text(&answer["errors"][0]["message"]).contains("metadata database"), "{answer:#}");
    assert!(answer["errors"][0]["extensions"]["requestId"].is_string());
    assert_eq!(server.get("/readyz").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    database.resume();
    eventually("the server is ready again", async || server.get("/readyz").await.status() == StatusCode::OK).await;
    server.until_healthy(&id).await;
    let second = server.create_ok("after-the-storm").await;
    server.until_healthy(&second).await;

    // As before the first migration.
    psql(&database.url(), "ALTER SCHEMA toygres RENAME TO moved").await.unwrap();
    let answer = server.request(&format!("mutation {{ restartInstance(input: {{id: \"{id}\"}}) {{ userErrors {{ message }} }} }}"), json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer:#}");
    psql(&database.url(), "ALTER SCHEMA moved RENAME TO toygres").await.unwrap();
    eventually("the server is ready again", async || server.get("/readyz").await.status() == StatusCode::OK).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_value_is_named_with_its_variable() {
    let home = Home::new();
    // The tests may have put templates there.
    let _ = std::fs::remove_dir_all(home.path().join("data"));
    let cases = [
        ("TOYGRES_LISTEN", "here", "TOYGRES_LISTEN (--listen) 'here' must be an address with a port, for example 127.0.0.1:8080."),
        ("TOYGRES_LISTEN", "0.0.0.0:8080", "TOYGRES_LISTEN must be a loopback address"),
        ("TOYGRES_RUNTIME", "docker", "TOYGRES_RUNTIME (--runtime) 'docker' must be one of: process, kubernetes."),
        ("TOYGRES_ROLE", "boss", "TOYGRES_ROLE (--role) 'boss' must be one of: all, api, worker."),
        ("DATABASE_URL", "mysql://secret@x", "DATABASE_URL (--database-url) must be a PostgreSQL URL"),
        ("TOYGRES_SECRET_KEY", "hunter2", "TOYGRES_SECRET_KEY (--secret-key) must be 32 random bytes in base64"),
        (
            "TOYGRES_OPERATION_DEADLINE_SECONDS",
            "soon",
            "TOYGRES_OPERATION_DEADLINE_SECONDS (--operation-deadline-seconds) 'soon' must be a whole number",
        ),
        ("TOYGRES_PG_BIN", "/nowhere", "TOYGRES_PG_BIN"),
        ("TOYGRES_BACKUP_STORE", "nonsense", "TOYGRES_BACKUP_STORE"),
        ("TOYGRES_LOG", "a=b=c", "TOYGRES_LOG"),
    ];
    for (variable, value, sentence) in cases {
        let output = home.command(&["serve"]).env(variable, value).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(sentence), "{variable}={value}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "one sentence, not {said}");
        assert!(!said.contains("secret@") && !said.contains("hunter2"), "a secret is not repeated: {said}");
        for left in ["data", "data-backups"] {
            assert!(!home.path().join(left).exists(), "{variable}={value} leaves {left} behind");
        }
    }
    let output = home.command(&["serve"]).env("TOYGRES_RUNTIME", "kubernetes").output().await.unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("DATABASE_URL must be set"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_is_told_how_to_join() {
    let home = Home::new();
    let server = home.start().await;
    let output = home.command(&["serve", "--listen", "127.0.0.1:0"]).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("another toygres") && said.contains("DATABASE_URL"), "{said}");

    let url = std::fs::read_to_string(home.path().join("data/metadata.url")).unwrap();
    let second = home.start_with(&[("DATABASE_URL", url.trim())]).await;
    let id = second.create_ok("shared").await;
    let (here, there) = tokio::join!(server.until_healthy(&id), second.until_healthy(&id));
    assert_eq!(here, there, "both servers deliver, and unseal the same password");
    second.stop().await;
    server.until_healthy(&id).await;
    server.stop().await;
}

/// Otherwise it would create the instances anew, empty, in its own directory.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_data_directory_does_not_take_over_instances() {
    let (database, home, other) = (Database::start(), Home::new(), Home::new());
    let (url, key) = (database.url(), "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ=");
    let env = [("DATABASE_URL", url.as_str()), ("TOYGRES_SECRET_KEY", key)];
    let server = home.start_with(&env).await;
    let id = server.create_ok("mine").await;
    server.until_healthy(&id).await;

    let refused = async |place: &str| {
        let mut serve = other.command(&["serve"]);
        let ended = tokio::time::timeout(TIMEOUT, serve.envs(env).env("TOYGRES_LISTEN", "127.0.0.1:0").output()).await;
        let refused = ended.expect("it does not start").unwrap();
        let log = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && log.contains(&format!("whose instances are in {place}")), "{log}");
    };
    refused("the data directory").await;
    // A release before this one has not recorded where they are.
    connect(&url).await.batch_execute("UPDATE toygres.runtime_host SET id = NULL, description = NULL").await.unwrap();
    refused("another data directory or namespace").await;
    // One that only answers requests may be anywhere.
    let api = other.start_with(&[env[0], env[1], ("TOYGRES_ROLE", "api")]).await;
    assert_eq!(api.instance(&id).await["name"], "mine");
    api.stop().await;

    server.stop().await;
    let replacement = other.start_with(&[env[0], env[1], ("TOYGRES_CLAIM_INSTANCES", "true")]).await;
    replacement.until(&id, "unhealthy", |instance| instance["health"] == "UNHEALTHY").await;
    replacement.delete(&id).await;
    replacement.until_deleted(&id).await;
    replacement.stop().await;
    let moved = other.start_with(&env).await;
    moved.until_healthy(&moved.create_ok("moved").await).await;
    moved.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_cannot_use_a_local_server() {
    let home = Home::new();
    let server = home.start().await;
    let http = reqwest::Client::new();
    let url = format!("http://{}/graphql", server.address);
    let body = json!({ "query": "{ __typename }" });
    let ask = |header: &'static str, value: &str| http.post(&url).header(header, value).json(&body).send();
    assert_eq!(ask("Origin", "http://evil.example").await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(ask("Host", "evil.example").await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(ask("Origin", &format!("http://{}", server.address)).await.unwrap().status(), StatusCode::OK);
    server.stop().await;
}
