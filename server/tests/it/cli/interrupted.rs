//! Waiting can end before the operation does: by a time-out, by Ctrl-C, or by a restart of the server.

use std::{
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json as value;

use super::support::{Running, Terminal, command, json, run};
use crate::support::{Home, Server};

#[tokio::test(flavor = "multi_thread")]
async fn the_operation_goes_on_when_nobody_waits() {
    let home = Home::new();
    let gate = Gate::new(&home);
    let server = gate.start(&home).await;
    gate.close();

    let ended = run(&home, &server, &["instances", "create", "slow", "--wait", "--timeout", "1s"]).await;
    assert_eq!((ended.code, ended.out.as_str()), (124, ""), "{ended:#?}");
    assert!(ended.err.contains("the operation goes on: follow it with `toygres operations watch create-"), "{ended:#?}");

    let mut waiting = Running::start(command(&home, &server, &["operations", "watch", "slow"]));
    assert_eq!(waiting.line().await["kind"], "CREATE");
    kill(Pid::from_raw(waiting.child.id().unwrap().try_into().unwrap()), Signal::SIGINT).unwrap();
    let again = waiting.until("interrupted; the operation goes on").await;
    assert_eq!(waiting.code().await, 130);

    let mut terminal = Terminal::open(&home, &server, &["instances", "create", "slower", "--wait"]);
    terminal.shows("› deploy postgres").await;
    terminal.press("\x03").await;
    terminal.shows("follow it with `toygres operations watch create-").await;
    assert_eq!(terminal.code().await, 130);

    // What the text says works.
    let arguments: Vec<_> = again.split('`').nth(1).unwrap().split(' ').skip(1).collect();
    let mut following = Running::start(command(&home, &server, &arguments));
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
async fn waiting_outlives_a_restart_and_tells_how_it_ended() {
    let home = Home::new();
    let gate = Gate::new(&home);
    let server = gate.start(&home).await;
    let address = server.address.clone();
    gate.close();
    let mut waiting = Running::start(command(&home, &server, &["instances", "create", "orders", "--wait", "-o", "json"]));
    waiting.until("deploy postgres running").await;
    server.kill().await;
    waiting.until("the connection is lost").await;
    let mut server = home.spawn_at(&address, &gate.environment()).await;
    server.ready().await;
    waiting.until("connected again").await;
    gate.open();
    waiting.until("create orders: succeeded").await;
    assert_eq!(waiting.code().await, 0);

    // One that is cancelled ends with 1, and can be tried again.
    gate.close();
    let mut waiting = Running::start(command(&home, &server, &["instances", "create", "second", "--wait"]));
    waiting.until("deploy postgres running").await;
    let cancelled = json(&home, &server, &["operations", "cancel", "second"]).await;
    assert_eq!(cancelled["cancelRequested"], value!(true));
    gate.open();
    waiting.until("toygres operations retry").await;
    assert_eq!(waiting.code().await, 1);
    let retried = json(&home, &server, &["operations", "retry", "second", "--wait"]).await;
    assert_eq!(retried["status"], "SUCCEEDED");
    server.stop().await;
}

/// PostgreSQL's binaries, with an `initdb` that waits while the gate is closed.
struct Gate {
    bin: PathBuf,
    closed: PathBuf,
}

impl Gate {
    fn new(home: &Home) -> Self {
        let real = toygres_process::Binaries::find(std::env::var("TOYGRES_PG_BIN").ok().as_deref()).unwrap().newest().bin.clone();
        let (bin, closed) = (home.path().join("bin"), home.path().join("closed"));
        std::fs::create_dir(&bin).unwrap();
        for program in std::fs::read_dir(&real).unwrap().map(|entry| entry.unwrap().file_name()).filter(|name| name != "initdb") {
            symlink(real.join(&program), bin.join(&program)).unwrap();
        }
        let script = format!("#!/bin/sh\nwhile [ -e {} ]; do sleep 0.05; done\nexec {} \"$@\"\n", closed.display(), real.join("initdb").display());
        std::fs::write(bin.join("initdb"), script).unwrap();
        for path in [&bin, &bin.join("initdb")] {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        Self { bin, closed }
    }

    fn environment(&self) -> [(&str, &str); 1] {
        [("TOYGRES_PG_BIN", self.bin.to_str().unwrap())]
    }

    async fn start(&self, home: &Home) -> Server {
        home.start_with(&self.environment()).await
    }

    fn close(&self) {
        std::fs::write(&self.closed, "").unwrap();
    }

    fn open(&self) {
        std::fs::remove_file(&self.closed).unwrap();
    }
}

/// A test that fails must not leave an `initdb` that waits for ever.
impl Drop for Gate {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.closed);
    }
}
