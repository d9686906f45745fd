//! Tokens and contexts.

use std::{os::unix::fs::PermissionsExt as _, process::Stdio};

use serde_json::json as value;
use tokio::io::AsyncWriteExt as _;

use super::commands::{command, finish, json, run, succeed};
use crate::support::Home;

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_required_and_contexts_keep_them() {
    let home = Home::new();
    let mut server = home.start_with(&[("TOYGRES_ACCESS", "tokens")]).await;
    for arguments in [&["instances", "list"][..], &["instances", "watch"]] {
        let missing = run(&home, &server, arguments).await;
        assert_eq!(missing.code, 5, "{missing:#?}");
        assert!(missing.err.contains("TOYGRES_TOKEN") && missing.err.contains("toygres token create --local"), "{missing:#?}");
        server.bearer = Some("toygres_wrong".to_owned());
        let wrong = run(&home, &server, arguments).await;
        assert_eq!(wrong.code, 5, "{wrong:#?}");
        assert!(wrong.err.contains("rejected the token") && !wrong.err.contains("toygres_wrong"), "{wrong:#?}");
        server.bearer = None;
    }

    // --local creates the first token on the server's machine, even though the environment selects a server.
    let admin = succeed(&home, &server, &["token", "create", "--local", "--name", "first", "--role", "admin"]).await.trim().to_owned();
    server.bearer = Some(admin.clone());
    let made = run(&home, &server, &["token", "create", "--name", "dashboard", "--expires-in-days", "7"]).await;
    let viewer = made.out.trim().to_owned();
    assert!(made.code == 0 && viewer.starts_with("toygres_") && made.err.contains("dashboard, viewer"), "{made:#?}");
    assert_eq!(run(&home, &server, &["token", "create", "--name", " ", "--expires-in-days", "0"]).await.code, 2);
    let tokens = json(&home, &server, &["token", "list"]).await;
    assert_eq!(tokens.as_array().unwrap().iter().map(|token| token["name"].clone()).collect::<Vec<_>>(), [value!("dashboard"), value!("first")]);
    assert!(!tokens.to_string().contains(&viewer));

    server.bearer = Some(viewer);
    succeed(&home, &server, &["instances", "list"]).await;
    for arguments in [&["instances", "create", "x"][..], &["token", "list"]] {
        let denied = run(&home, &server, arguments).await;
        assert_eq!(denied.code, 5, "{denied:#?}");
    }

    server.bearer = Some(admin.clone());
    succeed(&home, &server, &["instances", "create", "orders", "--wait"]).await;
    assert!(succeed(&home, &server, &["token", "revoke", "dashboard"]).await.starts_with("revoked token "));
    let table = succeed(&home, &server, &["token", "list"]).await;
    assert!(table.lines().any(|line| line.contains("dashboard") && line.contains("revoked")), "{table}");

    // A context contains the server and the token. Only its owner can read it.
    let mut set = command(&home, &server, &["context", "set", "here", "--url", &format!("http://{}", server.address), "--token-file", "-"]);
    let mut set = set.stdin(Stdio::piped()).spawn().unwrap();
    set.stdin.take().unwrap().write_all(format!("{admin}\n").as_bytes()).await.unwrap();
    assert!(set.wait().await.unwrap().success());
    let file = home.path().join("config/toygres/config.yaml");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let listed = finish(home.command(&["instances", "list"])).await;
    assert!(listed.code == 0 && listed.out.contains("orders"), "the first context is the current one: {listed:#?}");
    let contexts = finish(home.command(&["context", "list"])).await.out;
    assert!(contexts.contains("*  here") && !contexts.contains(&admin), "{contexts}");
    finish(home.command(&["context", "set", "other", "--url", "http://127.0.0.1:1"])).await;
    assert_eq!(finish(home.command(&["context", "use", "other"])).await.code, 0);
    assert_eq!(finish(home.command(&["instances", "list"])).await.code, 3);
    assert_eq!(finish(home.command(&["instances", "list", "--context", "here"])).await.code, 0);
    // The token of a context is only sent to the server of that context.
    let url = format!("http://{}", server.address);
    assert_eq!(finish(home.command(&["instances", "list", "--url", &url])).await.code, 5);
    assert_eq!(finish(home.command(&["context", "remove", "other"])).await.code, 0);
    server.stop().await;
}
