//! The reference clients of the protocols, run by Node and Python.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{process::Command, time::timeout};

use super::support::{CERTIFICATE, Server, TIMEOUT};

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

#[tokio::test]
async fn every_client_over_tls() {
    let server = Server::start_with_tls().await;
    for (script, scheme) in
        [("audits.mjs", "https"), ("graphql_ws.mjs", "wss"), ("subscriptions_transport_ws.mjs", "wss"), ("graphql_sse.mjs", "https")]
    {
        let output = run(script, &[&server.url(scheme)]).await;
        assert!(output.contains(" 0 failed"), "{script}: {output}");
    }
}

#[tokio::test]
async fn python_gql_client() {
    let server = Server::start().await;
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/gql/bin/python");
    let python = std::env::var_os("GQL_PYTHON").map_or(installed, PathBuf::from);
    assert!(python.is_file(), "PyPI's gql is not installed: run scripts/test, which does it");
    let output = interpret(python, "gql_client.py", &[&server.url("ws")]).await;
    assert!(output.contains("2 subprotocols of gql passed, 0 failed"), "{output}");
}

/// Runs a script of `tests/clients` by Node.
async fn run(script: &str, arguments: &[&str]) -> String {
    assert!(
        directory().join("node_modules").is_dir(),
        "the reference clients are not installed: run `npm ci` in {}, or scripts/test, which does it",
        directory().display()
    );
    interpret(PathBuf::from("node"), script, arguments).await
}

/// Runs a script of `tests/clients`, shows what it prints and returns it.
async fn interpret(interpreter: PathBuf, script: &str, arguments: &[&str]) -> String {
    let child = Command::new(&interpreter)
        .arg(script)
        .args(arguments)
        .current_dir(directory())
        .env("NODE_EXTRA_CA_CERTS", CERTIFICATE)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(3 * TIMEOUT, child)
        .await
        .unwrap_or_else(|_| panic!("{script} did not end in time"))
        .unwrap_or_else(|error| panic!("{} cannot be run: {error}", interpreter.display()));
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("{text}");
    assert!(output.status.success(), "{script} failed:\n{text}");
    text
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}
