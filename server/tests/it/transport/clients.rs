//! The reference clients of the protocols, run by Node.

use std::{path::Path, process::Stdio};

use tokio::{process::Command, time::timeout};

use super::support::{PATIENCE, Server};

#[tokio::test]
async fn graphql_http_audits() {
    let server = Server::start().await;
    let output = run("audits.mjs", &[&server.url("http")]).await;
    assert!(output.contains("61 audits passed, 0 failed"), "{output}");
}

#[tokio::test]
async fn graphql_ws_client() {
    let server = Server::start().await;
    let output = run("graphql_ws.mjs", &[&server.url("ws")]).await;
    assert!(output.contains(", 0 failed"), "{output}");
}

#[tokio::test]
async fn subscriptions_transport_ws_client() {
    let server = Server::start().await;
    let output = run("subscriptions_transport_ws.mjs", &[&server.url("ws")]).await;
    assert!(output.contains(", 0 failed"), "{output}");
}

#[tokio::test]
async fn graphql_sse_client() {
    let server = Server::start().await;
    let output = run("graphql_sse.mjs", &[&server.url("http")]).await;
    assert!(output.contains(", 0 failed"), "{output}");
}

/// For clients that these tests do not install: see `tests/clients/gql_client.py`.
#[tokio::test]
#[ignore = "serves until it is killed"]
async fn serve_for_other_clients() {
    let server = Server::start().await;
    println!("{}", server.url("ws"));
    std::future::pending::<()>().await;
}

/// Runs a script of `tests/clients`, shows what it prints and returns it.
async fn run(script: &str, arguments: &[&str]) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    assert!(
        directory.join("node_modules").is_dir(),
        "the reference clients are not installed: run `npm ci` in {}, or scripts/test, which does it",
        directory.display()
    );
    let child = Command::new("node").arg(script).args(arguments).current_dir(&directory).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(3 * PATIENCE, child)
        .await
        .unwrap_or_else(|_| panic!("{script} did not end in time"))
        .unwrap_or_else(|error| panic!("node cannot be run: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("{text}");
    assert!(output.status.success(), "{script} failed:\n{text}");
    text
}
