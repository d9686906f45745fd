//! Runs the real server as a separate process with its own data directory, and clients for it.

// Benches include this file by its path, so the paths of its modules must be explicit.
#[path = "support/database.rs"]
mod database;
#[path = "support/home.rs"]
mod home;
#[path = "support/live.rs"]
mod live;
#[path = "support/machine.rs"]
mod machine;
#[path = "support/server.rs"]
mod server;
#[path = "support/templates.rs"]
mod templates;

use std::time::{Duration, Instant};

use serde_json::Value;

pub use self::{database::*, home::*, live::*, machine::*, server::*};

/// The time limit of every wait.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Self-signed, for 127.0.0.1, valid for a hundred years.
pub const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cli/localhost.pem");
pub const CERTIFICATE_KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cli/localhost.key");

/// Polls until `there` returns true.
pub async fn eventually(what: &str, mut there: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !there().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The number of an event, from its cursor.
pub fn seq(cursor: &str) -> i64 {
    cursor.split_once('-').and_then(|(number, _)| number.parse().ok()).unwrap_or_else(|| panic!("{cursor} is no cursor of the event log"))
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
