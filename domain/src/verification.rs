//! Verification of base backups: each is restored to a place of its own, and everything in it is read.
//!
//! The host of the instances does it, because it has the programs of PostgreSQL. [`crate::runtime::Runtime::verify`] fetches the files, which are
//! compared with PostgreSQL's manifest as `pg_verifybackup` does, replays the WAL up to the point at which the backup is consistent, and runs
//! [`CHECK_SCRIPT`].

use std::time::Duration;

use crate::{
    backup::{Backup, BackupId},
    instance::{PostgresVersion, ReasonCode},
    restoration::{RECOVERY_SETTINGS, Restoration},
    runtime::RuntimeError,
};

/// A script for `sh`: it reads the data directory that is its first argument, with the settings that are the others
/// ([`check_settings`]), and writes why it fails to the standard error.
pub const CHECK_SCRIPT: &str = include_str!("verification/check.sh");

/// Which backups are verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerificationPolicy {
    /// Larger ones are not, by the bytes of the cluster. 0: none is.
    pub max_bytes: u64,
    /// How many of a hundred are.
    pub sample_percent: u8,
}

impl VerificationPolicy {
    /// Whether this backup is to be verified.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check(&self, backup: &Backup) -> Result<(), String> {
        if self.max_bytes == 0 {
            return Err("verification is turned off (TOYGRES_BACKUP_VERIFY_MAX_GB)".to_owned());
        }
        if u64::try_from(backup.bytes).unwrap_or(0) > self.max_bytes {
            return Err(format!("it is larger than the {} GiB of TOYGRES_BACKUP_VERIFY_MAX_GB", self.max_bytes >> 30));
        }
        // The last bytes of a UUID are random.
        if backup.id.0.as_u128() % 100 >= u128::from(self.sample_percent) {
            return Err(format!("it is none of the {} % of TOYGRES_BACKUP_VERIFY_SAMPLE_PERCENT", self.sample_percent));
        }
        Ok(())
    }
}

/// What to verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The base backup, by its directory in the store.
    pub backup: BackupId,
    /// Its archive; the target is the end of the backup.
    pub restoration: Restoration,
    /// The version that reads it.
    pub version: PostgresVersion,
    /// The bytes of the cluster.
    pub bytes: u64,
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationProgress {
    /// It goes on.
    InProgress,
    /// The backup can be restored, and everything in it can be read.
    Verified {
        /// How long the restoration has taken, without the reading.
        restored_in: Duration,
    },
}

/// The settings with which a copy is recovered, and [`CHECK_SCRIPT`] runs.
pub fn check_settings() -> impl Iterator<Item = &'static str> {
    // The codes of errors tell damage from everything else.
    RECOVERY_SETTINGS.into_iter().chain(["log_error_verbosity=verbose", "log_checkpoints=off"])
}

/// Why PostgreSQL has not recovered a copy with [`check_settings`], by what it wrote. The backup is at fault if PostgreSQL says why, and the
/// reason is not that it lacked something of the machine (class 53), was ended (57), or met an error of input or output (`58030`).
#[must_use]
pub fn recovery_failure(log: &str) -> RuntimeError {
    const CLASSES: [&str; 3] = ["53", "57", "58030"];
    match said(log) {
        Some(why) if !CLASSES.iter().any(|class| why.starts_with(class)) => RuntimeError::permanent(
            ReasonCode::NotRestorable,
            format!("PostgreSQL could not recover the backup: {}", short(why.split_once(": ").map_or(why, |(_, message)| message))),
        ),
        why => {
            let why = why.unwrap_or_else(|| last_line(log));
            RuntimeError::temporary(ReasonCode::BackupFailed, format!("the backup could not be recovered: {}", short(why)))
        }
    }
}

/// Why [`CHECK_SCRIPT`] has failed, by what it wrote: the data is damaged if PostgreSQL says so. Everything else is taken for temporary.
#[must_use]
pub fn check_failure(log: &str) -> RuntimeError {
    let said = said(log);
    // `data_corrupted` and `index_corrupted`
    let damage = said.and_then(|said| ["XX001: ", "XX002: "].iter().find_map(|code| said.strip_prefix(code)));
    match damage {
        Some(what) => RuntimeError::permanent(ReasonCode::DataCorrupted, format!("the data in the backup is damaged: {}", short(what))),
        None => {
            let said = said.unwrap_or_else(|| last_line(log));
            RuntimeError::temporary(ReasonCode::BackupFailed, format!("the restored backup could not be read: {}", short(said)))
        }
    }
}

/// The last error in a log whose messages begin with their codes.
fn said(log: &str) -> Option<&str> {
    const LEVELS: [&str; 3] = ["PANIC:  ", "FATAL:  ", "ERROR:  "];
    log.lines().rev().find_map(|line| LEVELS.iter().find_map(|level| Some(line.split_once(level)?.1)))
}

fn last_line(log: &str) -> &str {
    log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason")
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_postgresql_calls_corrupted_is_damage() {
        let damaged =
            check_failure("LOG:  00000: start\n2026 [1] FATAL:  XX001: invalid page in block 1 of relation base/5/1\nLOCATION:  bufmgr.c\n");
        assert_eq!((damaged.retryable, damaged.reason.code), (false, ReasonCode::DataCorrupted));
        assert_eq!(damaged.reason.message, "the data in the backup is damaged: invalid page in block 1 of relation base/5/1");
        let other = check_failure("2026 [1] FATAL:  53100: could not write: No space left on device\n");
        assert!(other.retryable && other.reason.message.ends_with("53100: could not write: No space left on device"), "{other:?}");
        assert!(check_failure("sh: postgres: not found\n\n").reason.message.ends_with("sh: postgres: not found"));
        assert!(check_failure("").retryable);
    }

    #[test]
    fn a_backup_is_not_at_fault_for_what_the_machine_lacks() {
        let lacking = recovery_failure("2026 [1] FATAL:  58P01: could not find redo location 0/3 referenced by checkpoint record at 0/4\n");
        assert_eq!((lacking.retryable, lacking.reason.code), (false, ReasonCode::NotRestorable));
        assert!(lacking.reason.message.ends_with("the backup: could not find redo location 0/3 referenced by checkpoint record at 0/4"));
        for of_the_machine in ["2026 [1] FATAL:  53200: out of memory\n", "2026 [1] FATAL:  57P01: terminating connection\n", "nice: no\n", ""] {
            assert!(recovery_failure(of_the_machine).retryable, "{of_the_machine}");
        }
    }
}
