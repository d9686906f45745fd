//! `toygres restore-volume`: what the containers of a restoration run on Kubernetes, in a pod of the new instance.
//!
//! Its interface is that of a pod: its log says how far it is, its exit code whether another attempt makes sense, and the termination
//! message why it failed.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use toygres_backup::{BackupError, Progress, Store, volume};
use toygres_domain::{
    instance::{Reason, ReasonCode},
    restoration::Restoration,
};
use toygres_k8s::build::INITIALIZED_MARK;

use crate::{
    config::RestoreVolumeConfig,
    console::{report, write_line},
};

/// The exit codes.
const DONE: u8 = 0;
/// Another attempt may succeed.
const FAILED: u8 = 1;
/// It fails until somebody changes something.
const LASTING: u8 = 2;
/// As of a process that SIGTERM ends, which it does not do by itself to the first process of a container.
const TERMINATED: u8 = 128 + 15;

/// How often the log says how far it is.
const INTERVAL: Duration = Duration::from_secs(1);

/// Where Kubernetes takes the termination message from.
const TERMINATION_LOG: &str = "/dev/termination-log";

/// Runs it; returns the exit code.
pub(crate) fn run(config: &RestoreVolumeConfig) -> u8 {
    let failure = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Err(error) => (Reason::new(ReasonCode::Internal, format!("no threads could be started: {error}")), FAILED),
        Ok(runtime) => {
            let outcome = runtime.block_on(async {
                tokio::select! {
                    outcome = restore(config) => Some(outcome),
                    () = terminated() => None,
                }
            });
            // What is written would delay the exit, and is thrown away.
            runtime.shutdown_background();
            match outcome {
                None => return TERMINATED,
                Some(Ok(())) => return DONE,
                Some(Err(failure)) => failure,
            }
        }
    };
    let (Reason { code, message }, exit_code) = failure;
    report(&format!("toygres: {message}"));
    if let Err(error) = leave(config.termination_log.as_deref(), &format!("{}: {message}", code.as_str().to_ascii_uppercase())) {
        report(&format!("toygres: the termination message could not be written: {error}"));
    }
    exit_code
}

async fn restore(config: &RestoreVolumeConfig) -> Result<(), (Reason, u8)> {
    match &config.restoration {
        Some(restoration) => fetch(config, restoration).await,
        None => volume::finish(&config.directory, INITIALIZED_MARK).map_err(|error| failure(&error)),
    }
}

async fn fetch(config: &RestoreVolumeConfig, restoration: &Restoration) -> Result<(), (Reason, u8)> {
    let refused = |why: String| (Reason::new(ReasonCode::StoreRefused, why), LASTING);
    let store = config.backups.store(None).map_err(refused)?;
    let store = store.ok_or_else(|| refused("TOYGRES_BACKUP_STORE must be set".to_owned()))?;
    let encryption = config.backups.encryption().map_err(refused)?;
    let store = Store::open(&store).map_err(|error| failure(&BackupError::from(error)))?.encrypted(encryption);
    let said = Mutex::new(None::<Instant>);
    let progress = |Progress { bytes, total }: Progress| {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|at| at.elapsed() >= INTERVAL) {
            *said = Some(Instant::now());
            // Nobody reads it, perhaps.
            let _ = write_line(&json!({ "bytes": bytes, "total": total }).to_string());
        }
    };
    match volume::fetch(store, restoration, &config.directory, &progress).await {
        Ok(Some(fetched)) => report(&format!("toygres: fetched the backup {} and its WAL up to {}", fetched.backup, fetched.wal_end)),
        Ok(None) => report("toygres: the data directory is complete already"),
        Err(error) => return Err(failure(&error)),
    }
    Ok(())
}

/// The reason and the exit code of a failure.
fn failure(error: &BackupError) -> (Reason, u8) {
    let reason = error.reason();
    match error {
        BackupError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
            let message = format!("The volume is too small for the backup: {}. Restore it with more storage", reason.message);
            (Reason::new(ReasonCode::DiskFull, message), LASTING)
        }
        error => (reason, if error.is_lasting() { LASTING } else { FAILED }),
    }
}

/// Leaves the termination message.
fn leave(file: Option<&Path>, message: &str) -> io::Result<()> {
    let mut file = match file {
        Some(file) => File::create(file)?,
        None => match OpenOptions::new().write(true).truncate(true).open(TERMINATION_LOG) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        },
    };
    file.write_all(message.as_bytes())
}

async fn terminated() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => drop(terminate.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_attempt_is_made_where_it_makes_sense() {
        let io = |kind: io::ErrorKind| BackupError::Io { what: "writing base/1".to_owned(), source: kind.into() };
        for (error, code, exit_code) in [
            (BackupError::NotCovered { target: "the latest point".to_owned(), available: Vec::new() }, ReasonCode::NotRestorable, LASTING),
            (BackupError::Damaged("base/1 is another one".to_owned()), ReasonCode::StoreDamaged, LASTING),
            (io(io::ErrorKind::StorageFull), ReasonCode::DiskFull, LASTING),
            (io(io::ErrorKind::PermissionDenied), ReasonCode::BackupFailed, FAILED),
        ] {
            let (reason, found) = failure(&error);
            assert_eq!((reason.code, found), (code, exit_code), "{error}");
        }
    }

    #[test]
    fn the_message_is_left_in_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("termination-log");
        leave(Some(&file), "DISK_FULL: it is full").unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), "DISK_FULL: it is full");
    }
}
