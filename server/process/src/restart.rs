//! Planned restarts.
//!
//! A restart is recorded in the file `restart` of the instance before its server is signalled. The record identifies the server to
//! stop, so that after a crash it is known whether that one or already the next one is running: each operation restarts a server at
//! most once. It also distinguishes a planned exit from a death. A suspension stops the server in the same way: see [`super::suspend`].

use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use nix::sys::signal::Signal;
use toygres_domain::{
    OperationId,
    instance::{Reason, ReasonCode},
    runtime::{Progress, Restart},
};

use super::{
    cluster::{Cluster, Machine, PortTaken, ServerProcess},
    crash_loop::CrashLoopCounter,
    data_dir::write_atomically,
    error::Result,
};

const FILE: &str = "restart";
/// The maximum time that one call waits for the server, and so holds the lock of the instance.
const POLL: Duration = Duration::from_secs(1);
/// How long an immediate shutdown may take before every process of the server is killed. PostgreSQL itself kills workers that
/// ignore it after five seconds.
const IMMEDIATE_TIMEOUT: Duration = Duration::from_secs(7);
/// The supervisor continues a restart that was not continued for this time after its deadline.
const ABANDONED_AFTER: Duration = Duration::from_secs(60);

/// The last restart of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RestartRecord {
    operation: OperationId,
    /// The server to stop; `None` if there was none.
    former: Option<ServerProcess>,
    /// When the graceful shutdown ends and the immediate one begins, as the time since 1970, because it must remain valid in
    /// another process.
    deadline: Duration,
    /// Whether the former server has stopped.
    done: bool,
}

impl RestartRecord {
    pub(super) fn read(home: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(home.join(FILE)).ok()?)
    }

    /// Whether this restart stopped the server, or is about to, so that its exit is not a death.
    pub(super) fn stops(&self, server: ServerProcess) -> bool {
        self.former.is_some_and(|former| former.is(server))
    }

    /// Whether this is the former server, and it has not stopped yet.
    pub(super) fn is_stopping(&self, server: ServerProcess) -> bool {
        !self.done && self.stops(server)
    }

    /// Whether it is the restart of this operation.
    pub(super) fn is_of(&self, operation: &OperationId) -> bool {
        self.operation == *operation
    }

    /// Whether the former server has stopped.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Whether the restart is overdue because its caller no longer repeats it.
    pub(super) fn is_abandoned(&self) -> bool {
        !self.done && since_1970() > self.deadline + ABANDONED_AFTER
    }

    /// The format has one item per line: operation, process id and start time of the former server (`-` if unknown), deadline in
    /// milliseconds since 1970, `stopping` or `done`.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let operation = OperationId::from_any(lines.next()?);
        let (pid, started) = (lines.next()?.parse().ok(), lines.next()?.parse().ok());
        let deadline = Duration::from_millis(lines.next()?.parse().ok()?);
        Some(Self { operation, former: pid.map(|pid| ServerProcess { pid, started }), deadline, done: lines.next()? == "done" })
    }

    fn write(&self, home: &Path) -> Result<()> {
        let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let text = format!(
            "{}\n{}\n{}\n{}\n{}\n",
            self.operation,
            number(self.former.map(|server| server.pid.into())),
            number(self.former.and_then(|server| server.started)),
            self.deadline.as_millis(),
            if self.done { "done" } else { "stopping" }
        );
        write_atomically(&home.join(FILE), 0o600, &text)
    }
}

/// Starts or continues the restart of an operation. Waits about a second at most for the server. The caller holds the lock of the
/// instance.
pub(super) fn advance(machine: &Machine, cluster: &Cluster, restart: &Restart) -> Result<Progress> {
    let record = begin_once(cluster, restart)?;
    resume(machine, cluster, record)
}

/// Stops the server that runs now for a suspension, as [`advance`] does for a restart, and starts none. Returns what it waits for, or
/// `None` if the server has stopped. The caller holds the lock of the instance.
pub(super) fn stop_only(cluster: &Cluster, operation: &OperationId, timeout: Duration) -> Result<Option<Reason>> {
    let server = cluster.server()?;
    let mut record = match RestartRecord::read(cluster.home()) {
        // The server of an earlier run of the operation may have been started again.
        Some(record) if record.operation == *operation && server.is_none_or(|server| record.stops(server)) => record,
        _ => begin(cluster, operation, timeout)?,
    };
    let waits_for = stop(cluster, &record, "and stays stopped")?;
    if waits_for.is_none() && record.former.is_some() && !record.done {
        record.done = true;
        record.write(cluster.home())?;
    }
    Ok(waits_for)
}

/// Records the restart of an operation if it was not. The caller holds the lock of the instance.
pub(super) fn begin_once(cluster: &Cluster, restart: &Restart) -> Result<RestartRecord> {
    let Restart { operation, timeout } = restart;
    match RestartRecord::read(cluster.home()) {
        Some(record) if record.is_of(operation) => Ok(record),
        _ => begin(cluster, operation, *timeout),
    }
}

/// Continues a recorded restart. The caller holds the lock of the instance.
pub(super) fn resume(machine: &Machine, cluster: &Cluster, mut record: RestartRecord) -> Result<Progress> {
    if !record.done {
        if let Some(reason) = stop(cluster, &record, "to be started again")? {
            return Ok(Progress::InProgress(reason));
        }
        // As in a deployment, a requested restart starts the server immediately, regardless of earlier deaths.
        CrashLoopCounter::reset(cluster.home())?;
        record.done = true;
        record.write(cluster.home())?;
    }
    // Also if the record is already done: there may have been a crash between the record and the start.
    cluster.start(machine, PortTaken::Move)?;
    Ok(Progress::Done)
}

fn begin(cluster: &Cluster, operation: &OperationId, timeout: Duration) -> Result<RestartRecord> {
    let record = RestartRecord { operation: operation.clone(), former: cluster.server()?, deadline: since_1970() + timeout, done: false };
    if record.former.is_some() {
        record.write(cluster.home())?;
    }
    Ok(record)
}

/// Stops the former server: first gracefully, after the deadline with an immediate shutdown, finally by killing it. Returns what it
/// waits for, with what comes `next`, or `None` if the server has stopped. Signals are repeated, because an earlier one may not have been
/// sent; repeating them has no effect.
fn stop(cluster: &Cluster, record: &RestartRecord, next: &str) -> Result<Option<Reason>> {
    let still_there = || -> Result<Option<ServerProcess>> { Ok(cluster.server()?.filter(|server| record.stops(*server))) };
    let Some(server) = still_there()? else { return Ok(None) };
    let left = record.deadline.saturating_sub(since_1970());
    if !left.is_zero() {
        let gone = cluster.signal_and_wait(server.pid, Signal::SIGINT, left.min(POLL))?;
        return Ok((!gone).then(|| Reason::new(ReasonCode::StartingUp, format!("PostgreSQL is shutting down, {next}"))));
    }
    if cluster.signal_and_wait(server.pid, Signal::SIGQUIT, POLL)? {
        return Ok(None);
    }
    if since_1970() > record.deadline + IMMEDIATE_TIMEOUT && still_there()?.is_some() {
        // A server that is suspended or blocked in the kernel reacts to no other signal.
        cluster.kill_all()?;
        return Ok(None);
    }
    let message = format!("PostgreSQL did not shut down in time and is being stopped immediately, {next}");
    Ok(Some(Reason::new(ReasonCode::StartingUp, message)))
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RestartRecord {
        let former = ServerProcess { pid: 42, started: Some(1_700_000_000) };
        RestartRecord {
            operation: OperationId::from_any("restart-x-2"),
            former: Some(former),
            deadline: Duration::from_millis(1_800_000_000_123),
            done: false,
        }
    }

    #[test]
    fn a_record_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let unknown_start = Some(ServerProcess { pid: 42, started: None });
        for record in [
            record(),
            RestartRecord { done: true, ..record() },
            RestartRecord { former: None, ..record() },
            RestartRecord { former: unknown_start, ..record() },
        ] {
            record.write(directory.path()).unwrap();
            assert_eq!(RestartRecord::read(directory.path()), Some(record));
        }
    }

    #[test]
    fn a_process_id_that_is_used_again_is_another_server() {
        let record = record();
        assert!(record.stops(ServerProcess { pid: 42, started: Some(1_700_000_000) }));
        assert!(record.stops(ServerProcess { pid: 42, started: None }), "it ended before it wrote its start time");
        assert!(!record.stops(ServerProcess { pid: 42, started: Some(1_700_000_009) }));
        assert!(!record.stops(ServerProcess { pid: 43, started: Some(1_700_000_000) }));
    }

    #[test]
    fn only_a_restart_that_nobody_continues_is_abandoned() {
        assert!(RestartRecord { deadline: Duration::ZERO, ..record() }.is_abandoned());
        assert!(!RestartRecord { deadline: Duration::ZERO, done: true, ..record() }.is_abandoned());
        assert!(!RestartRecord { deadline: since_1970(), ..record() }.is_abandoned());
    }
}
