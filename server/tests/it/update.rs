//! Updates to another minor version, on local processes and in a cluster.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use toygres_k8s::build::names;
use toygres_store::testing::PodServer;

use crate::{
    cli::commands::{run, succeed},
    kubernetes::{Platform, repairs},
    notices::{gone, noticed},
    support::{Home, Server, eventually, psql, text},
};

const UPGRADE: &str = "mutation($input: UpgradeInstanceInput!) { upgradeInstance(input: $input) {
    operation { id } userErrors { code field message } } }";

async fn available(server: &Server, id: &str) -> Value {
    let query = "query($id: ID!) { instance(id: $id) { updateAvailable { from to } } }";
    server.query(query, json!({ "id": id })).await["instance"]["updateAvailable"].clone()
}

async fn request(server: &Server, id: &str, version: &str, check_only: bool) -> Value {
    server.query(UPGRADE, json!({ "input": { "id": id, "version": version, "checkOnly": check_only } })).await["upgradeInstance"].clone()
}

/// Applies the update, and returns the steps that were not skipped.
async fn updated(server: &Server, id: &str, version: &str) -> Vec<String> {
    let accepted = request(server, id, version, false).await;
    assert_eq!(accepted["userErrors"], json!([]), "{accepted:#}");
    let query = "query($id: ID!) { operation(id: $id) { status error { message } steps { name status } } }";
    let operation = async || server.query(query, json!({ "id": accepted["operation"]["id"] })).await["operation"].clone();
    eventually("the update ends", async || !["PENDING", "RUNNING"].contains(&text(&operation().await["status"]).as_str())).await;
    let ended = operation().await;
    assert_eq!(ended["status"], "SUCCEEDED", "{ended:#}");
    let steps = ended["steps"].as_array().unwrap().iter().filter(|step| step["status"] == "SUCCEEDED");
    steps.map(|step| text(&step["name"])).collect()
}

/// Fills a table, of which [`CHECKSUM`] tells whether it is the same.
const FILL: &str = "CREATE TABLE t AS SELECT i, md5(i::text) AS word FROM generate_series(1, 20000) AS i";
const CHECKSUM: &str = "SELECT count(*) || ' ' || md5(string_agg(word, '' ORDER BY i)) FROM t";

const STEPS: [&str; 5] = ["CHECK_UPGRADE", "UPGRADE_POSTGRES", "GET_INSTANCE_STATUS", "GENERATE_CONNECTION_STRING", "UPDATE_METADATA"];

/// Makes the link at `place` lead to the programs in `bin`, as the update of a package does.
fn install(place: &Path, bin: &Path) {
    let next = place.with_extension("next");
    std::os::unix::fs::symlink(bin, &next).unwrap();
    std::fs::rename(next, place).unwrap();
}

/// Two installations of one major version, the older one first: those that the tests have of 18.
fn installations() -> [(String, PathBuf); 2] {
    let place = std::env::var("TOYGRES_TEST_POSTGRES").expect("TOYGRES_TEST_POSTGRES is set: run scripts/install-test-postgres");
    let complete = PodServer::complete_installations().into_iter().max_by_key(|(version, _)| *version).unwrap().1;
    let mut found = [Path::new(&place).join("18/bin"), complete].map(|bin| {
        let output = std::process::Command::new(bin.join("postgres")).arg("--version").output().unwrap();
        (String::from_utf8(output.stdout).unwrap().split_whitespace().nth(2).unwrap().to_owned(), bin)
    });
    found.sort_by_key(|(version, _)| version.split('.').map(|part| part.parse::<u32>().unwrap()).collect::<Vec<_>>());
    assert!(found[0].0 < found[1].0, "they differ: {found:?}");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_minor_version_that_was_installed_is_available_and_applied() {
    let [(from, former), (to, newer)] = installations();
    let home = Home::new();
    let place = home.path().join("postgresql");
    install(&place, &former);
    let server = home.start_with(&[("TOYGRES_PG_BIN", place.to_str().unwrap())]).await;
    let payload = server.create(json!({ "name": "orders", "postgresVersion": "18" })).await;
    let id = text(&payload["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, FILL).await.unwrap();
    let sum = psql(&url, CHECKSUM).await.unwrap();
    assert_eq!(psql(&url, "SHOW server_version").await.as_deref(), Ok(from.as_str()));
    let refused = request(&server, &id, "18", false).await["userErrors"][0].clone();
    assert!(refused["code"] == "INVALID" && text(&refused["message"]).contains("has no update of it"), "{refused:#}");
    // One that is suspended meanwhile has it when it is resumed, and says so.
    let payload = server.create(json!({ "name": "idle", "postgresVersion": "18" })).await;
    let idle = text(&payload["instance"]["id"]);
    server.until_healthy(&idle).await;
    server.query("mutation($id: ID!) { suspendInstance(input: { id: $id }) { userErrors { message } } }", json!({ "id": idle })).await;
    server.until(&idle, "suspended", |now| now["state"] == "SUSPENDED").await;

    install(&place, &newer);
    eventually("the update is found", async || available(&server, &id).await == json!({ "from": from, "to": to })).await;
    assert_eq!(psql(&url, "SHOW server_version").await.as_deref(), Ok(from.as_str()), "nothing is restarted by itself");
    let shown = succeed(&home, &server, &["instances", "get", "orders"]).await;
    assert!(shown.contains(&format!("{from} runs, and {to} is available")), "{shown}");
    let message = noticed(&server, &id, "UPDATE_AVAILABLE").await;
    assert!(message.starts_with(&format!("the server runs {from}, and {to} is available: ")) && message.contains("upgradeInstance"), "{message}");
    let refused = run(&home, &server, &["instances", "upgrade", "orders", "--to", "18", "--check-only"]).await;
    assert!(refused.code != 0 && refused.err.contains("--check-only: is for another major version"), "{refused:#?}");

    assert_eq!(updated(&server, &id, "18").await, STEPS);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    assert_eq!(psql(&url, "SHOW server_version").await.as_deref(), Ok(to.as_str()));
    assert_eq!(psql(&url, CHECKSUM).await.unwrap(), sum, "the data is the same");
    assert_eq!(available(&server, &id).await, Value::Null);
    gone(&server, &id, "UPDATE_AVAILABLE").await;

    let refused = request(&server, &idle, "18", false).await["userErrors"][0].clone();
    assert!(refused["code"] == "CONFLICT" && text(&refused["message"]).contains("resume it first"), "{refused:#}");
    server.query("mutation($id: ID!) { resumeInstance(input: { id: $id }) { userErrors { message } } }", json!({ "id": idle })).await;
    let url = text(&server.until_healthy(&idle).await["connectionString"]);
    assert_eq!(psql(&url, "SHOW server_version").await.as_deref(), Ok(to.as_str()));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_image_is_available_and_applied() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    let instance = server.query("query($id: ID!) { instance(id: $id) { postgresVersion } }", json!({ "id": id })).await["instance"].clone();
    let version = text(&instance["postgresVersion"]);
    psql(&url, FILL).await.unwrap();
    let sum = psql(&url, CHECKSUM).await.unwrap();
    assert_eq!(available(&server, &id).await, Value::Null);
    server.stop().await;

    let digest = format!("sha256:{}", "ab".repeat(32));
    let server = platform.start_with(&[("TOYGRES_IMAGE_DIGESTS", &format!("{version}={digest}"))]).await;
    let pod = || platform.cluster.object("pods", &names::pod(id.parse().unwrap())).unwrap();
    let (uid, image) = (pod()["metadata"]["uid"].clone(), text(&pod()["spec"]["containers"][0]["image"]));
    let wanted = format!("{image}@{digest}");
    eventually("the update is found", async || available(&server, &id).await == json!({ "from": image, "to": wanted })).await;
    assert_eq!((&pod()["metadata"]["uid"], repairs(&server, &id).await), (&uid, Vec::new()), "nothing is replaced by itself");

    assert_eq!(updated(&server, &id, &version).await, STEPS);
    server.until_healthy(&id).await;
    assert_eq!(text(&pod()["spec"]["containers"][0]["image"]), wanted);
    assert_eq!(psql(&url, CHECKSUM).await.unwrap(), sum, "the data is the same");
    assert_eq!(available(&server, &id).await, Value::Null);
    server.stop().await;
}
