//! The verbs of the [`Runtime`] on local processes. Each is blocking work under the lock of its instance.

mod verbs;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt, future, stream::BoxStream};
use tokio::sync::{Notify, broadcast};
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    InstanceId,
    address::Address,
    data::VolumeId,
    drift::{Drift, Expected, Inspection},
    instance::{Exposure, PostgresVersion, ReasonCode},
    parameter::PRELOADABLE,
    restoration::Restoration,
    runtime::{
        CopyProgress, CopySource, Deployment, Host, LogStart, LogStream, Nudge, Observation, Progress, Reachability, Restart, Runtime, RuntimeError,
        Suspension,
    },
    storage::VolumeSpace,
    upgrade::Upgrade,
    verification::{Verification, VerificationProgress},
};

use super::{
    account::Account,
    binaries::Binaries,
    cluster::Machine,
    data_dir::DataDir,
    disk::{Disk, DiskSpace},
    drift,
    error::Result,
    instance_dirs::{DirState, InstanceDirs},
    reaper::Reaper,
    restore::{self, Restorations},
    server_log::{self, LogReader},
    supervisor::{self, Role},
    upgrade, verify,
};

/// How long a verb waits for another one on the same instance.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// The configuration of a process runtime.
#[derive(Clone, Debug)]
pub struct ProcessConfig {
    /// The data directory.
    pub data: DataDir,
    /// The PostgreSQL installations to use.
    pub binaries: Binaries,
    /// The account that PostgreSQL runs as.
    pub account: Account,
    /// Where backups are restored from.
    pub backups: Option<toygres_backup::Store>,
    /// Megabytes that must be available on the disk of the data directory; it counts as full otherwise. 0 turns this off.
    pub min_free_disk_mb: u32,
}

/// Runs instances as PostgreSQL processes of this machine. Clones share one state.
#[derive(Clone, Debug)]
pub struct ProcessRuntime(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) machine: Machine,
    pub(super) dirs: InstanceDirs,
    pub(super) disk: Disk,
    pub(super) nudges: broadcast::Sender<Nudge>,
    /// Wakes the supervisor before its pause ends.
    pub(super) wake: Notify,
    /// Set when the host stops all instances, so that none is started any more.
    pub(super) closing: AtomicBool,
    pub(super) restorations: Restorations,
}

impl ProcessRuntime {
    /// Creates a runtime on a data directory, without changing anything; [`ProcessRuntime::supervise`] starts the instances.
    #[must_use]
    pub fn open(config: ProcessConfig) -> Self {
        let ProcessConfig { data, binaries, account, backups, min_free_disk_mb } = config;
        let (dirs, disk) = (InstanceDirs::new(&data), Disk::new(data.path(), min_free_disk_mb));
        for installation in binaries.all().iter().filter(|installation| !installation.tls) {
            let bin = installation.bin.display();
            tracing::warn!(version = installation.version, %bin, "this PostgreSQL was built without TLS: connections to its instances are not encrypted");
        }
        let machine = Machine { data, binaries, account, reaper: Reaper::default() };
        let (nudges, wake, closing) = (broadcast::channel(1024).0, Notify::new(), AtomicBool::new(false));
        let restorations = Restorations::new(backups);
        Self(Arc::new(Shared { machine, dirs, disk, nudges, wake, closing, restorations }))
    }

    /// The space on the disk of the data directory; `None` before it is supervised.
    #[must_use]
    pub fn disk_space(&self) -> Option<DiskSpace> {
        self.0.disk.space()
    }

    /// Watches the instances until `shutdown`, and sends the nudges. The host also starts deployed instances that are not running,
    /// cleans up after crashes, and stops every instance at the shutdown before it returns. The instances stay deployed, and the
    /// next host starts them again on the same ports.
    ///
    /// To be run once, by an owner that observes its completion.
    ///
    /// # Panics
    /// Propagates panics of its tasks. The instances continue to run, and the next host adopts them.
    pub async fn supervise(&self, role: Role, shutdown: CancellationToken) {
        supervisor::run(self.0.clone(), role, shutdown).await;
    }

    /// Runs blocking work. It continues when the caller is cancelled, which is harmless because of the lock.
    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Shared) -> Result<T> + Send + 'static) -> Result<T, RuntimeError> {
        let shared = self.0.clone();
        match tokio::task::spawn_blocking(move || work(&shared)).await {
            Ok(result) => result.map_err(|error| {
                tracing::warn!(%error, "a verb of the process runtime failed");
                error.into()
            }),
            Err(panic) => {
                tracing::error!(error = %panic, "a verb of the process runtime panicked");
                Err(RuntimeError::temporary(ReasonCode::Internal, "the process runtime failed unexpectedly; the server's log says more"))
            }
        }
    }
}

#[async_trait]
impl Runtime for ProcessRuntime {
    fn name(&self) -> &'static str {
        "process"
    }

    fn host(&self) -> Host {
        self.0.machine.data.host()
    }

    fn versions(&self) -> Vec<PostgresVersion> {
        self.0.machine.binaries.versions()
    }

    fn how_to_offer(&self, version: PostgresVersion) -> Option<String> {
        let data = self.0.machine.data.path();
        // The command finds the default one by itself.
        let option = if data == DataDir::default_path() { String::new() } else { format!(" --data-dir {}", data.display()) };
        version.release().map(|_| format!("run `toygres postgres install {version}{option}` on the server's machine, as the server's user"))
    }

    fn offers(&self, exposure: &Exposure) -> bool {
        *exposure == Exposure::Cluster
    }

    async fn deploy(&self, deployment: &Deployment) -> Result<(), RuntimeError> {
        let deployment = deployment.clone();
        self.blocking(move |shared| shared.deploy(&deployment)).await
    }

    fn restores(&self) -> Result<(), String> {
        self.0.restorations.available().map(drop)
    }

    async fn restore(&self, deployment: &Deployment, restoration: &Restoration) -> Result<Progress, RuntimeError> {
        restore::restore(&self.0, deployment, restoration).await
    }

    fn copies(&self) -> bool {
        true
    }

    async fn copy(&self, deployment: &Deployment, source: &CopySource) -> Result<CopyProgress, RuntimeError> {
        restore::copy(&self.0, deployment, source).await
    }

    fn verifies(&self, version: PostgresVersion) -> Result<(), String> {
        verify::available(&self.0, version)
    }

    async fn verify(&self, verification: &Verification) -> Result<VerificationProgress, RuntimeError> {
        verify::verify(&self.0, verification).await
    }

    async fn observe(&self, id: InstanceId) -> Result<Observation, RuntimeError> {
        self.blocking(move |shared| shared.observe(id)).await
    }

    async fn volume(&self, id: InstanceId) -> Result<Option<VolumeId>, RuntimeError> {
        // The directory of an instance is called after it.
        self.blocking(move |shared| Ok(shared.dirs.cluster(id, DirState::Deployed).has_data()?.then(|| VolumeId(id.to_string())))).await
    }

    async fn inspect(&self, expected: &[Expected]) -> Result<Vec<Inspection>, RuntimeError> {
        let expected = expected.to_vec();
        self.blocking(move |shared| {
            let inspected = expected.iter().map(|expected| {
                let version = expected.spec.postgres_version;
                let installed = shared.machine.binaries.of(version).ok().map(|installation| installation.version);
                drift::inspect(&shared.dirs, expected, shared.features(version), installed.as_deref())
            });
            inspected.filter_map(Result::transpose).collect()
        })
        .await
    }

    async fn repair(&self, deployment: &Deployment) -> Result<Vec<Drift>, RuntimeError> {
        let deployment = deployment.clone();
        self.blocking(move |shared| shared.repair(&deployment)).await
    }

    async fn install_tls(&self, deployment: &Deployment) -> Result<(), RuntimeError> {
        let deployment = deployment.clone();
        self.blocking(move |shared| shared.install_tls(&deployment)).await
    }

    fn preloadable(&self, version: PostgresVersion) -> Vec<&'static str> {
        let Ok(installation) = self.0.machine.binaries.of(version) else { return Vec::new() };
        PRELOADABLE.iter().copied().filter(|library| installation.has_library(library)).collect()
    }

    fn speaks_tls(&self, version: PostgresVersion) -> bool {
        self.0.machine.binaries.speaks_tls(version)
    }

    fn server_names(&self, _: &Address) -> Vec<String> {
        ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into()
    }

    async fn remove(&self, id: InstanceId, keep_volumes: bool) -> Result<Progress, RuntimeError> {
        self.0.restorations.cancel(id).await;
        self.blocking(move |shared| shared.remove(id, keep_volumes)).await.map_err(|mut error| {
            if error.reason.code == ReasonCode::RuntimeUnavailable {
                error.reason.code = ReasonCode::RemovalIncomplete;
            }
            error
        })
    }

    async fn restart(&self, id: InstanceId, restart: &Restart) -> Result<Progress, RuntimeError> {
        let restart = restart.clone();
        self.blocking(move |shared| shared.restart(id, &restart)).await
    }

    async fn suspend(&self, expected: &Expected, suspension: &Suspension) -> Result<Progress, RuntimeError> {
        let (id, suspension) = (expected.id, suspension.clone());
        self.blocking(move |shared| shared.suspend(id, &suspension)).await
    }

    async fn resize(&self, deployment: &Deployment, restart: &Restart) -> Result<Progress, RuntimeError> {
        let (deployment, restart) = (deployment.clone(), restart.clone());
        self.blocking(move |shared| shared.resize(&deployment, &restart)).await
    }

    fn upgrades(&self, from: PostgresVersion, to: PostgresVersion) -> Result<(), String> {
        upgrade::available(&self.0.machine, from, to)
    }

    async fn upgrade(&self, deployment: &Deployment, upgrade: &Upgrade) -> Result<Progress, RuntimeError> {
        upgrade::upgrade(&self.0, deployment.clone(), upgrade.clone()).await
    }

    async fn revert_upgrade(&self, deployment: &Deployment, upgrade: &Upgrade) -> Result<Progress, RuntimeError> {
        let (deployment, upgrade) = (deployment.clone(), upgrade.clone());
        self.blocking(move |shared| upgrade::revert(shared, &deployment, &upgrade)).await
    }

    fn volume_space(&self, storage_gb: i32) -> Option<VolumeSpace> {
        Some(VolumeSpace::of_directory(storage_gb))
    }

    async fn volume_gb(&self, _: InstanceId) -> Result<Option<i32>, RuntimeError> {
        Ok(None)
    }

    async fn list(&self) -> Result<Vec<InstanceId>, RuntimeError> {
        self.blocking(|shared| {
            let mut ids: Vec<_> = shared.dirs.scan()?.into_iter().map(|(id, _)| id).collect();
            ids.dedup();
            Ok(ids)
        })
        .await
    }

    async fn reachability(&self) -> Reachability {
        match self.0.disk.full() {
            Some((since, reason)) => Reachability::Unreachable { since, reason },
            None => Reachability::Reachable,
        }
    }

    async fn read_log(&self, id: InstanceId, start: LogStart, follow: bool) -> Result<LogStream, RuntimeError> {
        let reader = self.blocking(move |shared| LogReader::open(&shared.dirs, id, start)).await?;
        Ok(server_log::stream(reader, follow))
    }

    fn nudges(&self) -> BoxStream<'static, Nudge> {
        // A slow subscriber loses nudges, which the contract permits.
        BroadcastStream::new(self.0.nudges.subscribe()).filter_map(|nudge| future::ready(nudge.ok())).boxed()
    }
}
