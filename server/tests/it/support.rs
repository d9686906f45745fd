//! The real server as a process of its own, over a data directory of its own, and clients for it.

// Benches include this file by its path, and then the compiler looks for these elsewhere unless it is told.
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

use std::time::{Duration, Instant};

use serde_json::Value;

pub use self::{database::*, home::*, live::*, machine::*, server::*};

/// How long anything may take before a test fails.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Looks until `there` holds.
pub async fn eventually(what: &str, mut there: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !there().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
