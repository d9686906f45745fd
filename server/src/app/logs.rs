//! The log of an instance: pages of it, and following it.

mod follow;
mod reader;

use std::{collections::VecDeque, time::Duration};

use tokio::time::timeout;
use toygres_domain::{
    InstanceId, Result,
    instance::{Instance, InstanceState, Reason, ReasonCode},
    runtime::{LogStart, RuntimeError},
    server_log::{LogCursor, LogEntry, LogFilter, parser::LogParser},
};

use super::{
    App,
    activity::limit,
    inspection::{Inspection, not_running},
    is_final, limits,
};
pub use follow::{FollowFrom, LogBatch};
use reader::LogReader;

/// The name of the metric of logs that are followed.
pub const STREAMS: &str = "toygres_log_streams";
/// The name of the metric of entries that were handed to subscribers.
pub const ENTRIES: &str = "toygres_log_entries_total";
/// The name of the metric of gaps.
pub const GAPS: &str = "toygres_log_gaps_total";

/// Bytes of a log in which the newest entries are looked for at first.
const FIRST_WINDOW: u64 = 256 * 1024;
/// How much more is read each time that there were too few.
const WINDOW_GROWTH: u64 = 8;
/// More than a host keeps.
const LAST_WINDOW: u64 = 1024 * 1024 * 1024;
/// How long a page may take.
const PAGE_TIMEOUT: Duration = Duration::from_secs(20);

/// A part of a log, oldest entry first.
#[derive(Clone, Debug, Default)]
pub struct LogPage {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// Whether there are wanted entries in front of them, or there may be.
    pub has_previous: bool,
    /// Whether there are wanted entries after them.
    pub has_next: bool,
    /// Whether the entry of the cursor is not kept any more, so that entries after it may be missing.
    pub gap: bool,
    /// The newest entry that was read, wanted or not.
    end: Option<LogCursor>,
}

impl App {
    /// Reads a page of the log of an instance: the entries after a cursor, oldest first, or the newest ones. The inner error is why it could not
    /// be read.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] if `first` is outside of [`limits::PAGE_SIZE`].
    pub async fn logs(
        &self,
        instance: &Instance,
        first: Option<i32>,
        after: Option<LogCursor>,
        filter: &LogFilter,
    ) -> Result<Result<LogPage, Reason>> {
        let first = usize::from(limit("entries", "first", first, limits::PAGE_SIZE)?);
        if is_final(instance.state) {
            return Ok(Err(not_running("it was deleted")));
        }
        let page = match after {
            Some(cursor) => self.in_turn(instance.id, self.page_after(instance.id, first, cursor, filter)).await,
            None => self.in_turn(instance.id, self.newest(instance.id, first, filter)).await,
        };
        Ok(page.map_err(|RuntimeError { reason, retryable: _ }| match (reason.code, instance.state) {
            (ReasonCode::LogNotHere | ReasonCode::NotRunning, InstanceState::Creating) => not_running("it is being created"),
            (ReasonCode::NotRunning, InstanceState::Suspended) => {
                Reason::new(ReasonCode::Suspended, "it is suspended, and the log of a pod goes with the pod: resume it first")
            }
            _ => reason,
        }))
    }

    /// Reads a part of a log, a few at a time.
    async fn in_turn(&self, id: InstanceId, read: impl Future<Output = Result<LogPage, RuntimeError>>) -> Result<LogPage, RuntimeError> {
        let read = async {
            let late = |_| {
                let message = format!("its log was not read within {} s", PAGE_TIMEOUT.as_secs());
                Err(RuntimeError::temporary(ReasonCode::ConnectionTimeout, message))
            };
            timeout(PAGE_TIMEOUT, read).await.unwrap_or_else(late)
        };
        self.inspect_host(Inspection::Logs, id, read).await
    }

    /// Reads more and more of the end of the log until there is enough.
    async fn newest(&self, id: InstanceId, first: usize, filter: &LogFilter) -> Result<LogPage, RuntimeError> {
        let mut window = FIRST_WINDOW;
        loop {
            let stream = self.runtime.read_log(id, LogStart::Newest(window), false).await?;
            let mut reader = LogReader::new(stream, LogParser::within_an_entry(), None);
            let (mut page, mut found, mut reaches_since) = (LogPage::default(), VecDeque::new(), false);
            while let Some(read) = reader.next().await? {
                if page.end.is_none() {
                    let oldest = read.entries.iter().find_map(|entry| entry.time);
                    reaches_since = filter.since.zip(oldest).is_some_and(|(since, oldest)| oldest < since);
                }
                for entry in read.entries {
                    page.end = Some(entry.cursor);
                    if filter.matches(&entry) {
                        found.push_back(entry);
                        // One more tells whether there are others.
                        if found.len() > first + 1 {
                            found.pop_front();
                        }
                    }
                }
            }
            if found.len() > first || reaches_since || reader.is_from_oldest() || window >= LAST_WINDOW {
                page.has_previous = found.len() > first;
                page.entries = found.into_iter().skip(usize::from(page.has_previous)).collect();
                return Ok(page);
            }
            window *= WINDOW_GROWTH;
        }
    }

    async fn page_after(&self, id: InstanceId, first: usize, cursor: LogCursor, filter: &LogFilter) -> Result<LogPage, RuntimeError> {
        let stream = self.runtime.read_log(id, LogStart::At(cursor.position), false).await?;
        let mut reader = LogReader::new(stream, LogParser::default(), Some(cursor));
        let mut page = LogPage { has_previous: true, ..LogPage::default() };
        while let Some(read) = reader.next().await? {
            page.gap |= read.gap;
            for entry in read.entries.into_iter().filter(|entry| filter.matches(entry)) {
                if page.entries.len() == first {
                    page.has_next = true;
                    return Ok(page);
                }
                page.entries.push(entry);
            }
        }
        Ok(page)
    }
}
