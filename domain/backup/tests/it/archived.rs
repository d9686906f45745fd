//! A server whose WAL is followed into a store.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use toygres_backup::{
    Archive, ArchiveId, BackupError, BackupId, BackupRecord, BaseBackupOptions, FollowOptions, FollowStatus, Layout, Listing, RestoreOptions,
    RestoreReport, Store, StoreConfig, Target, follow, plan, restore, take_base_backup,
};
use toygres_domain::{InstanceId, wal::Lsn};
use toygres_postgres::replication::SlotName;

use crate::cluster::{Cluster, DEADLINE, eventually, owner};

pub struct Archived {
    pub cluster: Cluster,
    pub directory: TempDir,
    pub store: Store,
    pub layout: Layout,
    pub status: Arc<watch::Sender<Option<FollowStatus>>>,
    pub partial_interval: Duration,
    pub keepalive_interval: Duration,
    follower: Option<(JoinHandle<Result<(), BackupError>>, CancellationToken)>,
}

impl Archived {
    /// Follows a new server into a directory.
    pub async fn create(settings: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreConfig::Directory(directory.path().join("store"))).unwrap();
        let mut archived = Self::with_store(settings, directory, store);
        archived.follow();
        archived.caught_up().await;
        archived
    }

    /// A server that is not followed yet.
    pub fn with_store(settings: &str, directory: TempDir, store: Store) -> Self {
        let layout = Layout::new(InstanceId::generate(), ArchiveId::generate());
        Self {
            cluster: Cluster::create(settings),
            directory,
            store,
            layout,
            status: Arc::new(watch::Sender::new(None)),
            partial_interval: Duration::from_millis(300),
            keepalive_interval: Duration::from_millis(300),
            follower: None,
        }
    }

    pub fn options(&self) -> FollowOptions {
        FollowOptions {
            partial_interval: self.partial_interval,
            keepalive_interval: self.keepalive_interval,
            ..FollowOptions::new(SlotName::try_from("archive".to_owned()).unwrap(), std::env::temp_dir())
        }
    }

    /// Begins to follow it.
    pub fn follow(&mut self) {
        let (target, store, layout, options) = (self.cluster.target(), self.store.clone(), self.layout.clone(), self.options());
        let (status, stop) = (self.status.clone(), CancellationToken::new());
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let outcome = follow(&target, store, layout, &options, &status, &stopped).await;
            if let Err(error) = &outcome {
                println!("it is not followed any more: {error}");
            }
            outcome
        });
        self.follower = Some((task, stop));
    }

    /// Stops following, and waits for it.
    pub async fn unfollow(&mut self) -> Result<(), BackupError> {
        let Some((task, stop)) = self.follower.take() else { return Ok(()) };
        stop.cancel();
        let outcome = task.await.unwrap();
        self.given_back().await;
        outcome
    }

    /// Waits until following has failed.
    pub async fn failed(&mut self) -> BackupError {
        let (task, _stop) = self.follower.take().unwrap();
        tokio::time::timeout(DEADLINE, task).await.unwrap().unwrap().unwrap_err()
    }

    /// Stops following in the middle of whatever it does, as if the process was killed.
    pub async fn kill_follower(&mut self) {
        if let Some((task, _)) = self.follower.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// Waits until the server, if it runs, has noticed that nobody follows it any more: until then nobody else can.
    pub async fn given_back(&self) {
        let active = || self.cluster.try_execute("SELECT count(*) FROM pg_replication_slots WHERE active");
        eventually("the slot is given back", async || active().ok().is_none_or(|active| active == "0")).await;
    }

    pub fn is_following(&self) -> bool {
        self.follower.as_ref().is_some_and(|(task, _)| !task.is_finished())
    }

    /// The end of the WAL of the server.
    pub fn lsn(&self) -> Lsn {
        self.cluster.execute("SELECT pg_current_wal_flush_lsn()").parse().unwrap()
    }

    /// The time of the server.
    pub fn time(&self) -> DateTime<Utc> {
        let seconds = self.cluster.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
        DateTime::from_timestamp_micros(seconds.parse().unwrap()).unwrap()
    }

    pub fn insert(&self, id: i64) {
        self.cluster.execute(&format!("INSERT INTO rows VALUES ({id})"));
    }

    /// Waits until what was committed so far is durable in the store, and says so.
    pub async fn caught_up(&self) {
        let (lsn, time) = (self.lsn(), self.time());
        let mut status = self.status.subscribe();
        let caught_up = status.wait_for(|status| has_caught_up(status.as_ref(), lsn, time));
        if tokio::time::timeout(DEADLINE, caught_up).await.is_err() {
            let (followed, status) = (self.is_following(), self.status.borrow());
            panic!("the archive does not catch up with {lsn} and {time}; it is followed: {followed}; {status:?}");
        }
    }

    pub async fn archive(&self) -> Archive {
        Archive::open(self.store.clone(), self.layout.clone()).await.unwrap()
    }

    pub async fn listing(&self) -> Listing {
        Listing::read(&self.archive().await).await.unwrap().with_status(self.status.borrow().as_ref())
    }

    /// Takes a base backup that can be restored.
    pub async fn back_up(&self) -> BackupRecord {
        let record = self.try_back_up().await.unwrap();
        let mut status = self.status.subscribe();
        let durable = status.wait_for(|status| status.as_ref().is_some_and(|status| status.durable >= record.end));
        tokio::time::timeout(DEADLINE, durable).await.expect("the WAL of the backup is archived").unwrap();
        record
    }

    pub async fn try_back_up(&self) -> Result<BackupRecord, BackupError> {
        self.try_back_up_into(&self.archive().await).await
    }

    /// The same, into an archive that was opened before.
    pub async fn try_back_up_into(&self, archive: &Archive) -> Result<BackupRecord, BackupError> {
        let options = BaseBackupOptions { id: BackupId::generate(), limit: 1 << 30, timeout: DEADLINE };
        take_base_backup(&self.cluster.target(), archive, &options, &|_| {}).await
    }

    /// Restores into a new data directory.
    pub async fn restore(&self, target: Target) -> Result<(Cluster, RestoreReport), BackupError> {
        let cluster = Cluster::empty();
        let options = RestoreOptions { directory: cluster.data(), owner: owner() };
        let report = restore(&self.archive().await, &plan(&self.listing().await, target)?, &options, &|_| {}).await?;
        Ok((cluster, report))
    }

    /// The ids in a restored table.
    pub async fn restored_ids(&self, target: Target) -> Vec<i64> {
        let (cluster, _) = self.restore(target).await.unwrap();
        cluster.recover().await;
        cluster.ids()
    }
}

/// Whether what was committed by a position and a time is durable in the store, and is said to be.
pub fn has_caught_up(status: Option<&FollowStatus>, lsn: Lsn, time: DateTime<Utc>) -> bool {
    status.is_some_and(|status| status.durable >= lsn && status.covers.is_some_and(|covers| covers >= time))
}
