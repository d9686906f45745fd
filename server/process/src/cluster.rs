//! One PostgreSQL cluster: a data directory and its server process, whichever control plane started it.

use std::{
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use toygres_domain::instance::PostgresVersion;

use super::{
    account::Account,
    binaries::{Binaries, Installation},
    data_dir::DataDir,
    error::{Error, IoContext, Result},
    log_file, port,
    process_table::{self, ClusterIdentity},
    reaper::Reaper,
    release, suspend,
};

/// The environment that all clusters of one control plane share.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) data: DataDir,
    pub(super) binaries: Binaries,
    pub(super) account: Account,
    pub(super) reaper: Reaper,
}

/// A cluster in its home directory, which contains `data/` (written by PostgreSQL) and, not writable by PostgreSQL's user,
/// `postgresql.conf`, `pg_hba.conf`, `port.conf`, `log`, `crash-loop`, `restart` and `suspended`.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    /// Its `cluster_name`, which the titles of its processes contain.
    name: String,
    home: PathBuf,
}

/// One server process. Process ids are reused, so the start time is part of its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ServerProcess {
    pub(super) pid: u32,
    /// In seconds since 1970; unknown until the server has written it.
    pub(super) started: Option<u64>,
}

impl ServerProcess {
    /// Whether both may be the same server; an unknown start time matches any.
    pub(super) fn is(self, other: Self) -> bool {
        self.pid == other.pid && self.started.zip(other.started).is_none_or(|(this, that)| this == that)
    }
}

/// The status of the server process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// There is no server process, or it has not written its `postmaster.pid` yet.
    Stopped,
    /// The server is starting, or recovering after a crash.
    Starting { server: ServerProcess },
    /// The server accepts connections.
    Ready { server: ServerProcess, port: u16 },
    /// The server is shutting down.
    Stopping { server: ServerProcess },
}

/// What to do if another program listens on the port of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PortTaken {
    /// Move to another port.
    Move,
    /// Fail, so that the start is retried until the port is free.
    Wait,
}

impl Cluster {
    pub(super) fn new(name: String, home: PathBuf) -> Self {
        Self { name, home }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// The state of the server process. Cheap: it reads three small files. An error means that the state is not known.
    pub(super) fn status(&self) -> Result<Status> {
        let Some(file) = PostmasterFile::read(&self.data())? else { return Ok(Status::Stopped) };
        let server = file.server;
        // The file remains when a server is killed, and its process id may have been reused by another program. In a copy of a
        // directory it is about the server of the original.
        if !self.is_alive(server.pid)? {
            return Ok(Status::Stopped);
        }
        Ok(match file.status.as_str() {
            "ready" | "standby" => Status::Ready { server, port: file.port },
            "stopping" => Status::Stopping { server },
            _ => Status::Starting { server },
        })
    }

    /// The state of the server process, and whether the one that was observed or started last is still running although it has no
    /// `postmaster.pid` (yet).
    pub(super) fn status_after(&self, reaper: &Reaper, last: Option<u32>) -> Result<(Status, bool)> {
        let status = self.status()?;
        let last_lives = match last {
            // A child that has not exited lives, whatever the process table shows.
            Some(pid) if status == Status::Stopped => reaper.waits_for(pid, &self.name) || self.is_alive(pid)?,
            _ => false,
        };
        Ok((status, last_lives))
    }

    /// Whether `pid` is the server of this cluster, also before it has written its `postmaster.pid`.
    pub(super) fn is_alive(&self, pid: u32) -> Result<bool> {
        self.identity()?.is_server(pid)
    }

    fn identity(&self) -> Result<ClusterIdentity> {
        ClusterIdentity::of(&self.name, &self.data())
    }

    /// Starts the server if there is none and it is not suspended, without waiting until it is ready. Returns the process id if it
    /// started one. The caller must hold the lock of this cluster, because this cleans up after a server that was killed.
    pub(super) fn start(&self, machine: &Machine, port_taken: PortTaken) -> Result<Option<u32>> {
        if suspend::is_suspended(&self.home) || self.identity()?.processes()?.iter().any(|process| process.server) {
            return Ok(None);
        }
        let installation = self.installation(machine)?;
        // Child processes of a killed server hold its shared memory, which would prevent the new one from starting.
        self.kill_all()?;
        self.report_original();
        // There is no server, so the file is stale. PostgreSQL would regard it as valid if the process id has been reused.
        remove_file(&self.data().join("postmaster.pid"))?;
        match port::kept(&self.home) {
            Some(port) if port::is_free(port) => {}
            Some(port) if port_taken == PortTaken::Wait => {
                return Err(Error::Busy(format!("port {port} is taken by another program")));
            }
            _ => {
                port::choose(&machine.data, &self.home)?;
            }
        }
        release::record(&self.home, &installation.version)?;
        let log = log_file::open(&self.home)?;
        let mut command = Command::new(installation.program("postgres"));
        machine.account.prepare(&mut command);
        command
            .arg("-D")
            .arg(self.data())
            .args(["-c", &format!("config_file={}", self.home.join("postgresql.conf").display())])
            .args(["-c", &format!("hba_file={}", self.home.join("pg_hba.conf").display())])
            .args(["-c", &format!("cluster_name={}", self.name)])
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("open the log of the instance")?)
            .stderr(log);
        let child = command.spawn().context(format_args!("run {}", installation.program("postgres").display()))?;
        let pid = child.id();
        machine.reaper.reap(child, &self.name);
        Ok(Some(pid))
    }

    /// Logs that this directory is a copy of one whose server is running. Nothing is done to that server.
    fn report_original(&self) {
        if let Err(error) = self.look_for_original() {
            tracing::debug!(%error, "whether this directory is a copy is not known");
        }
    }

    fn look_for_original(&self) -> Result<()> {
        let Some(PostmasterFile { server, directory, .. }) = PostmasterFile::read(&self.data())? else { return Ok(()) };
        let original = ClusterIdentity::of(&self.name, &directory)?;
        if !original.is(&self.identity()?) && original.is_server(server.pid)? {
            tracing::warn!(
                directory = %self.data().display(),
                original = %directory.display(),
                pid = server.pid,
                "this directory is a copy of one whose server is running; that server is left alone, and the copy gets its own"
            );
        }
        Ok(())
    }

    /// Stops the server with a fast shutdown, and after `timeout` with an immediate one; returns when no process of it is left.
    /// Committed data is safe in both cases.
    pub(super) fn stop(&self, timeout: Duration) -> Result<()> {
        if !self.end(Signal::SIGINT, timeout)? {
            tracing::warn!(cluster = %self.name, "PostgreSQL did not stop in time; stopping it immediately");
            self.stop_immediately()?;
        }
        Ok(())
    }

    /// Stops the server without a checkpoint; returns when no process of it is left.
    pub(super) fn stop_immediately(&self) -> Result<()> {
        // PostgreSQL itself kills workers that ignore this after five seconds.
        if self.end(Signal::SIGQUIT, Duration::from_secs(7))? { Ok(()) } else { self.kill_all() }
    }

    /// Kills every process of the cluster and waits until they are gone.
    pub(super) fn kill_all(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            // Listed again in each round, because the server may have forked during the last one.
            let found = self.identity()?.processes()?;
            if found.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Error::Busy(format!("{} processes of PostgreSQL do not end although they were killed", found.len())));
            }
            for process in &found {
                process_table::signal(process.pid, Signal::SIGKILL)?;
            }
            sleep(Duration::from_millis(5));
        }
    }

    /// Signals the server and waits for its end. Returns whether it ended within `timeout`.
    fn end(&self, signal: Signal, timeout: Duration) -> Result<bool> {
        let deadline = Instant::now() + timeout;
        // Child processes exit when they detect that the server is gone. Those that do not are killed.
        while let Some(server) = self.server()? {
            if !self.signal_and_wait(server.pid, signal, deadline.saturating_duration_since(Instant::now()))? {
                return Ok(false);
            }
        }
        self.kill_all().map(|()| true)
    }

    /// Signals one server process and waits for its exit, but not for that of its child processes. Returns whether it ended within
    /// `timeout`.
    pub(super) fn signal_and_wait(&self, pid: u32, signal: Signal, timeout: Duration) -> Result<bool> {
        let deadline = Instant::now() + timeout;
        process_table::signal(pid, signal)?;
        while self.is_alive(pid)? {
            if Instant::now() > deadline {
                return Ok(false);
            }
            sleep(Duration::from_millis(5));
        }
        Ok(true)
    }

    /// The server process. A child process that was just forked has the same arguments, so `postmaster.pid` takes precedence.
    pub(super) fn server(&self) -> Result<Option<ServerProcess>> {
        let identity = self.identity()?;
        if let Some(PostmasterFile { server, .. }) = PostmasterFile::read(&self.data())?
            && identity.is_server(server.pid)?
        {
            return Ok(Some(server));
        }
        let found = identity.processes()?.into_iter().find(|process| process.server);
        Ok(found.map(|process| ServerProcess { pid: process.pid, started: None }))
    }

    /// Whether there is data, of which each cluster has this file. An error means that it is not known.
    pub(super) fn has_data(&self) -> Result<bool> {
        match std::fs::metadata(self.version_file()) {
            Ok(file) => Ok(file.len() > 0),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
            Err(error) => Err(error).context("look at the instance's data"),
        }
    }

    /// Why the data of an instance that has run is lost.
    pub(super) fn data_lost(&self) -> Error {
        let data = self.data();
        Error::DataLost(format!("{} {}", data.display(), if data.exists() { "holds no data any more" } else { "does not exist any more" }))
    }

    /// Refuses to continue without the data of an instance that has run.
    pub(super) fn check_data(&self) -> Result<()> {
        if self.has_data()? { Ok(()) } else { Err(self.data_lost()) }
    }

    fn version_file(&self) -> PathBuf {
        self.data().join("PG_VERSION")
    }

    /// The major version of the data.
    pub(super) fn version(&self) -> Result<PostgresVersion> {
        self.check_data()?;
        let text = std::fs::read_to_string(self.version_file()).context("read the version of the instance's data")?;
        text.trim().parse().map(PostgresVersion).map_err(|_| Error::Program(format!("the instance's data is of no known version: {}", text.trim())))
    }

    /// The installation for the version of the data.
    pub(super) fn installation(&self, machine: &Machine) -> Result<Installation> {
        machine.binaries.of(self.version()?)
    }

    /// Makes a running server reload its configuration.
    pub(super) fn reload(&self) -> Result<()> {
        match self.status()? {
            Status::Starting { server } | Status::Ready { server, .. } => process_table::signal(server.pid, Signal::SIGHUP),
            Status::Stopped | Status::Stopping { .. } => Ok(()),
        }
    }

    pub(super) fn data(&self) -> PathBuf {
        self.home.join("data")
    }
}

/// The content of `postmaster.pid`, which the server writes.
struct PostmasterFile {
    server: ServerProcess,
    /// The data directory, as it was called when the server started.
    directory: PathBuf,
    port: u16,
    status: String,
}

impl PostmasterFile {
    fn read(data: &Path) -> Result<Option<Self>> {
        let path = data.join("postmaster.pid");
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Self::parse(&String::from_utf8_lossy(&bytes))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context(format_args!("read {}", path.display())),
        }
    }

    /// One item per line: process id, data directory, start time, port, socket directory, address, shared memory key, status.
    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<_> = text.lines().collect();
        let pid = lines.first()?.trim().parse().ok()?;
        let directory = lines.get(1).map(PathBuf::from).unwrap_or_default();
        let started = lines.get(2).and_then(|line| line.trim().parse().ok());
        let port = lines.get(3).and_then(|line| line.trim().parse().ok()).unwrap_or(0);
        let status = lines.get(7).map_or("", |line| line.trim()).to_owned();
        Some(Self { server: ServerProcess { pid, started }, directory, port, status })
    }
}

/// Removes a file if it exists.
pub(super) fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context(format_args!("delete {}", path.display())),
        _ => Ok(()),
    }
}

/// Removes a directory if it exists, also while an orphaned process still creates files in it.
pub(super) fn remove_directory(path: &Path) -> Result<()> {
    let mut attempts = 0;
    loop {
        match std::fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if !path.exists() {
                    return Ok(());
                }
            }
            Err(error) if attempts >= 5 => return Err(error).context(format_args!("delete {}", path.display())),
            Err(_) => sleep(Duration::from_millis(20)),
        }
        attempts += 1;
        if attempts > 100 {
            return Err(Error::Busy(format!("{} cannot be deleted: another process keeps writing there", path.display())));
        }
    }
}

/// Writes a configuration file that PostgreSQL's user can read. Returns whether it changed.
pub(super) fn configure(home: &Path, name: &str, text: &str) -> Result<bool> {
    let path = home.join(name);
    if std::fs::read_to_string(&path).is_ok_and(|present| present == text) && path.metadata().is_ok_and(|m| m.permissions().mode() & 0o777 == 0o644) {
        return Ok(false);
    }
    super::data_dir::write_atomically(&path, 0o644, text).map(|()| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_server_is_in_its_file() {
        let file = PostmasterFile::parse("123\n/d\n1700000000\n15433\n\n127.0.0.1\n   1 2\nready   \n").unwrap();
        assert_eq!(file.server, ServerProcess { pid: 123, started: Some(1_700_000_000) });
        assert_eq!((file.directory.as_path(), file.port, file.status.as_str()), (Path::new("/d"), 15433, "ready"));
        // Partially written, as shortly after the start.
        let file = PostmasterFile::parse("123\n/d\n1700000000\n15433\n").unwrap();
        assert_eq!(file.status, "");
        assert!(PostmasterFile::parse("").is_none());
    }
}
