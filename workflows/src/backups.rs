//! Backups: each worker follows the WAL of the archives that it owns, takes base backups, and deletes what is not kept.
//!
//! An archive has one owner, which renews its claim every few seconds; another worker takes over what a dead one leaves. Two that believe to
//! own the same archive do no harm: PostgreSQL lets one connection use the replication slot, objects are never overwritten, and what is
//! deleted follows from what is in the store. So nothing here needs the metadata database to be right about the past.
//!
//! A worker stops following an instance while an operation works on it, because a server waits at its shutdown for those who follow it. A
//! deletion whose archive is kept makes use of that: a server that was followed until the end of its shutdown has everything in the archive.

mod base;
mod findings;
mod follower;
mod maintenance;
mod reasons;
mod release;
mod verification;
mod worker;

use std::{path::PathBuf, time::Duration};

use metrics::counter;
use toygres_backup::Store;
use toygres_domain::{backup::BackupPolicy, verification::VerificationPolicy};
use toygres_store::changes::Changes;

pub(crate) use self::release::until_released;
use self::worker::Worker;
use crate::ActivityContext;

/// How often a worker looks while an operation waits until it follows an instance no more.
const RELEASING: Duration = Duration::from_millis(50);

/// Where backups go, and how they are taken.
#[derive(Clone, Debug)]
pub struct BackupOptions {
    /// The store.
    pub store: Store,
    /// A directory for temporary files: one WAL segment for each instance.
    pub spool: PathBuf,
    /// The policy of instances for which nothing was chosen.
    pub policy: BackupPolicy,
    /// Which base backups are verified.
    pub verification: VerificationPolicy,
    /// The intervals.
    pub timing: BackupTiming,
}

/// The intervals of backups. Tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct BackupTiming {
    /// How often a worker looks at its archives, if nothing wakes it.
    pub tick: Duration,
    /// How often it renews its claims and reports how far it is.
    pub report: Duration,
    /// How long a claim holds without that.
    pub lease: Duration,
    /// After how long WAL that does not fill a segment is archived.
    pub partial: Duration,
    /// How often an idle server is asked for its time.
    pub keepalive: Duration,
    /// How often it is looked for what need not be kept, if nothing has changed.
    pub maintenance: Duration,
    /// How often it is looked whether what was archived last is still there.
    pub presence: Duration,
    /// The pause after a scheduled base backup that failed, and after a verification that could not be made.
    pub retry: Duration,
}

impl Default for BackupTiming {
    fn default() -> Self {
        Self {
            tick: Duration::from_secs(1),
            report: Duration::from_secs(2),
            lease: Duration::from_secs(15),
            partial: Duration::from_secs(1),
            keepalive: Duration::from_secs(10),
            maintenance: Duration::from_secs(3600),
            presence: Duration::from_secs(30),
            retry: Duration::from_secs(600),
        }
    }
}

/// Takes care of backups until the shutdown of the server.
pub async fn run(context: ActivityContext, options: BackupOptions, changes: Changes) {
    let (store, shutdown) = (options.store.clone(), context.shutdown.clone());
    let checking = async {
        if let Err(error) = store.check().await {
            tracing::warn!(%error, "the store of backups cannot be used");
        }
    };
    tokio::join!(shutdown.run_until_cancelled(checking), work(context, options, changes));
}

async fn work(context: ActivityContext, options: BackupOptions, changes: Changes) {
    let (mut backups, mut events) = (changes.backups(), changes.events());
    let shutdown = context.shutdown.clone();
    let mut worker = Worker::new(context, options);
    let mut is_failing = false;
    loop {
        backups.mark_unchanged();
        events.mark_unchanged();
        let outcome = worker.tick().await;
        if let Err(error) = &outcome {
            counter!("toygres_backup_failures_total", "what" => "reconcile").increment(1);
            // One warning for each time that it begins to fail.
            if !is_failing {
                let cause = std::error::Error::source(error).map(ToString::to_string);
                tracing::warn!(%error, cause, "backups could not be looked at; trying again");
            }
        }
        is_failing = outcome.is_err();
        if worker.is_releasing() {
            tokio::time::sleep(RELEASING).await;
            continue;
        }
        // What was reported just now wakes this task too, so there is a shortest pause.
        let pause = worker.timing().tick;
        let woken = async {
            tokio::time::sleep(pause / 2).await;
            tokio::select! {
                Ok(()) = backups.changed() => {}
                Ok(()) = events.changed() => {}
                () = tokio::time::sleep(pause / 2) => {}
            }
        };
        if shutdown.run_until_cancelled(woken).await.is_none() {
            return worker.stop().await;
        }
    }
}
