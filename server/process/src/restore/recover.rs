//! Recovers what was fetched, before anybody can connect to it.
//!
//! The program is `postgres --single`: it replays the WAL as a server would, and then runs the statements that make the cluster
//! independent of its source, without listening anywhere.

use std::{
    io::Write,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::Duration,
};

use toygres_backup::RecoverySettings;
use toygres_domain::{
    instance::ReasonCode,
    restoration::{RECOVERY_SETTINGS, finishing_statements},
    roles::{DATABASE, PlatformCredentials},
    runtime::{Deployment, RuntimeError},
    verification::recovery_failure,
    wal::{Lsn, SegmentSize},
};

use super::{Stage, Work, cancelled};
use crate::{
    binaries::Installation,
    build, certificate,
    cluster::Cluster,
    data_dir::sync_directory,
    error::{Error, IoContext, Result},
    instance_dirs::DirState,
    log_file, port, settings,
};

/// The codes of errors tell what is the matter with the backup from what the machine lacks.
const WITH_CODES: &str = "log_error_verbosity=verbose";
/// How often it is looked how far the program is.
const POLL: Duration = Duration::from_millis(100);

/// The WAL that is replayed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replay {
    /// Where it begins.
    pub(super) start: Lsn,
    /// Where it ends.
    pub(super) end: Lsn,
}

/// Recovers the staging directory, and makes it the deployed one.
pub(super) fn recover(work: &Work, replay: Replay) -> Result<(), RuntimeError> {
    let Deployment { id, spec, credentials, certificate, .. } = &work.deployment;
    let (shared, machine) = (&work.shared, &work.shared.machine);
    let Some(PlatformCredentials { superuser, monitor: _ }) = &credentials.platform else {
        return Err(Error::Refused("an instance is created with passwords for the roles of the platform".to_owned()).into());
    };
    let cluster = shared.dirs.cluster(*id, DirState::Staging);
    let present = cluster.version()?;
    if present != spec.postgres_version {
        let why = format!("the backup holds data of PostgreSQL {present}, which {} cannot read", spec.postgres_version);
        return Err(RuntimeError::permanent(ReasonCode::NotRestorable, why));
    }
    let installation = machine.binaries.of(present)?;
    settings::instance(spec, credentials.roles(), shared.features(present))?.write(cluster.home())?;
    let statements = finishing_statements(&spec.username, &credentials.owner, superuser);
    run(work, &installation, &cluster, &statements, replay)?;
    RecoverySettings::remove(&cluster.data()).map_err(|error| RuntimeError::temporary(ReasonCode::RuntimeUnavailable, error.to_string()))?;
    if installation.tls {
        certificate::install(cluster.home(), &machine.account, certificate)?;
    }
    port::choose(&machine.data, cluster.home())?;
    build::sync(machine, &installation, &cluster)?;
    sync_directory(cluster.home())?;
    shared.check_open()?;
    Ok(shared.dirs.rename(*id, DirState::Staging, DirState::Deployed)?)
}

/// Runs the program until it has recovered the cluster and run the statements.
fn run(work: &Work, installation: &Installation, cluster: &Cluster, statements: &str, replay: Replay) -> Result<(), RuntimeError> {
    let mut command = Command::new(installation.program("postgres"));
    work.shared.machine.account.prepare(&mut command);
    command.arg("--single").arg("-D").arg(cluster.data());
    for setting in RECOVERY_SETTINGS.into_iter().chain([WITH_CODES]) {
        command.args(["-c", setting]);
    }
    // So that the next host finds the process if it outlives this one.
    command.args(["-c", &format!("cluster_name={}", cluster.name())]).arg(DATABASE);
    let log = log_file::open(cluster.home())?;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn().context("run postgres to recover the backup")?;
    // They fit into the pipe. An error means that the program exited early, which its status reports.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(statements.as_bytes()));
    let status = watch(work, cluster, &mut child, replay)?;
    if status.success() {
        return Ok(());
    }
    work.shared.disk.check()?;
    let written = log_file::tail(cluster.home());
    Err(failure(status, &written.replace(&*cluster.home().to_string_lossy(), "…")))
}

/// Why the program has not recovered the backup, by how it ended and what it wrote.
fn failure(status: ExitStatus, written: &str) -> RuntimeError {
    if status.code().is_none() {
        // For example by the kernel, because memory was short: that says nothing about the backup.
        let why = format!("PostgreSQL was killed while it recovered the backup ({status}); the restoration begins anew");
        return RuntimeError::temporary(ReasonCode::ProcessExited, why);
    }
    recovery_failure(written)
}

/// Waits for the end of the program, and notes how far it is.
fn watch(work: &Work, cluster: &Cluster, child: &mut Child, replay: Replay) -> Result<ExitStatus> {
    let (size, total) = (SegmentSize::DEFAULT, replay.end.0.saturating_sub(replay.start.0));
    work.stages.set(Stage::Replaying { bytes: 0, total });
    loop {
        if work.cancel.is_cancelled() {
            cluster.kill_all()?;
            child.wait().context("wait for postgres")?;
            return Err(cancelled());
        }
        if let Some(status) = child.try_wait().context("wait for postgres")? {
            return Ok(status);
        }
        if let Some(number) = open_segment(child.id(), size) {
            let bytes = size.start(number).0.saturating_sub(replay.start.0).min(total);
            work.stages.set(Stage::Replaying { bytes, total });
        }
        sleep(POLL);
    }
}

/// The number of the segment that the program reads, on a system that tells.
fn open_segment(pid: u32, size: SegmentSize) -> Option<u64> {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let paths = open.flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
    paths.filter(|path| path.parent().is_some_and(|parent| parent.ends_with("pg_wal"))).find_map(|path| segment(&path, size))
}

fn segment(path: &Path, size: SegmentSize) -> Option<u64> {
    size.parse_file_name(path.file_name()?.to_str()?).ok().map(|segment| segment.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(script: &str) -> ExitStatus {
        Command::new("sh").args(["-c", script]).status().unwrap()
    }

    #[test]
    fn only_what_postgresql_says_about_the_backup_fails_the_restoration_for_good() {
        let lacking = "[1] FATAL:  58P01: could not find redo location 0/3 referenced by checkpoint record at 0/4\nLOCATION:  xlog.c\n";
        let killed = failure(ended("kill -9 $$"), lacking);
        assert!(killed.retryable && killed.reason.code == ReasonCode::ProcessExited && killed.reason.message.contains("signal: 9"), "{killed:?}");
        let error = failure(ended("exit 1"), lacking);
        assert_eq!((error.retryable, error.reason.code), (false, ReasonCode::NotRestorable));
        assert!(error.reason.message.ends_with("recover the backup: could not find redo location 0/3 referenced by checkpoint record at 0/4"));
        for of_the_machine in ["FATAL:  53200: out of memory", "FATAL:  58030: could not read file \"pg_wal/1\": Input/output error"] {
            assert!(failure(ended("exit 1"), &format!("[1] {of_the_machine}\n")).retryable, "{of_the_machine}");
        }
    }
}
