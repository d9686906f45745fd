//! Upgrades to another major version of PostgreSQL.
//!
//! A shell runs the script beside the data directory, in `next`, while the server is kept stopped as if it were suspended. It holds the lock
//! `upgrade.lock`, which it has as its standard input, and so have the programs that it starts: whoever finds the lock free knows that none of
//! them is left, whichever control plane has started them. What they have completed is the new data directory; the former is kept as `former`
//! until a deployment that lets clients in.

mod former;
mod script_lock;

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    process::{Child, Command},
    sync::Arc,
};

use toygres_domain::{
    OperationId,
    instance::{InstanceSpec, PostgresVersion, Reason, ReasonCode},
    runtime::{Deployment, Nudge, Progress, RuntimeError, Suspension},
    upgrade::{FORMER_PROGRAMS, NEW_PROGRAMS, UPGRADE_SCRIPT, Upgrade, upgrade_failure},
};

pub(super) use self::{former::remove_former, script_lock::kill_script};
use self::{
    former::{FORMER, has_switched, put_back, rename},
    script_lock::note_group,
};
use super::{
    cluster::{Cluster, Machine, PortTaken, remove_directory, remove_file},
    data_dir::{sync_directory, write_atomically},
    error::{IoContext, Result},
    instance_dirs::DirState,
    lock::FileLock,
    restore::blocking,
    runtime::{LOCK_TIMEOUT, Shared},
    settings::{self, CONFIGURATION},
    suspend,
};

/// Where the new data directory is made.
const NEXT: &str = "next";
/// In [`NEXT`], when the script has done everything.
const COMPLETE: &str = "complete";
/// The configuration of the new version, the output of the script, and what came of it.
const NEW_CONFIGURATION: &str = "upgrade.conf";
const LOG: &str = "upgrade.log";
const ERRORS: &str = "upgrade.err";
const RECORD: &str = "upgrade";

/// See [`toygres_domain::runtime::Runtime::upgrades`].
pub(super) fn available(machine: &Machine, from: PostgresVersion, to: PostgresVersion) -> Result<(), String> {
    for (version, programs) in [(from, FORMER_PROGRAMS.as_slice()), (to, NEW_PROGRAMS.as_slice())] {
        let installation = machine.binaries.of(version).map_err(|error| error.to_string())?;
        let missing: Vec<_> = programs.iter().copied().filter(|name| !installation.program(name).is_file()).collect();
        if !missing.is_empty() {
            return Err(format!(
                "the installation of PostgreSQL {version} in {} lacks {}, which an upgrade needs: install the complete packages (Debian and Ubuntu: \
                 postgresql-{version} of apt.postgresql.org), or set TOYGRES_PG_BIN",
                installation.bin.display(),
                missing.join(", ")
            ));
        }
    }
    Ok(())
}

/// What came of the script of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// There is nothing left to do.
    Done,
    /// It exited with this code, or was killed.
    Failed(Option<i32>),
}

/// The upgrade that was recorded last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    operation: OperationId,
    /// `None` while the script runs.
    outcome: Option<Outcome>,
}

impl Record {
    fn read(home: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(home.join(RECORD)).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let (operation, outcome) = text.trim_end().split_once('\n')?;
        let outcome = match outcome {
            "running" => None,
            "done" => Some(Outcome::Done),
            failed => Some(Outcome::Failed(failed.strip_prefix("failed ")?.parse().ok())),
        };
        Some(Self { operation: OperationId::from_any(operation), outcome })
    }

    fn write(&self, home: &Path) -> Result<()> {
        let outcome = match self.outcome {
            None => "running".to_owned(),
            Some(Outcome::Done) => "done".to_owned(),
            Some(Outcome::Failed(code)) => format!("failed {}", code.map_or_else(|| "-".to_owned(), |code| code.to_string())),
        };
        write_atomically(&home.join(RECORD), 0o600, &format!("{}\n{outcome}\n", self.operation))
    }
}

/// Begins or continues an upgrade, or says how far it is.
pub(super) async fn upgrade(shared: &Arc<Shared>, deployment: Deployment, upgrade: Upgrade) -> Result<Progress, RuntimeError> {
    let shared = shared.clone();
    blocking(move || {
        let work = Work { cluster: shared.dirs.cluster(deployment.id, DirState::Deployed), shared: &shared, deployment, upgrade };
        let outcome = work.advance();
        shared.wake.notify_one();
        outcome
    })
    .await
}

struct Work<'a> {
    shared: &'a Shared,
    cluster: Cluster,
    deployment: Deployment,
    upgrade: Upgrade,
}

impl Work<'_> {
    fn advance(&self) -> Result<Progress, RuntimeError> {
        let (home, operation) = (self.cluster.home(), &self.upgrade.operation);
        // An absent instance needs no lock file.
        if !home.is_dir() {
            return Err(self.cluster.data_lost().into());
        }
        let _lock = self.shared.dirs.lock(self.deployment.id, LOCK_TIMEOUT)?;
        self.shared.check_open()?;
        self.finish_switch()?;
        self.cluster.check_data()?;
        let outcome = Record::read(home).filter(|record| record.operation == *operation).and_then(|record| record.outcome);
        let is_upgraded = !self.upgrade.check_only && self.cluster.version()? == self.upgrade.to;
        if outcome == Some(Outcome::Done) || is_upgraded {
            return Ok(Progress::Done);
        }
        let Some(script) = script_lock::acquire(home)? else {
            return Ok(in_progress(&stage(home)));
        };
        if let Some(Outcome::Failed(code)) = outcome {
            // The next call begins anew.
            let said = tail(&home.join(ERRORS));
            clear(&self.cluster)?;
            remove_file(&home.join(RECORD))?;
            return Err(upgrade_failure(code, &said.replace(&*home.to_string_lossy(), "…")));
        }
        if self.next().home().join(COMPLETE).exists() && Record::read(home).is_some_and(|record| record.operation == *operation) {
            return Ok(self.conclude()?);
        }
        if let Progress::InProgress(reason) = self.stop()? {
            return Ok(Progress::InProgress(reason));
        }
        self.shared.disk.check()?;
        self.start(script)?;
        Ok(in_progress("the upgrade begins"))
    }

    /// The cluster that the script makes.
    fn next(&self) -> Cluster {
        next(&self.cluster)
    }

    /// Stops the server, and keeps it stopped. Servers that a killed script has left are killed.
    fn stop(&self) -> Result<Progress> {
        let Upgrade { operation, timeout, .. } = &self.upgrade;
        let progress = suspend::advance(&self.cluster, &Suspension { operation: operation.clone(), timeout: *timeout })?;
        if progress == Progress::Done {
            clear(&self.cluster)?;
        }
        Ok(progress)
    }

    fn start(&self, mut script: FileLock) -> Result<()> {
        let Upgrade { operation, from, to, check_only, timeout: _ } = &self.upgrade;
        let (home, machine) = (self.cluster.home(), &self.shared.machine);
        let Deployment { spec, credentials, .. } = &self.deployment;
        let (former, new) = (machine.binaries.of(*from)?, machine.binaries.of(*to)?);
        let spec = InstanceSpec { postgres_version: *to, ..spec.clone() };
        let configuration = settings::with_access(&spec, credentials.roles(), self.shared.features(*to), true)?;
        write_atomically(&home.join(NEW_CONFIGURATION), 0o644, configuration.conf())?;
        // What an earlier upgrade has left, which was confirmed.
        if self.cluster.version()? == *from {
            remove_directory(&home.join(FORMER))?;
        }
        let directory = home.join(NEXT);
        DirBuilder::new().mode(0o700).create(&directory).context("create the directory of the upgrade")?;
        machine.account.own(&directory)?;
        let create = |name: &str| {
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(home.join(name)).context("create the log of the upgrade")
        };
        let (log, errors) = (create(LOG)?, create(ERRORS)?);
        let mut command = Command::new("sh");
        machine.account.prepare(&mut command);
        command.args(["-c", UPGRADE_SCRIPT, "upgrade", if *check_only { "check" } else { "upgrade" }]).arg(&former.bin).arg(&new.bin);
        command.arg(self.cluster.data()).arg(&directory).arg(home.join(CONFIGURATION)).arg(home.join(NEW_CONFIGURATION));
        // Whoever has it keeps the lock.
        let held = script.file().try_clone().context("give the lock to the upgrade")?;
        Record { operation: operation.clone(), outcome: None }.write(home)?;
        let child = command.stdin(held).stdout(log).stderr(errors).spawn().context("run the upgrade")?;
        note_group(script.file(), &child)?;
        tracing::info!(instance = %self.deployment.id, %from, %to, check_only, "upgrading an instance");
        let (home, operation, nudges) = (home.to_owned(), operation.clone(), self.shared.nudges.clone());
        let instance = self.deployment.id;
        std::thread::spawn(move || {
            wait(child, &home, operation);
            drop(script);
            // An error means that nobody listens.
            let _ = nudges.send(Nudge { instance, death: None });
        });
        Ok(())
    }

    /// Puts the new data directory in the place of the former, or starts the former server again after a check.
    fn conclude(&self) -> Result<Progress> {
        let home = self.cluster.home();
        if self.upgrade.check_only {
            suspend::release(home)?;
            self.cluster.start(&self.shared.machine, PortTaken::Move)?;
        } else {
            remove_directory(&home.join(FORMER))?;
            self.next().kill_all()?;
            rename(&self.cluster.data(), &home.join(FORMER))?;
            self.finish_switch()?;
        }
        Record { operation: self.upgrade.operation.clone(), outcome: Some(Outcome::Done) }.write(home)?;
        clear(&self.cluster)?;
        Ok(Progress::Done)
    }

    /// Finishes what a crash has interrupted between the renames of a switch.
    fn finish_switch(&self) -> Result<()> {
        let (home, next) = (self.cluster.home(), self.next());
        if home.join(FORMER).is_dir() && !self.cluster.data().exists() && next.home().join(COMPLETE).exists() {
            rename(&next.data(), &self.cluster.data())?;
        }
        sync_directory(home)
    }
}

/// Puts back the former data, and starts its server.
pub(super) fn revert(shared: &Shared, deployment: &Deployment, upgrade: &Upgrade) -> Result<Progress> {
    let cluster = shared.dirs.cluster(deployment.id, DirState::Deployed);
    let home = cluster.home();
    if !home.is_dir() {
        return Err(cluster.data_lost());
    }
    {
        let _lock = shared.dirs.lock(deployment.id, LOCK_TIMEOUT)?;
        shared.check_open()?;
        kill_script(&cluster)?;
        if suspend::is_suspended(home) {
            // One that runs nevertheless is what a killed pg_upgrade has left.
            cluster.stop_immediately()?;
        }
        if has_switched(&cluster, upgrade.from)? {
            let suspension = Suspension { operation: OperationId::from_any(&format!("{}-back", upgrade.operation)), timeout: upgrade.timeout };
            if let Progress::InProgress(reason) = suspend::advance(&cluster, &suspension)? {
                return Ok(Progress::InProgress(reason));
            }
            put_back(&cluster)?;
        }
        clear(&cluster)?;
        remove_file(&home.join(RECORD))?;
    }
    shared.deploy(deployment)?;
    Ok(Progress::Done)
}

/// Ends an upgrade of an instance that is removed. It keeps the data that there was before, if it has not been replaced.
pub(super) fn abandon(cluster: &Cluster) -> Result<()> {
    kill_script(cluster)?;
    if cluster.home().join(FORMER).is_dir() && !cluster.data().exists() {
        put_back(cluster)?;
    }
    clear(cluster)
}

fn next(cluster: &Cluster) -> Cluster {
    Cluster::new(cluster.name().to_owned(), cluster.home().join(NEXT))
}

/// Removes what an upgrade has left beside the data. No script runs.
fn clear(cluster: &Cluster) -> Result<()> {
    let next = next(cluster);
    if next.home().exists() {
        next.kill_all()?;
        remove_directory(next.home())?;
    }
    for name in [NEW_CONFIGURATION, LOG, ERRORS] {
        remove_file(&cluster.home().join(name))?;
    }
    Ok(())
}

/// Waits for the script, and records its failure. A success is recorded by what it has completed.
fn wait(mut child: Child, home: &Path, operation: OperationId) {
    let status = match child.wait() {
        Ok(status) if status.success() => return,
        Ok(status) => status.code(),
        Err(_) => None,
    };
    // If it cannot be written, the upgrade begins anew.
    let record = Record { operation, outcome: Some(Outcome::Failed(status)) };
    if home.join(NEXT).exists()
        && let Err(error) = record.write(home)
    {
        tracing::warn!(%error, "how an upgrade has failed could not be recorded");
    }
}

/// How far the script of an instance is; `None` if none runs.
pub(super) fn progress(home: &Path) -> Result<Option<Reason>> {
    Ok(script_lock::is_held(home)?.then(|| Reason::new(ReasonCode::StartingUp, stage(home))))
}

/// What the script does at the moment, for people.
fn stage(home: &Path) -> String {
    let log = tail(&home.join(LOG));
    let stage = log.lines().rev().find_map(|line| line.strip_prefix("stage: ")).unwrap_or("the upgrade begins");
    stage.to_owned()
}

/// The last kilobytes of a file.
fn tail(path: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(8192)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

fn in_progress(message: &str) -> Progress {
    Progress::InProgress(Reason::new(ReasonCode::StartingUp, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back() {
        let (directory, operation) = (tempfile::tempdir().unwrap(), OperationId::from_any("upgrade-x-2"));
        for outcome in [None, Some(Outcome::Done), Some(Outcome::Failed(Some(3))), Some(Outcome::Failed(None))] {
            let record = Record { operation: operation.clone(), outcome };
            record.write(directory.path()).unwrap();
            assert_eq!(Record::read(directory.path()), Some(record));
        }
    }
}
