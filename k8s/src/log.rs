//! The log of the server of an instance, as the API server has it: that of the container, and that of the container before it in the same pod.
//!
//! A line is known by the time at which the node received it. A pod that is replaced takes its log with it; whoever follows has read it by then.

mod lines;

use std::{fmt::Display, time::Duration};

use futures::{StreamExt, stream};
use k8s_openapi::{
    api::core::v1::{ContainerStatus, Pod},
    jiff::Timestamp,
};
use kube::{ResourceExt, api::LogParams};
use tokio::sync::mpsc;
use toygres_domain::{
    InstanceId,
    instance::ReasonCode,
    runtime::{LogChunk, LogStart, LogStream, RuntimeError},
    server_log::{LogLine, LogPosition},
};

use crate::{
    build::{CONTAINER, names},
    cluster::{CALL_TIMEOUT, Cluster},
    errors::runtime_error,
};
use lines::Lines;

/// Chunks of 32 KiB that wait for a slow reader. What follows is asked for again when it has caught up.
const WAITING_CHUNKS: usize = 64;
/// What a line takes, about, when a number of bytes is asked for.
const BYTES_PER_LINE: u64 = 128;
/// After how long without a line those that have arrived are all for now. A server writes the lines of a message at once.
const PAUSE: Duration = Duration::from_millis(200);
/// How often the pod is looked at while there is no log to follow.
const INTERVAL: Duration = Duration::from_millis(500);
/// What fails when a log ends early.
const READ: &str = "read the log of the server";

/// Reads the log from `start` on.
pub(crate) async fn read(cluster: &Cluster, id: InstanceId, start: LogStart, follow: bool) -> Result<LogStream, RuntimeError> {
    let container = container(cluster, id).await?;
    if container.is_none() && !follow {
        return Err(RuntimeError::permanent(ReasonCode::NotRunning, "it has no pod, so there is no log: the log of a pod goes with the pod"));
    }
    let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
    let reader = Reader { cluster: cluster.clone(), id, follow, sink: Sink { sender, follow }, from: None, after: None, is_behind: false };
    // It ends when the receiver is dropped.
    tokio::spawn(reader.run(start));
    Ok(stream::unfold(receiver, async |mut receiver: mpsc::Receiver<_>| Some((receiver.recv().await?, receiver))).boxed())
}

/// One run of the container of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    pod: String,
    uid: Option<String>,
    restarts: i32,
    /// Whether it runs as far as is known.
    running: bool,
}

/// The present container of the server, if it has been started.
async fn container(cluster: &Cluster, id: InstanceId) -> Result<Option<Run>, RuntimeError> {
    let pods = cluster.list::<Pod>(&names::selector(id)).await?;
    let Some(pod) = pods.iter().find(|pod| !names::is_of_job(&pod.metadata)) else { return Ok(None) };
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let status = statuses.into_iter().find(|status| status.name == CONTAINER);
    let restarts = status.map_or(0, |status| status.restart_count);
    Ok(Some(Run { pod: pod.name_any(), uid: pod.metadata.uid.clone(), restarts, running: status.is_some_and(is_running) }))
}

fn is_running(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.running.is_some())
}

struct Reader {
    cluster: Cluster,
    id: InstanceId,
    follow: bool,
    sink: Sink,
    /// Lines in front of this position are left out.
    from: Option<LogPosition>,
    /// The last line that was handed out.
    after: Option<LogPosition>,
    /// Whether that line must be there: it is not if the node has dropped it before its reader has caught up.
    is_behind: bool,
}

/// Why reading has ended.
enum Stop {
    /// Nobody reads.
    Closed,
    Failed(RuntimeError),
}

impl From<RuntimeError> for Stop {
    fn from(error: RuntimeError) -> Self {
        Self::Failed(error)
    }
}

impl Reader {
    async fn run(mut self, start: LogStart) {
        let outcome = match start {
            LogStart::Newest(bytes) => self.newest(bytes).await,
            LogStart::At(position) => {
                self.from = Some(position);
                self.rest().await
            }
        };
        if let Err(Stop::Failed(error)) = outcome {
            // An error means that nobody reads.
            let _ = self.sink.sender.send(Err(error)).await;
        }
    }

    /// As many of the newest lines.
    async fn newest(&mut self, bytes: u64) -> Result<(), Stop> {
        let Some(run) = container(&self.cluster, self.id).await? else { return Ok(()) };
        let wanted = i64::try_from((bytes / BYTES_PER_LINE).max(1)).unwrap_or(i64::MAX);
        let newest = |previous| LogParams { tail_lines: Some(wanted), previous, ..params() };
        let current = self.all(&run, &newest(false)).await?;
        let is_all = |lines: &[LogLine]| i64::try_from(lines.len()).is_ok_and(|count| count < wanted);
        let mut before = Vec::new();
        if is_all(&current) {
            if run.restarts > 0 {
                before = self.all(&run, &newest(true)).await?;
            }
            if is_all(&before) {
                self.sink.send(LogChunk::Oldest).await?;
            }
        }
        self.after = current.last().or(before.last()).map(|line| line.position);
        for lines in [before, current] {
            self.sink.send(LogChunk::Lines(lines)).await?;
        }
        if self.follow { self.rest().await } else { self.sink.send(LogChunk::End).await }
    }

    /// All lines of a container; none if there is no log.
    async fn all(&mut self, run: &Run, params: &LogParams) -> Result<Vec<LogLine>, Stop> {
        let Some(mut lines) = self.open(run, params).await? else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        while let Some(chunk) = lines.next().await.map_err(|error| broken(READ, error))? {
            all.extend(chunk);
        }
        Ok(all)
    }

    /// Everything from the position on, container after container.
    async fn rest(&mut self) -> Result<(), Stop> {
        let mut last: Option<Run> = None;
        loop {
            let run = container(&self.cluster, self.id).await?;
            match run {
                Some(run)
                    if self.is_behind || last.as_ref().is_none_or(|last| run.running || (&last.uid, last.restarts) != (&run.uid, run.restarts)) =>
                {
                    if self.has_missed(last.as_ref(), &run) {
                        self.sink.send(LogChunk::Gap).await?;
                    }
                    let is_read = (run.restarts == 0 || self.lines_of(&run, true).await?) && self.lines_of(&run, false).await?;
                    last = Some(run);
                    if !is_read {
                        self.is_behind = true;
                        self.sink.caught_up().await?;
                        continue;
                    }
                }
                _ => {}
            }
            if !self.follow {
                return self.sink.send(LogChunk::End).await;
            }
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => {}
                () = self.sink.sender.closed() => return Err(Stop::Closed),
            }
        }
    }

    /// Whether a container has begun and ended between the last one that was read and the one before this one.
    fn has_missed(&self, last: Option<&Run>, run: &Run) -> bool {
        last.is_some_and(|last| run.restarts > 1 + if last.uid == run.uid { last.restarts } else { 0 })
    }

    /// The lines of the present container until it ends, or of the one before it; false if the reader is too slow.
    async fn lines_of(&mut self, run: &Run, previous: bool) -> Result<bool, Stop> {
        let since = self.after.max(self.from).and_then(|position| Timestamp::from_second(i64::try_from(position.at / 1_000_000_000).ok()?).ok());
        let params = LogParams { follow: self.follow && !previous, previous, since_time: since, ..params() };
        let Some(mut lines) = self.open(run, &params).await? else { return Ok(true) };
        let (from, after) = (self.from, self.after);
        let is_read = |line: &LogLine| from.is_some_and(|from| line.position < from) || after.is_some_and(|after| line.position <= after);
        // Only those at the beginning: clocks are set back.
        let mut skipping = true;
        let mut ended = true;
        loop {
            let next = tokio::select! {
                next = tokio::time::timeout(PAUSE, lines.next()) => next,
                () = self.sink.sender.closed() => return Err(Stop::Closed),
            };
            let mut chunk = match next {
                Ok(next) => match next.map_err(|error| broken(READ, error))? {
                    Some(chunk) => chunk,
                    None => break,
                },
                Err(_) if ended => continue,
                Err(_) => {
                    self.sink.send(LogChunk::End).await?;
                    ended = true;
                    continue;
                }
            };
            if skipping {
                self.is_behind &= chunk.iter().all(|line| Some(line.position) != after);
                let new = chunk.iter().position(|line| !is_read(line)).unwrap_or(chunk.len());
                chunk.drain(..new);
                skipping = chunk.is_empty();
            }
            if let Some(last) = chunk.last().map(|line| line.position) {
                if std::mem::take(&mut self.is_behind) {
                    self.sink.send(LogChunk::Gap).await?;
                }
                if !self.sink.offer(LogChunk::Lines(chunk)).await? {
                    return Ok(false);
                }
                self.after = Some(last);
                ended = false;
            }
        }
        self.sink.send(LogChunk::End).await?;
        Ok(true)
    }

    /// Asks for a log; `None` if there is none: the container has not started, or there was no other before it, or the pod is gone.
    async fn open(&self, run: &Run, params: &LogParams) -> Result<Option<Lines>, Stop> {
        let (what, pods) = (format!("read the log of the pod {}", run.pod), self.cluster.api::<Pod>());
        match tokio::time::timeout(CALL_TIMEOUT, pods.log_stream(&run.pod, params)).await {
            Ok(Ok(log)) => Ok(Some(Lines::new(log))),
            Ok(Err(kube::Error::Api(status))) if matches!(status.code, 400 | 404) => Ok(None),
            Ok(Err(error)) => Err(runtime_error(&what, &error).into()),
            Err(_) => Err(broken(&what, "it does not respond").into()),
        }
    }
}

fn params() -> LogParams {
    LogParams { container: Some(CONTAINER.to_owned()), timestamps: true, ..LogParams::default() }
}

fn broken(what: &str, why: impl Display) -> RuntimeError {
    RuntimeError::temporary(ReasonCode::RuntimeUnavailable, format!("Cannot {what}: the API server cannot be reached: {why}"))
}

/// Where chunks go.
struct Sink {
    sender: mpsc::Sender<Result<LogChunk, RuntimeError>>,
    follow: bool,
}

impl Sink {
    /// Hands out a chunk when there is room.
    async fn send(&self, chunk: LogChunk) -> Result<(), Stop> {
        self.sender.send(Ok(chunk)).await.map_err(|_| Stop::Closed)
    }

    /// Hands out a chunk, unless there is no room: the API server is not kept waiting by who follows a log. Returns whether it did.
    async fn offer(&self, chunk: LogChunk) -> Result<bool, Stop> {
        if !self.follow {
            return self.send(chunk).await.map(|()| true);
        }
        match self.sender.try_send(Ok(chunk)) {
            Ok(()) => Ok(true),
            Err(mpsc::error::TrySendError::Full(_)) => Ok(false),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Stop::Closed),
        }
    }

    /// Waits until most of what was handed out is read.
    async fn caught_up(&self) -> Result<(), Stop> {
        self.sender.reserve_many(WAITING_CHUNKS / 2).await.map(drop).map_err(|_| Stop::Closed)
    }
}
