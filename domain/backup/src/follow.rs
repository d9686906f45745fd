//! Archives the WAL of an instance as it is written.

mod clock;
mod position;
mod receiver;
mod upload;

use std::{path::PathBuf, time::Duration};

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use toygres_domain::wal::{Lsn, Timeline};
use toygres_postgres::{
    Target,
    replication::{ReplicationConnection, ReplicationError, SlotName},
};

use self::{position::Position, receiver::Receiver};
use crate::{
    Archive, BackupError,
    layout::{GapReason, Layout},
    listing::Listing,
    store::Store,
};

/// How to archive the WAL.
#[derive(Clone, Debug)]
pub struct FollowOptions {
    /// The replication slot, which is created if it does not exist. It belongs to the archive alone.
    pub slot: SlotName,
    /// A directory for temporary files: about one segment for each instance.
    pub spool: PathBuf,
    /// After how long WAL that does not fill a segment is archived.
    pub partial_interval: Duration,
    /// How often an idle server is asked for its time: [`FollowStatus::covers`] of an idle instance is up to three times as old.
    pub keepalive_interval: Duration,
    /// How often the time up to which an idle instance is covered is archived. [`FollowStatus::covers`] is newer.
    pub idle_interval: Duration,
    /// How long the server may send nothing: longer than half its `wal_sender_timeout`, which is 60 s by default.
    pub timeout: Duration,
}

impl FollowOptions {
    /// The defaults: 1 s, 10 s, 5 minutes, 45 s.
    #[must_use]
    pub fn new(slot: SlotName, spool: PathBuf) -> Self {
        Self {
            slot,
            spool,
            partial_interval: Duration::from_secs(1),
            keepalive_interval: Duration::from_secs(10),
            idle_interval: Duration::from_secs(300),
            timeout: Duration::from_secs(45),
        }
    }
}

/// How far the archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowStatus {
    /// The timeline.
    pub timeline: Timeline,
    /// Up to where the server has flushed its WAL, as far as it has said.
    pub flushed: Lsn,
    /// Up to where the WAL was received.
    pub received: Lsn,
    /// Up to where the WAL is durable in the store.
    pub durable: Lsn,
    /// By the server's clock: whatever was committed by then is durable in the store. `None` until that is known.
    pub covers: Option<DateTime<Utc>>,
    /// The WAL between these positions could not be archived: only a new base backup can be restored to what comes after it.
    pub gap: Option<(Lsn, Lsn, GapReason)>,
}

/// Archives the WAL until `stop` is cancelled, and then what was received. It ends with an error whenever the store or the server fails, and
/// continues where the archive ends when it is called again, which is the caller's to do, with a delay that grows.
///
/// The server is told that it may remove WAL only when that is durable in the store.
///
/// # Errors
/// See [`BackupError`]. [`BackupError::AnotherWriter`] while another connection uses the slot; see [`BackupError::is_shutdown`] for a server
/// that was shut down.
pub async fn follow(
    target: &Target,
    store: Store,
    layout: Layout,
    options: &FollowOptions,
    status: &watch::Sender<Option<FollowStatus>>,
    stop: &CancellationToken,
) -> Result<(), BackupError> {
    let mut connection = ReplicationConnection::connect(target, options.timeout).await?;
    note_flushed(status, connection.identify_system().await?.flushed);
    let archive = Archive::of_cluster(store, layout, &mut connection).await?;
    let listing = Listing::read_wal(&archive).await?;
    let mut position = Position::find(&archive, &listing, &mut connection, &options.slot).await?;
    let mut known = listing.histories.keys().copied().collect::<Vec<_>>();
    loop {
        let current = connection.identify_system().await?.timeline;
        for timeline in [position.timeline, current] {
            if timeline > Timeline(1) && !known.contains(&timeline) {
                let history = connection.timeline_history(timeline).await?;
                archive.create_history(timeline, history).await?;
                known.push(timeline);
            }
        }
        let stream = connection.start_replication(Some(&options.slot), position.start, position.timeline).await.map_err(in_use)?;
        let receiver = Receiver::new(&archive, options, stream, &position, position.timeline == current, status)?;
        let Some((next, timeline, begin)) = receiver.run(stop).await? else { return Ok(()) };
        connection = next;
        position = Position { timeline, start: archive.segment_size().floor(begin), durable: begin, gap: position.gap };
    }
}

/// While the store is away, this alone says how much WAL the server keeps. It is no sign that following has begun, so nobody is woken.
fn note_flushed(status: &watch::Sender<Option<FollowStatus>>, flushed: Lsn) {
    status.send_if_modified(|status| {
        if let Some(status) = status {
            status.flushed = status.flushed.max(flushed);
        }
        false
    });
}

/// The slot is the lock: one connection can use it.
fn in_use(error: ReplicationError) -> BackupError {
    match error {
        ReplicationError::Server { sqlstate, .. } if sqlstate == "55006" => BackupError::AnotherWriter,
        error => error.into(),
    }
}
