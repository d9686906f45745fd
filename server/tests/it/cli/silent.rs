//! Servers that accept connections and then do not answer, such as one that hangs, or one of another protocol.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::commands::{CommandOutput, finish};
use crate::support::Home;

/// Starts a server that answers the first bytes of each connection with `answer`, and then is silent. Returns its address.
async fn silent(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut answer = answer;
            tokio::spawn(async move {
                while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
                    stream.write_all(std::mem::take(&mut answer).as_bytes()).await.unwrap();
                }
            });
        }
    });
    address
}

async fn run(url: &str, arguments: &[&str]) -> CommandOutput {
    let home = Home::new();
    let mut command = home.command(arguments);
    command.env("TOYGRES_URL", url);
    let started = Instant::now();
    let output = finish(command).await;
    assert!(started.elapsed() < Duration::from_secs(30), "{arguments:?}: {output:#?}");
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_does_not_wait_for_ever() {
    let nothing = silent("").await;
    let head = silent("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{").await;
    let cases = [
        (format!("http://{nothing}"), "has not begun to answer within 1s"),
        (format!("http://{head}"), "has not finished its answer within 1s"),
        (format!("https://{nothing}"), "no connection within 1s"),
    ];
    for (url, why) in cases {
        for arguments in [&["instances", "list"][..], &["instances", "get", "x"], &["operations", "cancel", "x"], &["token", "list"]] {
            let output = run(&url, &[arguments, &["--request-timeout", "1s"]].concat()).await;
            assert_eq!(output.code, 3, "{arguments:?}: {output:#?}");
            assert!(output.err.contains(&url) && output.err.contains(why) && output.err.contains("--url"), "{arguments:?}: {output:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_holds_for_all_that_a_command_does() {
    let url = format!("http://{}", silent("").await);
    for arguments in [&["operations", "watch", "x"][..], &["instances", "watch", "x"], &["instances", "watch"]] {
        let output = run(&url, &[arguments, &["--timeout", "1s"]].concat()).await;
        assert_eq!(output.code, 124, "{arguments:?}: {output:#?}");
        assert!(output.err.contains("the timeout expired"), "{arguments:?}: {output:#?}");
    }
}
