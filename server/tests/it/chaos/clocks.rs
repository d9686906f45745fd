//! Clocks that step (with libfaketime), of the server alone and together with its database during a downtime.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::storm::{Storm, Trouble};
use crate::support::{Database, Home, TIMEOUT, connect, eventually, text};

/// A clock that a test sets for the processes that it starts.
pub struct Clock {
    dir: tempfile::TempDir,
}

impl Clock {
    fn right() -> Self {
        // The user that PostgreSQL runs as reads it too.
        let dir = tempfile::Builder::new().prefix("toygres-clock-").tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let clock = Self { dir };
        clock.set("+0");
        clock
    }

    /// Sets the difference to the real time, such as `-1h`.
    pub fn set(&self, difference: &str) {
        let (new, file) = (self.dir.path().join("new"), self.file());
        std::fs::write(&new, difference).unwrap();
        std::fs::rename(new, file).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("now")
    }

    pub fn env(&self) -> Vec<(&'static str, String)> {
        let library = glob("/usr/lib").expect("libfaketime is installed, which scripts/test does");
        vec![
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

/// The variant of libfaketime for programs with threads.
fn glob(lib: &str) -> Option<PathBuf> {
    let library = |dir: &Path| dir.join("faketime/libfaketimeMT.so.1");
    std::fs::read_dir(lib).ok()?.filter_map(|entry| Some(library(&entry.ok()?.path()))).find(|library| library.exists())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_steps_stops_neither_health_checks_nor_operations() {
    let (home, database, clock) = (Home::new(), Database::start(), Clock::right());
    let mut env = clock.env();
    env.push(("DATABASE_URL", database.url()));
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let server = home.start_with(&env).await;
    let input = json!({ "name": "watched", "healthCheck": { "intervalSeconds": 1 } });
    let id = text(&server.create(input).await["instance"]["id"]);
    server.until_healthy(&id).await;
    let client = connect(&database.url()).await;
    let checks = async || client.query_one("SELECT count(*) FROM toygres.health_checks", &[]).await.unwrap().get::<_, i64>(0);
    for (number, (step, seconds)) in [("-1h", -3600.0), ("+2h", 7200.0), ("+0", 0.0)].into_iter().enumerate() {
        clock.set(step);
        let before = checks().await;
        eventually(&format!("the health is checked at {step}"), async || checks().await > before + 3).await;
        let other = server.create_ok(&format!("at-{number}")).await;
        server.until_healthy(&other).await;
        server.delete(&other).await;
        server.until_deleted(&other).await;
        let known = async || {
            let metrics = server.get("/metrics").await.text().await.unwrap();
            let skew = metrics.lines().find_map(|line| line.strip_prefix("toygres_clock_skew_seconds ")).unwrap_or_default();
            skew.parse::<f64>().is_ok_and(|skew| (skew - seconds).abs() < 60.0)
        };
        eventually(&format!("the difference at {step} is measured"), known).await;
    }
    assert!(server.log().contains("s behind that of the metadata database"), "{}", server.log());
    let metrics = server.get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("toygres_clock_steps_total 2"), "set back twice, from +2h too: {metrics}");
    server.stop().await;
}

/// Twice as long as the deadline of operations.
#[tokio::test(flavor = "multi_thread")]
async fn work_that_was_accepted_before_a_long_downtime_is_carried_out() {
    let (home, clock) = (Home::new(), Clock::right());
    let database = Database::start_at(clock.env());
    let mut env = clock.env();
    env.push(("DATABASE_URL", database.url()));
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let server = home.start_with(&env).await;
    let old = server.create_ok("old").await;
    server.until_healthy(&old).await;
    server.stop().await;

    let api = home.start_with(&[env.as_slice(), &[("TOYGRES_ROLE", "api")]].concat()).await;
    let new = api.create_ok("new").await;
    api.delete(&old).await;
    api.kill().await;
    clock.set("+20m");

    let server = home.start_with(&env).await;
    tokio::time::timeout(TIMEOUT, async { tokio::join!(server.until_healthy(&new), server.until_deleted(&old)) }).await.unwrap();
    let operations = server.query("{ operations(first: 10) { nodes { kind status error { message } } } }", json!({})).await;
    let failed = |operation: &&serde_json::Value| operation["status"] != "SUCCEEDED";
    assert_eq!(operations["operations"]["nodes"].as_array().unwrap().iter().find(failed), None);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes long and is in short above; scripts/chaos runs it"]
async fn the_clock_of_a_server_steps_now_and_then() {
    let (home, database, clock) = (Home::new(), Database::start(), Clock::right());
    Storm::new("clock steps", &home, Some(&database), 1).under(&clock).weather(Trouble::ClockSteps(4)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes long and is in short above; scripts/chaos runs it"]
async fn the_only_server_is_away_for_twenty_minutes_now_and_then() {
    let (home, clock) = (Home::new(), Clock::right());
    let database = Database::start_at(clock.env());
    Storm::new("downtimes", &home, Some(&database), 1).under(&clock).weather(Trouble::Downtimes(2)).await;
}
