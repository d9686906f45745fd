//! Faults at random times while tenants create and delete instances: servers are killed with SIGKILL, the metadata database is
//! restarted, its connections are terminated. Afterwards every accepted operation must have the expected result, nothing may exist
//! twice or be left over, and a subscriber that resumed each time must have received each event once and in order. What `recovery.to` had
//! covered must be in every copy.
//!
//! `scripts/test` runs each test once, `scripts/chaos` ten times as long. The seed of a run is printed with it.

mod aftermath;
mod attacks;
mod backups;
#[cfg(target_os = "linux")]
mod clocks;
#[cfg(target_os = "linux")]
mod disk;
mod storm;

use std::time::Duration;

use storm::{Storm, Trouble};

use crate::support::{Database, Home};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_its_own_database_is_killed() {
    let home = Home::new();
    Storm::new("killed", &home, None, 1).weather(Trouble::Kills(20)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_are_killed_in_turn() {
    let (home, database) = (Home::new(), Database::start_durable());
    Storm::new("two servers", &home, Some(&database), 2).weather(Trouble::Kills(12)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_database_is_restarted() {
    let (home, database) = (Home::new(), Database::start_durable());
    Storm::new("restarts", &home, Some(&database), 1).weather(Trouble::Restarts(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_connections_are_terminated_every_second() {
    let (home, database) = (Home::new(), Database::start_durable());
    Storm::new("terminated", &home, Some(&database), 1).weather(Trouble::Terminations(Duration::from_secs(45))).await;
}
