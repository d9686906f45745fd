//! Following a log.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use futures::{Stream, stream};
use metrics::{counter, gauge};
use tokio::{sync::OwnedSemaphorePermit, time::sleep};
use toygres_domain::{
    InstanceId, Result,
    instance::{InstanceState, Reason},
    runtime::{LogStart, RuntimeError},
    server_log::{LogCursor, LogEntry, LogFilter, LogPosition, parser::LogParser},
};

use super::{
    ENTRIES, STREAMS,
    reader::{LogReader, Read},
};
use crate::app::{App, activity::limit, is_final, limits};

/// Entries that a subscriber gets at a time.
const BATCH: usize = 500;
/// Entries after which a subscriber who wants none of them is told how far the log was read.
const PROGRESS: usize = 5000;
/// How long a subscriber waits for a host that fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// From one attempt to the next.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// What a subscriber gets.
#[derive(Clone, Debug)]
pub struct LogBatch {
    /// The newest entry that was read, wanted or not. The next batch begins after it.
    pub cursor: LogCursor,
    /// The entries, oldest first.
    pub entries: Vec<LogEntry>,
    /// Whether entries are missing in front of them.
    pub gap: bool,
}

/// Where a subscriber begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowFrom {
    /// With as many of the newest wanted entries.
    Tail(u16),
    /// After this entry.
    After(LogCursor),
}

impl FollowFrom {
    /// Reads the arguments of a subscription; a cursor takes precedence.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] if `tail` is outside of [`limits::LOG_TAIL`].
    pub fn new(tail: Option<i32>, after: Option<LogCursor>) -> Result<Self> {
        let tail = limit("entries", "tail", tail, limits::LOG_TAIL)?;
        Ok(after.map_or(Self::Tail(tail), Self::After))
    }
}

impl App {
    /// Follows the log of an instance until it is deleted. Entries are read when the subscriber asks for them; if the host has dropped some
    /// before, the subscriber is told.
    ///
    /// # Errors
    /// As many logs are followed as may be.
    pub fn follow_log(
        &self,
        id: InstanceId,
        from: FollowFrom,
        filter: LogFilter,
    ) -> Result<impl Stream<Item = Result<LogBatch, Reason>> + Send + use<>, Reason> {
        let follower = Follower {
            _open: OpenStream::new(self.inspections.log_stream()?),
            app: self.clone(),
            id,
            filter,
            from,
            reader: None,
            ready: VecDeque::new(),
            gap: false,
            unreported: 0,
            failing_since: None,
        };
        Ok(stream::try_unfold(follower, async |mut follower: Follower| {
            let next = follower.next().await;
            next.map(|batch| batch.map(|batch| (batch, follower)))
        }))
    }
}

struct Follower {
    app: App,
    id: InstanceId,
    filter: LogFilter,
    /// Where to go on.
    from: FollowFrom,
    reader: Option<LogReader>,
    /// What was read and not handed out: a chunk of the log at the most, or the tail.
    ready: VecDeque<LogBatch>,
    gap: bool,
    /// Entries that were read since the last batch.
    unreported: usize,
    failing_since: Option<Instant>,
    _open: OpenStream,
}

impl Follower {
    async fn next(&mut self) -> Result<Option<LogBatch>, Reason> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                counter!(ENTRIES).increment(batch.entries.len() as u64);
                return Ok(Some(batch));
            }
            match self.advance().await {
                Ok(true) => self.failing_since = None,
                Ok(false) => return Ok(None),
                Err(error) => {
                    self.reader = None;
                    if self.is_over(error).await? {
                        return Ok(None);
                    }
                    sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }

    /// Reads on; false if the log has ended.
    async fn advance(&mut self) -> Result<bool, RuntimeError> {
        let Some(reader) = &mut self.reader else {
            self.reader = Some(self.open().await?);
            return Ok(true);
        };
        let Some(read) = reader.next().await? else { return Ok(false) };
        self.take(read);
        Ok(true)
    }

    async fn open(&mut self) -> Result<LogReader, RuntimeError> {
        let mut cursor = match self.from {
            FollowFrom::After(cursor) => Some(cursor),
            FollowFrom::Tail(_) => None,
        };
        if let FollowFrom::Tail(tail) = self.from {
            let (app, filter) = (self.app.clone(), self.filter.clone());
            let page = app.in_turn(self.id, app.newest(self.id, usize::from(tail), &filter)).await?;
            self.take(Read { gap: false, entries: page.entries });
            if let Some(end) = page.end {
                self.from = FollowFrom::After(end);
                cursor = Some(end);
            }
        }
        let start = cursor.map_or(LogPosition::default(), |cursor| cursor.position);
        let stream = self.app.runtime.read_log(self.id, LogStart::At(start), true).await?;
        Ok(LogReader::new(stream, LogParser::default(), cursor))
    }

    /// Makes batches of entries.
    fn take(&mut self, Read { gap, entries }: Read) {
        self.gap |= gap;
        let Some(last) = entries.last().map(|entry| entry.cursor) else { return };
        self.unreported += entries.len();
        let mut batch = Vec::new();
        for entry in entries {
            let cursor = entry.cursor;
            if self.filter.matches(&entry) {
                batch.push(entry);
            }
            if batch.len() == BATCH {
                self.hand_out(cursor, std::mem::take(&mut batch));
            }
        }
        if !batch.is_empty() || self.gap || self.unreported >= PROGRESS {
            self.hand_out(last, batch);
        }
        self.from = FollowFrom::After(last);
    }

    fn hand_out(&mut self, cursor: LogCursor, entries: Vec<LogEntry>) {
        self.ready.push_back(LogBatch { cursor, entries, gap: std::mem::take(&mut self.gap) });
        self.unreported = 0;
    }

    /// Whether the instance is deleted. It may have no log before it is created, and its host may fail for a while.
    async fn is_over(&mut self, RuntimeError { reason, retryable }: RuntimeError) -> Result<bool, Reason> {
        let state = match self.app.store.instance(self.id).await {
            Ok(instance) => instance.map_or(InstanceState::Deleted, |instance| instance.state),
            Err(error) => {
                tracing::debug!(%error, "whether an instance is deleted is not known");
                InstanceState::Running
            }
        };
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        match state {
            state if is_final(state) => Ok(true),
            InstanceState::Creating => Ok(false),
            _ if retryable && since.elapsed() < PATIENCE => Ok(false),
            _ => Err(reason),
        }
    }
}

/// One of the logs that are followed, for the metric and the limit.
struct OpenStream {
    _permit: OwnedSemaphorePermit,
}

impl OpenStream {
    fn new(permit: OwnedSemaphorePermit) -> Self {
        gauge!(STREAMS).increment(1);
        Self { _permit: permit }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        gauge!(STREAMS).decrement(1);
    }
}
