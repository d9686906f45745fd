//! Upgrades to another major version of PostgreSQL, with `pg_upgrade`, and updates to another minor version, which are restarts.
//!
//! The host of the instances runs [`UPGRADE_SCRIPT`], because it has the programs of both versions and the data. The new data directory is made
//! beside the former, which stays as it is until the upgrade is confirmed: [`crate::runtime::Runtime::upgrade`].

use std::time::Duration;

use crate::{
    OperationId,
    instance::{PostgresVersion, ReasonCode},
    runtime::RuntimeError,
};

/// A script for `sh`, whose arguments are said at its top.
pub const UPGRADE_SCRIPT: &str = include_str!("upgrade/upgrade.sh");

/// The programs that it needs of the former version, and of the new one. Some packages lack them.
pub const FORMER_PROGRAMS: [&str; 4] = ["postgres", "pg_ctl", "pg_controldata", "pg_resetwal"];
/// See [`FORMER_PROGRAMS`].
pub const NEW_PROGRAMS: [&str; 10] =
    ["postgres", "initdb", "pg_ctl", "pg_controldata", "pg_resetwal", "pg_upgrade", "pg_dump", "pg_dumpall", "pg_restore", "psql"];

/// The exit code of the script when PostgreSQL refuses the upgrade.
const REFUSED: i32 = 3;
/// The exit code of the script when there is no room for the new data directory.
const NO_ROOM: i32 = 4;

/// What a restart with what its host has now would change of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvailableUpdate {
    /// The minor version, or the image, that the server was started with.
    pub from: String,
    /// The one that it would be started with.
    pub to: String,
}

/// One upgrade of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The operation that asks for it.
    pub operation: OperationId,
    /// The version of the data.
    pub from: PostgresVersion,
    /// The version to upgrade to.
    pub to: PostgresVersion,
    /// Whether it is only found out whether that is possible.
    pub check_only: bool,
    /// How long the server may take to shut down gracefully before it is stopped immediately, counted from the first call for this operation.
    pub timeout: Duration,
}

/// Why the script has failed, by its exit code, if it was not killed, and what it wrote to the standard error.
#[must_use]
pub fn upgrade_failure(code: Option<i32>, said: &str) -> RuntimeError {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let said: String = said.lines().map(words).filter(|line| !is_noise(line)).collect::<Vec<_>>().join("; ");
    // The end, because it says what was the matter.
    let skipped = said.chars().count().saturating_sub(1500);
    let said: String = said.chars().filter(|c| !c.is_control()).skip(skipped).collect();
    let said = if said.is_empty() { "it gave no reason" } else { &said };
    match code {
        Some(REFUSED) => RuntimeError::permanent(ReasonCode::NotUpgradable, format!("pg_upgrade refuses the upgrade: {said}")),
        Some(NO_ROOM) => RuntimeError::permanent(ReasonCode::DiskFull, format!("there is no room for the upgrade: {said}")),
        // By SIGKILL or SIGTERM: nobody knows what would have come of it.
        None | Some(137 | 143) => RuntimeError::temporary(ReasonCode::ProcessExited, "the upgrade was killed, and begins anew"),
        Some(_) => RuntimeError::permanent(ReasonCode::NotUpgradable, format!("the upgrade failed: {said}")),
    }
}

/// What the script and PostgreSQL write that is no reason: checks that passed, where pg_upgrade has written a list that the script quotes (the file
/// is removed), and messages about the shutdown of a server.
fn is_noise(line: &str) -> bool {
    line.is_empty()
        || line.starts_with("stage: ")
        || line.ends_with(" ok")
        || line.ends_with("is in the file:")
        || line.contains("pg_upgrade_output.d")
        || line.contains(" LOG: ")
        || line.contains("FATAL: terminating connection due to administrator command")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_pg_upgrade_is_quoted() {
        let error = upgrade_failure(
            Some(3),
            "stage: it checks\n2026 [1] LOG:  start\nChecking cluster versions   ok\nChecking data type usage    fatal\n\n  A list is in the file:\n\
             \t/x/pg_upgrade_output.d/1/tables.txt\nIn database: app\n2026 [1] FATAL:  terminating connection due to administrator command\n",
        );
        assert!(!error.retryable && error.reason.code == ReasonCode::NotUpgradable);
        assert!(error.reason.message.ends_with("pg_upgrade refuses the upgrade: Checking data type usage fatal; In database: app"), "{error}");
        assert!(upgrade_failure(Some(3), &"x".repeat(5000)).reason.message.len() < 1600);
    }

    #[test]
    fn only_what_was_killed_begins_anew() {
        assert!(upgrade_failure(None, "").retryable && upgrade_failure(Some(137), "").retryable);
        assert!(!upgrade_failure(Some(1), "").retryable);
        assert_eq!(upgrade_failure(Some(4), "2 MiB").reason.code, ReasonCode::DiskFull);
    }
}
