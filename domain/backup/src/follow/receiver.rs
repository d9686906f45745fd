//! Receives one timeline's WAL and archives it.

use std::{collections::VecDeque, path::PathBuf, pin::Pin, time::Duration};

use chrono::{DateTime, Utc};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    instance::{Reason, ReasonCode},
    wal::{Lsn, Timeline},
};
use toygres_postgres::replication::{ReplicationConnection, ReplicationError, WalMessage, WalStream};

use super::{
    FollowOptions, FollowStatus,
    clock::Clock,
    position::Position,
    upload::{Uploaded, delete_superseded, upload},
};
use crate::{
    Archive, BackupError,
    layout::Partial,
    spool::{Spool, SpoolContent},
};

/// Complete segments that may wait for the store. Then no more is read, and the server waits.
const MAX_WAITING: usize = 2;
/// How long archiving what was received may take at the end.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

type Upload = Pin<Box<dyn Future<Output = Result<Uploaded, BackupError>> + Send>>;

pub(super) struct Receiver<'a> {
    archive: &'a Archive,
    spool_directory: PathBuf,
    partial_interval: Duration,
    idle_interval: Duration,
    keepalive_interval: Duration,
    stream: WalStream,
    status: &'a watch::Sender<Option<FollowStatus>>,
    state: FollowStatus,
    clock: Clock,
    spool: Spool,
    /// Complete segments, each with the time that is covered by its end.
    waiting: VecDeque<(SpoolContent, Option<DateTime<Utc>>)>,
    upload: Option<Upload>,
    /// The newest partial segment in the store, and when it was written.
    partial: Option<Partial>,
    /// The one before, which is deleted only when the next was written: a listing that began earlier may have neither the newest nor, if that
    /// replaced it at once, this one.
    former_partial: Option<Partial>,
    marked_at: Instant,
    /// When the server sent the last WAL, by its clock.
    last_data: Option<DateTime<Utc>>,
    /// Since when there is something that is not archived.
    unarchived_since: Option<Instant>,
    ask_at: Instant,
    /// Whether the server was asked for its time, and has not answered.
    asked: bool,
    /// When the server sent anything, and how long it may send nothing.
    heard_at: Instant,
    timeout: Duration,
}

impl<'a> Receiver<'a> {
    /// `is_current` says whether the server writes the timeline of the position.
    pub(super) fn new(
        archive: &'a Archive,
        options: &FollowOptions,
        stream: WalStream,
        position: &Position,
        is_current: bool,
        status: &'a watch::Sender<Option<FollowStatus>>,
    ) -> Result<Self, BackupError> {
        let Position { timeline, start, durable, gap } = *position;
        let spool = new_spool(archive, &options.spool, timeline, start)?;
        let covers = status.borrow().as_ref().and_then(|status| status.covers);
        let state = FollowStatus { timeline, flushed: start, received: start, durable, covers, gap };
        Ok(Self {
            archive,
            spool_directory: options.spool.clone(),
            partial_interval: options.partial_interval,
            idle_interval: options.idle_interval,
            keepalive_interval: options.keepalive_interval,
            stream,
            status,
            state,
            clock: Clock::new(is_current),
            spool,
            waiting: VecDeque::new(),
            upload: None,
            partial: None,
            former_partial: None,
            marked_at: Instant::now(),
            last_data: None,
            unarchived_since: None,
            ask_at: Instant::now(),
            asked: false,
            heard_at: Instant::now(),
            timeout: options.timeout,
        })
    }

    /// Runs until it is stopped, or until the timeline has ended: then returns the next timeline and where it begins.
    pub(super) async fn run(mut self, stop: &CancellationToken) -> Result<Option<(ReplicationConnection, Timeline, Lsn)>, BackupError> {
        // That it has begun is news, also where the one before had ended.
        self.status.send_replace(Some(self.state.clone()));
        loop {
            self.publish();
            let cut_at = self.next_cut();
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    // What is not archived is sent again to the next connection.
                    let _ = timeout(STOP_TIMEOUT, self.archive_rest()).await;
                    self.stream.close().await;
                    return Ok(None);
                }
                uploaded = completed(&mut self.upload) => Next::Uploaded(uploaded?),
                () = sleep_until(self.ask_at) => Next::Ask,
                () = sleep_until(cut_at.unwrap_or(self.ask_at)), if cut_at.is_some() => Next::Cut,
                message = self.stream.next(), if self.waiting.len() < MAX_WAITING => Next::Message(message?),
            };
            match next {
                Next::Uploaded(uploaded) => self.uploaded(uploaded).await?,
                Next::Ask => self.ask().await?,
                Next::Cut => self.cut(),
                Next::Message(WalMessage::EndOfTimeline) => {
                    self.archive_rest().await?;
                    self.publish();
                    return Ok(Some(self.stream.finish().await?));
                }
                Next::Message(message) => self.message(message).await?,
            }
        }
    }

    async fn message(&mut self, message: WalMessage) -> Result<(), BackupError> {
        self.heard_at = Instant::now();
        match message {
            WalMessage::Data { mut data, flushed, sent_at, .. } => {
                let received = Lsn(self.state.received.0 + data.len() as u64);
                self.state.flushed = self.state.flushed.max(flushed);
                self.clock.data(received, flushed, sent_at);
                self.last_data = Some(sent_at);
                while !data.is_empty() {
                    data = self.spool.append(data).map_err(BackupError::io("writing WAL to a temporary file"))?;
                    if self.spool.is_complete() {
                        // What is covered once more was received is not covered at the end of the segment.
                        let covers = if data.is_empty() { self.clock.covers() } else { None };
                        self.waiting.push_back((self.spool.content(), covers));
                        self.spool = new_spool(self.archive, &self.spool_directory, self.state.timeline, self.spool.end())?;
                    }
                }
                self.state.received = received;
                if received > self.state.durable {
                    self.unarchived_since.get_or_insert_with(Instant::now);
                }
                self.ask_at = self.ask_at.min(Instant::now() + self.partial_interval);
                self.start_waiting();
            }
            WalMessage::Keepalive { sent, sent_at, reply_requested } => {
                self.state.flushed = self.state.flushed.max(sent);
                // What the server sends of its own accord asks for a reply; its answers do not.
                if reply_requested || !self.asked {
                    self.clock.unasked(sent_at);
                } else {
                    self.asked = false;
                    self.ask_at = Instant::now() + self.ask_interval();
                    self.clock.answer(self.state.received, sent, sent_at);
                }
                if self.state.durable == self.state.received {
                    self.state.covers = self.state.covers.max(self.clock.covers());
                }
                if reply_requested {
                    // A server that is shutting down waits until what it has sent is confirmed.
                    self.unarchived_since = self.unarchived_since.map(|since| since.checked_sub(self.partial_interval).unwrap_or(since));
                    self.confirm(false).await?;
                }
            }
            WalMessage::EndOfTimeline => {}
        }
        Ok(())
    }

    /// How long to wait before the server is asked for its time.
    fn ask_interval(&self) -> Duration {
        let settled = self.last_data.is_none_or(|data| self.clock.covers().is_some_and(|covers| covers >= data));
        if settled { self.keepalive_interval } else { self.partial_interval }
    }

    /// Asks the server for its time, unless it has not answered yet, and confirms, so that it does not take this for a connection that was
    /// lost.
    async fn ask(&mut self) -> Result<(), BackupError> {
        self.ask_at = Instant::now() + self.ask_interval();
        if self.waiting.len() >= MAX_WAITING {
            // Nothing is read, so nothing is heard.
            self.heard_at = Instant::now();
        } else if self.heard_at.elapsed() > self.timeout {
            let message = format!("the server has sent nothing for {} s", self.timeout.as_secs());
            return Err(ReplicationError::Connection(Reason::new(ReasonCode::ConnectionLost, message)).into());
        }
        let request_reply = !std::mem::replace(&mut self.asked, true);
        self.confirm(request_reply).await
    }

    async fn confirm(&mut self, request_reply: bool) -> Result<(), BackupError> {
        Ok(self.stream.confirm(self.state.received.max(self.state.durable), self.state.durable, request_reply).await?)
    }

    /// When to archive the segment that is being received, up to where it is.
    fn next_cut(&self) -> Option<Instant> {
        // What was archived before is received again, from the start of its segment.
        if self.upload.is_some() || !self.waiting.is_empty() || self.state.received < self.state.durable {
            return None;
        }
        if let Some(since) = self.unarchived_since {
            return Some(since + self.partial_interval);
        }
        let (covers, written) = (self.clock.covers()?, self.partial.map(|partial| partial.covers));
        let settles = self.last_data.is_some_and(|data| covers >= data && written.is_none_or(|written| written < data));
        if settles { Some(Instant::now()) } else { (written < Some(covers)).then(|| self.marked_at + self.idle_interval) }
    }

    fn cut(&mut self) {
        self.unarchived_since = None;
        let covers = self.clock.covers().max(self.state.covers);
        self.upload = Some(Box::pin(upload(self.archive.clone(), self.spool.content(), covers, false)));
    }

    /// Archives the next complete segment, if none is on its way.
    fn start_waiting(&mut self) {
        if self.upload.is_none()
            && let Some((content, covers)) = self.waiting.pop_front()
        {
            let mark = self.marked_at.elapsed() >= self.partial_interval;
            self.upload = Some(Box::pin(upload(self.archive.clone(), content, covers, mark)));
        }
    }

    async fn uploaded(&mut self, uploaded: Uploaded) -> Result<(), BackupError> {
        let Uploaded { end, covers, partial } = uploaded;
        self.upload = None;
        self.state.durable = self.state.durable.max(end);
        self.state.covers = self.state.covers.max(covers);
        if self.state.durable >= self.state.received {
            self.unarchived_since = None;
        }
        self.confirm(false).await?;
        self.publish();
        if partial.is_some() {
            self.marked_at = Instant::now();
            let former = std::mem::replace(&mut self.partial, partial).filter(|former| Some(*former) != partial);
            if former.is_some()
                && let Some(superseded) = std::mem::replace(&mut self.former_partial, former)
            {
                delete_superseded(self.archive, superseded).await;
            }
        }
        self.start_waiting();
        Ok(())
    }

    /// Archives all that was received, and the time that it covers.
    async fn archive_rest(&mut self) -> Result<(), BackupError> {
        loop {
            self.start_waiting();
            let covers_more = self.state.durable == self.state.received && self.clock.covers() > self.partial.map(|partial| partial.covers);
            if self.upload.is_none() && (self.spool.end() > self.state.durable || covers_more) {
                self.cut();
            }
            if self.upload.is_none() {
                return Ok(());
            }
            let uploaded = completed(&mut self.upload).await?;
            self.uploaded(uploaded).await?;
        }
    }

    fn publish(&self) {
        self.status.send_if_modified(|status| {
            let modified = status.as_ref() != Some(&self.state);
            if modified {
                *status = Some(self.state.clone());
            }
            modified
        });
    }
}

enum Next {
    Uploaded(Uploaded),
    Ask,
    Cut,
    Message(WalMessage),
}

/// Completes with the upload that is on its way, if there is one.
async fn completed(upload: &mut Option<Upload>) -> Result<Uploaded, BackupError> {
    match upload {
        Some(upload) => upload.await,
        None => std::future::pending().await,
    }
}

fn new_spool(archive: &Archive, directory: &std::path::Path, timeline: Timeline, start: Lsn) -> Result<Spool, BackupError> {
    let size = archive.segment_size();
    Spool::create(directory, size.segment(timeline, start), size).map_err(BackupError::io(format!("creating a file in {}", directory.display())))
}
