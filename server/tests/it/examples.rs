//! Runs the examples in `scripts/examples`.

use std::{path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
    time::timeout,
};

use crate::support::{Home, TIMEOUT, seq};

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_outlives_a_restart() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join("target/tools/python/venv/bin/python");
    assert!(python.exists(), "the Python client is not generated: run scripts/generate, or scripts/test, which does it");
    let mut command = Command::new(python);
    command.arg(root.join("scripts/examples/python/lifecycle.py"));
    outlives_a_restart(command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rust_client_outlives_a_restart() {
    // Beside the directory of this test, which is `deps`.
    let example = std::env::current_exe().unwrap().parent().unwrap().with_file_name("examples").join("lifecycle");
    assert!(example.exists(), "{} is built with the tests of the whole workspace", example.display());
    outlives_a_restart(Command::new(example)).await;
}

/// A client that creates an instance, waits for a line, and deletes it.
async fn outlives_a_restart(mut command: Command) {
    let home = Home::new();
    let server = home.start().await;
    let address = server.address.clone();
    command.args([&format!("http://{address}"), "orders"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut keys = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    let mut read_until = async |wanted: &str| loop {
        let line = timeout(TIMEOUT, lines.next_line()).await.expect("a line comes in time").unwrap();
        let line = line.unwrap_or_else(|| panic!("it ended without {wanted}: {seen:#?}"));
        seen.push(line);
        if seen.last().unwrap().contains(wanted) {
            return seen.clone();
        }
    };
    let before = read_until("Press Enter").await;
    assert!(before.iter().any(|line| line.contains("SUCCEEDED after 4 steps")), "{before:#?}");
    assert!(before.iter().any(|line| line.starts_with("health HEALTHY: ")), "{before:#?}");

    server.stop().await;
    let mut server = home.spawn_at(&address, &[]).await;
    server.ready().await;
    keys.write_all(b"\n").await.unwrap();
    let all = read_until("STATE_CHANGED DELETED").await;
    let cursors: Vec<i64> = all.iter().filter_map(|line| line.strip_prefix("event ")?.split(' ').next().map(seq)).collect();
    assert!(cursors.len() > 10 && cursors.is_sorted_by(|a, b| a < b), "each event once and in order: {all:#?}");
    let status = timeout(TIMEOUT, child.wait()).await.expect("it ends in time").unwrap();
    assert!(status.success(), "{all:#?}");
    server.stop().await;
}
