//! The command line with a local server: the times from the start of the process to the first row of `instances list` and to its
//! exit, compared with the same binary printing its version.

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the bench needs a part of what the tests do")]
mod support;

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use support::{Database, Home, Server, psql};
use tokio::io::{AsyncBufReadExt, BufReader};

const INSTANCES: usize = 50;
const ROUNDS: usize = 100;

fn main() {
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(bench());
}

async fn bench() {
    let database = Database::start_durable();
    let (home, url) = (Home::new(), database.url());
    let migrated = home.command(&["migrate"]).env("DATABASE_URL", &url).output().await.expect("the binary runs");
    assert!(migrated.status.success(), "{migrated:?}");
    let rows = format!(
        "INSERT INTO toygres.instances (id, name, state, postgres_version, storage_gb, cpu_millis, memory_mb, username, database_name, exposure,
             health_interval_seconds, health_timeout_seconds)
         SELECT gen_random_uuid(), 'bench-' || n, 'running', 15, 10, 500, 512, 'app', 'app', '{{\"type\": \"cluster\"}}', 30, 5
         FROM generate_series(1, {INSTANCES}) n"
    );
    psql(&url, &rows).await.expect("rows can be made");
    let server = home.start_with(&[("DATABASE_URL", &url), ("TOYGRES_ROLE", "api")]).await;

    println!("{ROUNDS} rounds, one after the other, with {INSTANCES} instances");
    println!("{:<34}{:>10}{:>10}{:>10}{:>10}", "", "p50 ms", "p99 ms", "max ms", "end p50");
    show("toygres --version", measure(&home, &server, &["--version"], "toygres").await);
    show("toygres instances list", measure(&home, &server, &["instances", "list"], "bench-").await);
    show("toygres instances list -o json", measure(&home, &server, &["instances", "list", "-o", "json"], "bench-").await);
    server.stop().await;
}

/// The times from the start of the process to the first line with `text`, and to its exit.
async fn measure(home: &Home, server: &Server, arguments: &[&str], text: &str) -> (Vec<Duration>, Vec<Duration>) {
    let (mut first, mut end) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut command = home.command(arguments);
        command.env("TOYGRES_URL", format!("http://{}", server.address)).stdout(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        while !lines.next_line().await.expect("it can be read").expect("it says something").contains(text) {}
        first.push(started.elapsed());
        while lines.next_line().await.expect("it can be read").is_some() {}
        assert!(child.wait().await.expect("it ends").success());
        end.push(started.elapsed());
    }
    first.sort_unstable();
    end.sort_unstable();
    (first, end)
}

fn show(name: &str, (first, end): (Vec<Duration>, Vec<Duration>)) {
    let at = |all: &[Duration], percent: usize| all[(all.len() * percent / 100).min(all.len() - 1)].as_secs_f64() * 1e3;
    println!("{name:<34}{:>10.1}{:>10.1}{:>10.1}{:>10.1}", at(&first, 50), at(&first, 99), at(&first, 100), at(&end, 50));
}
