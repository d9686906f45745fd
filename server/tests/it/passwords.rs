//! Passwords that callers choose: every client logs in with each that is accepted, and what would not work is refused at once.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::json;
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};
use toygres_domain::secret::SecretKeys;
use toygres_store::Store;

use crate::support::{Home, TIMEOUT, connect, psql, text};

#[tokio::test(flavor = "multi_thread")]
async fn every_client_logs_in_with_every_accepted_password() {
    let home = Home::new();
    let server = home.start().await;
    let accepted = ["q\"uo'tes \\ $1 %41 @/:?#&=+", "p\u{e4}ssw\u{f6}rter", "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c} \u{5bc6}\u{7801}"];
    let mut ids = Vec::new();
    for (number, password) in accepted.iter().enumerate() {
        let payload = server.create(json!({ "name": format!("db-{number}"), "password": password })).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        ids.push(text(&payload["instance"]["id"]));
    }
    // Each of these would be accepted by PostgreSQL, but some client replaces or refuses a character of it.
    for refused in ["secret-\u{1f434}-horse", "\u{1e9e}\u{1e9e}\u{1e9e}\u{1e9e}", "e\u{fb03}cient-\u{a0}space"] {
        let payload = server.create(json!({ "name": "refused", "password": refused })).await;
        let error = &payload["userErrors"][0];
        assert_eq!((&payload["instance"], &error["code"], &error["field"]), (&json!(null), &json!("INVALID"), &json!(["password"])), "{payload:#}");
        let message = text(&error["message"]);
        assert!(message.contains("SASLprep") && message.contains("leave the password out") && message.is_ascii(), "{message}");
    }

    let mut urls = Vec::new();
    for id in &ids {
        urls.push(text(&server.until_healthy(id).await["connectionString"]));
    }
    for url in &urls {
        assert_eq!(psql(url, "SELECT 1").await.as_deref(), Ok("1"), "libpq");
        assert!(connect(url).await.simple_query("SELECT 1").await.is_ok(), "tokio-postgres");
        let sqlx = Store::open(url, 1, SecretKeys::generate()).unwrap();
        assert!(sqlx.ping().await.is_ok(), "sqlx");
        sqlx.close().await;
    }
    let count = urls.len();
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/gql/bin/python");
    let python = std::env::var_os("GQL_PYTHON").map_or(installed, PathBuf::from);
    for (interpreter, script, client) in [(PathBuf::from("node"), "pg.mjs", "pg"), (python, "psycopg_client.py", "psycopg")] {
        let output = run(interpreter, script, &urls.join("\n")).await;
        assert!(output.contains(&format!("{count} logins of {client} passed, 0 failed")), "{output}");
    }
    server.stop().await;
}

/// Runs a script of `tests/clients`, which scripts/test installs, and returns what it prints.
async fn run(interpreter: PathBuf, script: &str, input: &str) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let mut command = Command::new(&interpreter);
    command.arg(script).current_dir(directory).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{} cannot be run: {error}; scripts/test installs it", interpreter.display()));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{input}\n").as_bytes()).await.unwrap();
    drop(stdin);
    let output = timeout(TIMEOUT, child.wait_with_output()).await.expect("it ends in time").unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
