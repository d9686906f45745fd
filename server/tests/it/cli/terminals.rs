//! Commands in a terminal.

use super::{
    commands::{json, succeed},
    terminal::Terminal,
};
use crate::support::{Home, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn tables_and_steps_are_drawn_in_place() {
    let home = Home::new();
    let server = home.start().await;
    let address = server.address.clone();
    let mut watch = Terminal::open(&home, &server, &["instances", "watch"]);
    watch.shows("NAME  STATE").await;

    let mut create = Terminal::open(&home, &server, &["instances", "create", "orders", "--wait"]);
    create.shows("create orders: ").await;
    assert_eq!(create.code().await, 0);
    assert!(create.seen.contains("✓ save metadata") && create.seen.contains("\x1b["), "{}", create.seen);
    watch.shows("orders  running").await;
    assert!(watch.seen.contains("A") && watch.seen.contains("\x1b[J"), "the table is redrawn in place: {:?}", watch.seen);

    // The table shows that the connection is lost, and continues when the server is back.
    server.stop().await;
    watch.shows("(connection lost").await;
    let mut server = home.spawn_at(&address, &[]).await;
    server.ready().await;
    succeed(&home, &server, &["instances", "update", "orders", "--label", "a=b"]).await;

    let mut follow = Terminal::open(&home, &server, &["operations", "watch", "orders"]);
    follow.shows("create orders: succeeded").await;
    assert_eq!(follow.code().await, 0);

    let mut restart = Terminal::open(&home, &server, &["instances", "restart", "orders", "--wait"]);
    restart.shows("restart orders: ").await;
    restart.shows("✓ restart PostgreSQL").await;
    assert_eq!(restart.code().await, 0);
    assert!(restart.seen.contains("\x1b[J") && restart.seen.contains("orders  running"), "{:?}", restart.seen);

    let mut kept = Terminal::open(&home, &server, &["instances", "delete", "orders"]);
    kept.shows("Delete the instance orders (its data is lost; it has no backups)? [y/N]").await;
    kept.press("n\r").await;
    kept.shows("aborted").await;
    assert_eq!(kept.code().await, 2);
    let mut delete = Terminal::open(&home, &server, &["instances", "delete", "orders"]);
    delete.shows("[y/N]").await;
    delete.press("y\r").await;
    delete.shows("operations watch delete-").await;
    assert_eq!(delete.code().await, 0);
    eventually("it is gone", async || json(&home, &server, &["instances", "list"]).await == serde_json::json!([])).await;
    watch.press("\x03").await;
    assert_eq!(watch.code().await, 130);
    server.stop().await;
}

/// Commands that do not redraw print text and tables.
#[tokio::test(flavor = "multi_thread")]
async fn every_other_command_works_in_a_terminal() {
    let home = Home::new();
    let server = home.start().await;
    succeed(&home, &server, &["instances", "create", "orders", "--wait"]).await;
    let cases: &[(&[&str], &str, i32)] = &[
        (&["instances", "list"], "orders  running", 0),
        (&["instances", "get", "orders"], "Last operation: create orders: succeeded", 0),
        (&["instances", "get", "orders", "--connection-string"], "postgresql://app:", 0),
        (&["instances", "update", "orders", "--label", "team=shop"], "orders", 0),
        (&["instances", "connect", "orders", "--", "-XAt", "-P", "pager=off", "-c", "'SELECT 41 + 1'"], "42", 0),
        (&["instances", "get", "unknown"], "toygres instances list", 4),
        (&["instances", "restart", "orders", "--timeout", "0"], "--timeout", 2),
        (&["operations", "list"], "create", 0),
        (&["operations", "get", "orders"], "create orders: succeeded", 0),
        (&["operations", "cancel", "orders"], "finished", 6),
        (&["operations", "retry", "orders"], "only a failed or cancelled operation", 6),
        (&["token", "create", "--name", "ci", "--role", "viewer"], "toygres_", 0),
        (&["token", "list"], "viewer", 0),
        (&["token", "revoke", "unknown"], "toygres token list", 4),
        (&["schema"], "type Query", 0),
        (&["completion", "bash"], "complete", 0),
        (&["--help"], "instances", 0),
    ];
    for (arguments, text, code) in cases {
        let mut terminal = Terminal::open(&home, &server, arguments);
        terminal.shows(text).await;
        let ended = terminal.code().await;
        assert!(ended == *code, "{arguments:?} ended with {ended}: {}", terminal.seen);
    }
    server.stop().await;
}
