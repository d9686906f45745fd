//! Notices about what can become an outage, provoked, through the API.

use serde_json::{Value, json};
use tokio_postgres::NoTls;

use crate::{
    backups::{ON, finish, until, until_protected},
    support::{Database, Home, Server, eventually, psql, text},
};

async fn notices(server: &Server, id: &str) -> Vec<(String, String)> {
    let query = "query($id: ID!) { instance(id: $id) { notices { code message } } }";
    let found = server.query(query, json!({ "id": id })).await["instance"]["notices"].as_array().unwrap().clone();
    found.iter().map(|notice| (text(&notice["code"]), text(&notice["message"]))).collect()
}

/// The message of the notice once it is there.
async fn noticed(server: &Server, id: &str, code: &str) -> String {
    let mut message = None;
    eventually(&format!("{code} is noticed"), async || {
        message = notices(server, id).await.into_iter().find_map(|(present, message)| (present == code).then_some(message));
        message.is_some()
    })
    .await;
    message.unwrap()
}

async fn gone(server: &Server, id: &str, code: &str) {
    eventually(&format!("{code} is gone"), async || notices(server, id).await.iter().all(|(present, _)| present != code)).await;
}

/// Runs an operation to its success.
async fn run(server: &Server, field: &str, input_type: &str, input: Value) {
    let mutation = format!("mutation($input: {input_type}!) {{ {field}(input: $input) {{ operation {{ id }} userErrors {{ message }} }} }}");
    let payload = server.query(&mutation, json!({ "input": input })).await[field].clone();
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    finish(server, &text(&payload["operation"]["id"]), "SUCCEEDED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_run_out_and_parameters_that_wait_are_told() {
    let home = Home::new();
    let server = home.start_with(&[("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")]).await;
    let created = server.create(json!({ "name": "orders", "parameters": [{ "name": "max_connections", "value": "20" }] })).await;
    assert_eq!(created["userErrors"], json!([]), "{created:#}");
    let id = text(&created["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);

    let mut clients = Vec::new();
    while let Ok((client, connection)) = tokio_postgres::connect(&url, NoTls).await {
        tokio::spawn(connection);
        clients.push(client);
    }
    assert!((5..20).contains(&clients.len()), "{} clients: the platform keeps some of the connections", clients.len());
    // What is asked about once a minute is asked at once of a volume with another size.
    run(&server, "resizeInstance", "ResizeInstanceInput", json!({ "id": id, "storageGb": 11 })).await;
    let message = noticed(&server, &id, "CONNECTIONS_HIGH").await;
    assert!(message.contains(&format!("of the {} connections", clients.len())), "{message}");
    let now = server.until_healthy(&id).await;
    assert_eq!(now["health"], "HEALTHY", "it is no outage");
    clients.truncate(1);
    run(&server, "resizeInstance", "ResizeInstanceInput", json!({ "id": id, "storageGb": 12 })).await;
    gone(&server, &id, "CONNECTIONS_HIGH").await;

    let parameters = json!([{ "name": "max_connections", "value": "30" }]);
    run(&server, "setParameters", "SetParametersInput", json!({ "id": id, "parameters": parameters, "allowRestart": false })).await;
    let message = noticed(&server, &id, "PENDING_RESTART").await;
    assert!(message.ends_with("max_connections"), "{message}");
    run(&server, "restartInstance", "RestartInstanceInput", json!({ "id": id })).await;
    gone(&server, &id, "PENDING_RESTART").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_not_backed_up_is_told() {
    let (home, database) = (Home::new(), Database::start());
    let metadata = database.url();
    let server = home.start_with(&[ON, ("DATABASE_URL", metadata.as_str())]).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    until_protected(&server, &id).await;
    // The archive is away, as a disk that is not mounted.
    let (archive, away) = (home.path().join("data-backups").join(&id), home.path().join("away"));
    std::fs::rename(&archive, &away).unwrap();
    std::fs::write(&archive, "not a directory").unwrap();
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 10000) AS n").await.unwrap();
    until(&server, &id, "failing", |now| now["backupPolicy"]["protection"] == "FAILING").await;
    assert_eq!(notices(&server, &id).await, [], "not at once");
    psql(&metadata, "UPDATE toygres.archives SET failing_since = failing_since - interval '15 minutes'").await.unwrap();
    let message = noticed(&server, &id, "NOT_BACKED_UP").await;
    assert!(message.contains("has not been archived since"), "{message}");
    std::fs::remove_file(&archive).unwrap();
    std::fs::rename(&away, &archive).unwrap();
    gone(&server, &id, "NOT_BACKED_UP").await;
    server.kill().await;
}
