//! Waiting for an operation that is interrupted: by a timeout, by Ctrl-C, or by a restart of the server.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json as value;

use super::{
    background::Background,
    commands::{command, json, run},
    initdb_gate::InitdbGate,
    terminal::Terminal,
};
use crate::support::Home;

#[tokio::test(flavor = "multi_thread")]
async fn the_operation_continues_after_a_timeout_and_ctrl_c() {
    let home = Home::new();
    let gate = InitdbGate::new(&home);
    let server = gate.start_closed(&home).await;

    let output = run(&home, &server, &["instances", "create", "slow", "--wait", "--wait-timeout", "1s"]).await;
    assert_eq!((output.code, output.out.as_str()), (124, ""), "{output:#?}");
    assert!(output.err.contains("the operation continues: follow it with `toygres operations watch create-"), "{output:#?}");

    let mut waiting = Background::start(command(&home, &server, &["operations", "watch", "slow"]));
    assert_eq!(waiting.line().await["kind"], "CREATE");
    kill(Pid::from_raw(waiting.child.id().unwrap().try_into().unwrap()), Signal::SIGINT).unwrap();
    let again = waiting.until("interrupted; the operation continues").await;
    assert_eq!(waiting.code().await, 130);

    let mut terminal = Terminal::open(&home, &server, &["instances", "create", "slower", "--wait"]);
    terminal.shows("› deploy PostgreSQL").await;
    terminal.press("\x03").await;
    terminal.shows("follow it with `toygres operations watch create-").await;
    assert_eq!(terminal.code().await, 130);

    // The command that the message suggests works.
    let arguments: Vec<_> = again.split('`').nth(1).unwrap().split(' ').skip(1).collect();
    let mut following = Background::start(command(&home, &server, &arguments));
    following.line().await;
    gate.open();
    while following.line().await["status"] != "SUCCEEDED" {}
    assert_eq!(following.code().await, 0);
    run(&home, &server, &["operations", "watch", "slower"]).await;
    for name in ["slow", "slower"] {
        assert_eq!(json(&home, &server, &["instances", "get", name]).await["state"], "RUNNING");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_continues_after_a_restart_of_the_server() {
    let home = Home::new();
    let gate = InitdbGate::new(&home);
    let server = gate.start_closed(&home).await;
    let address = server.address.clone();
    let mut waiting = Background::start(command(&home, &server, &["instances", "create", "orders", "--wait", "-o", "json"]));
    waiting.until("deploy PostgreSQL running").await;
    server.kill().await;
    waiting.until("connection lost").await;
    let mut server = home.spawn_at(&address, &gate.environment()).await;
    server.ready().await;
    waiting.until("reconnected").await;
    gate.open();
    waiting.until("create orders: succeeded").await;
    assert_eq!(waiting.code().await, 0);

    // Exit code 1 if the operation is cancelled; it can be retried.
    gate.close();
    let mut waiting = Background::start(command(&home, &server, &["instances", "create", "second", "--wait"]));
    waiting.until("deploy PostgreSQL running").await;
    let cancelled = json(&home, &server, &["operations", "cancel", "second"]).await;
    assert_eq!(cancelled["cancelRequested"], value!(true));
    gate.open();
    waiting.until("toygres operations retry").await;
    assert_eq!(waiting.code().await, 1);
    let retried = json(&home, &server, &["operations", "retry", "second", "--wait"]).await;
    assert_eq!(retried["status"], "SUCCEEDED");
    server.stop().await;
}
