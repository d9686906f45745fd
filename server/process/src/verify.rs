//! Verification of base backups: one at a time is restored below `verification/` in the data directory, read, and removed.
//!
//! The directory has a lock, because several control planes may share it. What a crash has left is removed by the next verification.

use std::{
    fs::File,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use toygres_backup::{FileOwner, RestoreOptions};
use toygres_domain::{
    instance::{PostgresVersion, ReasonCode},
    roles::DATABASE,
    runtime::RuntimeError,
    verification::{CHECK_SCRIPT, Verification, VerificationProgress, check_failure, check_settings, recovery_failure},
};

use super::{
    binaries::Installation,
    cluster::{Cluster, remove_directory},
    data_dir::make_directory,
    error::{Error, IoContext as _, Result},
    lock::FileLock,
    restore::{blocking, refused},
    runtime::Shared,
};

/// How often it is looked whether a program has ended.
const POLL: Duration = Duration::from_millis(50);
/// How long another verification, or the removal of what one has left, may take.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);
/// The extension that the script uses.
const EXTENSION: &str = "amcheck";

/// See [`toygres_domain::runtime::Runtime::verifies`].
pub(super) fn available(shared: &Shared, version: PostgresVersion) -> Result<(), String> {
    shared.restorations.available()?;
    let installation = shared.machine.binaries.of(version).map_err(|error| error.to_string())?;
    if installation.has_library(EXTENSION) {
        return Ok(());
    }
    Err(format!("the extension {EXTENSION} of PostgreSQL {version} is not installed on the host: install its contrib modules"))
}

/// Verifies a base backup to the end. It stops what it does when the future is dropped.
pub(super) async fn verify(shared: &Arc<Shared>, verification: &Verification) -> Result<VerificationProgress, RuntimeError> {
    available(shared, verification.version).map_err(|why| RuntimeError::temporary(ReasonCode::RuntimeUnavailable, why))?;
    let cancel = CancellationToken::new();
    let _cancelled_when_dropped = cancel.clone().drop_guard();
    let place = {
        let shared = shared.clone();
        blocking(move || Ok(Place::prepare(&shared)?)).await?
    };
    let began = Instant::now();
    fetch(shared, verification, &place).await?;
    let (shared, version) = (shared.clone(), verification.version);
    blocking(move || {
        let installation = shared.machine.binaries.of(version)?;
        let copy = Copy { shared: &shared, installation: &installation, place: &place, cancel: &cancel };
        copy.recover()?;
        let restored_in = began.elapsed();
        copy.check()?;
        Ok(VerificationProgress::Verified { restored_in })
    })
    .await
}

async fn fetch(shared: &Shared, verification: &Verification, place: &Place) -> Result<(), RuntimeError> {
    let store = shared.restorations.available().map_err(|why| RuntimeError::permanent(ReasonCode::RuntimeUnavailable, why))?.clone();
    let (archive, plan) = toygres_backup::find(store, &verification.restoration).boxed().await.map_err(refused)?;
    shared.disk.check_room(plan.bytes())?;
    let owner = shared.machine.account.ids().map(|(uid, gid)| FileOwner { uid, gid });
    let options = RestoreOptions { directory: place.cluster().data(), owner };
    toygres_backup::restore(&archive, &plan, &options, &|_| {}).boxed().await.map_err(refused)?;
    Ok(())
}

/// The directory, which is empty at first, and removed when this is dropped.
struct Place(Option<Held>);

struct Held {
    cluster: Cluster,
    _lock: FileLock,
}

impl Place {
    fn prepare(shared: &Shared) -> Result<Self> {
        let home = shared.machine.data.join("verification");
        let lock = FileLock::acquire(&home.with_extension("lock"), LOCK_TIMEOUT)?;
        shared.check_open()?;
        let held = Held { cluster: Cluster::new("verification".to_owned(), home), _lock: lock };
        held.clear()?;
        let mode = if shared.machine.account.is_other() { 0o711 } else { 0o700 };
        make_directory(held.cluster.home(), mode)?;
        Ok(Self(Some(held)))
    }

    fn cluster(&self) -> &Cluster {
        &self.0.as_ref().expect("it is taken when this is dropped").cluster
    }
}

impl Held {
    fn clear(&self) -> Result<()> {
        if self.cluster.data().exists() {
            self.cluster.kill_all()?;
        }
        remove_directory(self.cluster.home())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(held) = self.0.take() else { return };
        // It takes a while, and this may be a thread that others wait for.
        std::thread::spawn(move || {
            if let Err(error) = held.clear() {
                tracing::warn!(%error, "the copy of a verified backup could not be removed; the next verification removes it");
            }
        });
    }
}

/// A copy that was fetched.
struct Copy<'a> {
    shared: &'a Shared,
    installation: &'a Installation,
    place: &'a Place,
    cancel: &'a CancellationToken,
}

impl Copy<'_> {
    /// Replays the WAL.
    fn recover(&self) -> Result<(), RuntimeError> {
        let mut command = self.command(self.installation.program("postgres"));
        command.arg("--single").arg("-D").arg(self.place.cluster().data()).args(self.settings(check_settings())).arg(DATABASE);
        self.run(command, "recover", recovery_failure)
    }

    /// Reads everything.
    fn check(&self) -> Result<(), RuntimeError> {
        let mut command = self.command(PathBuf::from("sh"));
        command.env("PATH", format!("{}:/usr/bin:/bin", self.installation.bin.display()));
        command.args(["-c", CHECK_SCRIPT, "verify"]).arg(self.place.cluster().data()).args(self.settings(check_settings()));
        self.run(command, "check", check_failure)
    }

    fn settings(&self, settings: impl IntoIterator<Item = &'static str>) -> Vec<String> {
        // So that the next verification finds the process if it outlives this one.
        let name = format!("cluster_name={}", self.place.cluster().name());
        settings.into_iter().map(str::to_owned).chain([name]).flat_map(|setting| ["-c".to_owned(), setting]).collect()
    }

    /// A command of low priority.
    fn command(&self, program: PathBuf) -> Command {
        let mut command = Command::new("nice");
        self.shared.machine.account.prepare(&mut command);
        command.args(["-n", "19"]).arg(program);
        command
    }

    /// Runs a command to its end. If it fails, `failure` says what that means, from what it wrote.
    fn run(&self, mut command: Command, name: &str, failure: impl FnOnce(&str) -> RuntimeError) -> Result<(), RuntimeError> {
        let home = self.place.cluster().home();
        let path = home.join(name);
        let log = File::create_new(&path).context("create a log")?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().context("run a program of PostgreSQL")?;
        let status = loop {
            if self.cancel.is_cancelled() || self.shared.check_open().is_err() {
                let _ = child.kill();
                self.place.cluster().kill_all()?;
                child.wait().context("wait for a program of PostgreSQL")?;
                return Err(Error::Busy("the verification was cancelled".to_owned()).into());
            }
            match child.try_wait().context("wait for a program of PostgreSQL")? {
                Some(status) => break status,
                None => sleep(POLL),
            }
        };
        if status.success() {
            return Ok(());
        }
        self.shared.disk.check()?;
        if status.code().is_none() {
            return Err(RuntimeError::temporary(ReasonCode::ProcessExited, format!("the program that reads the backup was killed ({status})")));
        }
        let written = std::fs::read(&path).context(format_args!("read {}", path.display()))?;
        Err(failure(&String::from_utf8_lossy(&written).replace(&*home.to_string_lossy(), "…")))
    }
}
