//! The [`Runtime`] trait: the few verbs that a host of instances must offer. Two hosts implement it: Kubernetes, and local
//! processes.

use std::{
    fmt,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::{
    InstanceId, OperationId,
    address::Address,
    certificate::{ServerCertificate, ServerIdentity},
    data::{Data, VolumeId},
    drift::{Drift, Expected, Inspection},
    instance::{Endpoint, Exposure, InstanceSpec, PostgresVersion, Reason, ReasonCode},
    name::InstanceName,
    parameter::PRELOADABLE,
    restoration::{Restoration, RestoreMethod},
    roles::{Credentials, PlatformCredentials},
    storage::VolumeSpace,
    upgrade::Upgrade,
    verification::{Verification, VerificationProgress},
    volume::WalLimits,
};

/// A host of instances. Every verb is idempotent, may be called in any partial state and after a crash, and excludes the
/// other verbs on the same instance.
#[async_trait]
pub trait Runtime: Send + Sync + 'static {
    /// `process` or `kubernetes`.
    fn name(&self) -> &'static str;

    /// Which host of this kind it is.
    fn host(&self) -> Host;

    /// The PostgreSQL versions that can be deployed, newest first. Never empty.
    fn versions(&self) -> Vec<PostgresVersion>;

    /// How to have a version on offer here that is not, as an order to whoever administers this host: "run ..."; `None` if it cannot be.
    fn how_to_offer(&self, _: PostgresVersion) -> Option<String> {
        None
    }

    /// Whether this exposure is possible here.
    fn offers(&self, exposure: &Exposure) -> bool;

    /// Creates the instance, or repairs it towards the spec; returns when everything was requested, not when it is ready. Its server is
    /// started, also if it was suspended before, unless [`Deployment::suspended`]. If the instance has run, its data must be there: it
    /// fails for good with [`ReasonCode::DataLost`] otherwise, and from then on the host never initialises an empty volume for it, whether
    /// or not the control plane is there.
    async fn deploy(&self, deployment: &Deployment) -> Result<(), RuntimeError>;

    /// Whether instances can be restored here, as this host is configured.
    ///
    /// # Errors
    /// One sentence for people: why not, and what to change.
    fn restores(&self) -> Result<(), String> {
        Ok(())
    }

    /// Fills the volume of an instance that has not run from an archive, replays the WAL up to the target, and makes the cluster
    /// independent of its source ([`crate::restoration::finishing_statements`]). Called again until it answers [`Progress::Done`], which
    /// it does when the data is there and no process uses it; [`Self::deploy`] then starts the server. What an interrupted call has left is
    /// begun anew. It fails for good with [`ReasonCode::NotRestorable`] if the archive does not have the target.
    async fn restore(&self, deployment: &Deployment, restoration: &Restoration) -> Result<Progress, RuntimeError>;

    /// Whether [`Self::copy`] is possible here.
    fn copies(&self) -> bool {
        false
    }

    /// Fills the volume of an instance that has not run with the data of another one of this host that runs, or is suspended, and makes the
    /// cluster independent of its source, as [`Self::restore`] does. It has everything that was committed when the call was made that began
    /// it. The source goes on; if it is stopped, resumed or removed meanwhile, the copy is begun anew, or fails for good with
    /// [`ReasonCode::NotRestorable`] if the source is gone. It fails for good with [`ReasonCode::DiskFull`] if there is no room for it.
    /// Called again until it is done; what an interrupted call has left is begun anew.
    async fn copy(&self, _deployment: &Deployment, _source: &CopySource) -> Result<CopyProgress, RuntimeError> {
        Err(RuntimeError::permanent(ReasonCode::NotRestorable, "instances are restored from archives here, not copied"))
    }

    /// Whether base backups of clusters of this version can be verified here.
    ///
    /// # Errors
    /// One sentence for people: why not, and what to change.
    fn verifies(&self, version: PostgresVersion) -> Result<(), String>;

    /// Restores a base backup to a place of its own, at low priority, reads everything in it, and removes it again. Called again until it
    /// answers that the backup is verified. What an interrupted call has left is begun anew. It fails for good with
    /// [`ReasonCode::StoreDamaged`] or [`ReasonCode::NotRestorable`] if it cannot be restored, and with [`ReasonCode::DataCorrupted`] if the
    /// data in it is damaged; every other failure says nothing about the backup.
    async fn verify(&self, verification: &Verification) -> Result<VerificationProgress, RuntimeError>;

    /// The present status of the instance.
    async fn observe(&self, id: InstanceId) -> Result<Observation, RuntimeError>;

    /// The volume that holds the data of the instance; `None` if there is none.
    async fn volume(&self, id: InstanceId) -> Result<Option<VolumeId>, RuntimeError>;

    /// Compares instances that have run with what was deployed for them, and changes nothing. Those to which nothing happened, and for which
    /// there is no update, are omitted, and what another release of the control plane would deploy differently is no drift.
    async fn inspect(&self, expected: &[Expected]) -> Result<Vec<Inspection>, RuntimeError>;

    /// Puts back what differs from what was deployed, and nothing else; returns that. It fails for good with
    /// [`ReasonCode::DataLost`] if the data of the instance is not there.
    async fn repair(&self, deployment: &Deployment) -> Result<Vec<Drift>, RuntimeError>;

    /// Gives the server of an instance that has run its certificate, and the rule whether clients need TLS, without a restart: its sessions
    /// stay. It may take minutes until the server has them, and may take `pg_reload_conf()` until it goes by them; the caller sees to that.
    async fn install_tls(&self, deployment: &Deployment) -> Result<(), RuntimeError>;

    /// The libraries that servers of this version can preload here: see [`PRELOADABLE`].
    fn preloadable(&self, _: PostgresVersion) -> Vec<&'static str> {
        PRELOADABLE.to_vec()
    }

    /// Whether instances of this version speak TLS here.
    fn speaks_tls(&self, version: PostgresVersion) -> bool;

    /// The names and addresses that clients can type to reach an instance, as far as they are known before it runs.
    fn server_names(&self, address: &Address) -> Vec<String>;

    /// Whether clients reach an instance by its name, so that another name or exposure is another address.
    fn gives_addresses(&self) -> bool {
        false
    }

    /// Gives an instance that has run the address of the deployment, and keeps those that it has; called again until it answers
    /// [`AddressProgress::At`], which it does when clients can connect there. The server is neither stopped nor started, and may be down. Another
    /// exposure of the same name changes at once.
    async fn add_address(&self, _: &Deployment) -> Result<AddressProgress, RuntimeError> {
        Err(RuntimeError::permanent(ReasonCode::Internal, "instances have no addresses by name here"))
    }

    /// Removes every address of the instance but that of the deployment; called again until it answers [`Progress::Done`]. Sessions of
    /// clients that have connected through a former address inside of the host's network stay.
    async fn remove_other_addresses(&self, _: &Deployment) -> Result<Progress, RuntimeError> {
        Ok(Progress::Done)
    }

    /// Removes the instance. Answers [`Progress::Done`] only when nothing of it is left (but the volumes, when
    /// they are kept), and is called again until then.
    async fn remove(&self, id: InstanceId, keep_volumes: bool) -> Result<Progress, RuntimeError>;

    /// Stops the server of the instance and starts it again; called again until it answers [`Progress::Done`], which it does when
    /// the former server is gone and the next one was asked for ([`Self::observe`] tells when that is ready). Repeating it for
    /// the same operation restarts nothing again. A planned restart is reported as no death.
    async fn restart(&self, id: InstanceId, restart: &Restart) -> Result<Progress, RuntimeError>;

    /// Stops the server of an instance that has run, and keeps it stopped until a deployment that is not suspended: the host remembers it,
    /// whether or not the control plane is there, and [`Self::observe`] says [`ReasonCode::Suspended`]. It is expected to be suspended.
    /// Called again until it answers [`Progress::Done`], which it does when no process of the server is left. The end of the server is
    /// reported as no death.
    async fn suspend(&self, expected: &Expected, suspension: &Suspension) -> Result<Progress, RuntimeError>;

    /// Gives an instance that has run the CPU, the memory, the volume and the settings of the specification; called again until it
    /// answers [`Progress::Done`], which it does when the volume has grown and the server has, or is about to be started with
    /// ([`Self::observe`] tells), the rest. The volume comes first: if it cannot grow, nothing else has changed. It never shrinks; a larger
    /// one than specified is left alone. The server is restarted at most once per `restart`, and only if it must be, which is reported as
    /// no death. It works on an instance whose disk is full, and whose server is down. One that is suspended stays stopped: its server is
    /// started with the size later, and a volume may need that too until its file system has grown.
    async fn resize(&self, deployment: &Deployment, restart: &Restart) -> Result<Progress, RuntimeError>;

    /// Starts the server of an instance that has run again with what the host has for its version now, as [`Self::restart`] does:
    /// [`Inspection::update`] says what that changes. It is called again until it answers [`Progress::Done`], and restarts at most once per
    /// `restart`.
    async fn update(&self, deployment: &Deployment, restart: &Restart) -> Result<Progress, RuntimeError> {
        self.restart(deployment.id, restart).await
    }

    /// Whether instances can be upgraded here from one major version to another.
    ///
    /// # Errors
    /// One sentence for people: why not, and what to change.
    fn upgrades(&self, _from: PostgresVersion, _to: PostgresVersion) -> Result<(), String> {
        Ok(())
    }

    /// Stops the server of an instance that has run, and upgrades its data to the version of the specification, beside the former data, which
    /// it keeps. Called again until it answers [`Progress::Done`], which it does when the data is of the new version and no process uses it;
    /// [`Self::deploy`] with [`Deployment::closed`] then starts the server. If it is only checked, nothing has changed then, and the server of
    /// the former version was started again ([`Self::observe`] tells when it is ready). Repeating it for the same operation upgrades, and
    /// checks, nothing again. It fails for good with [`ReasonCode::NotUpgradable`], which quotes PostgreSQL, or with
    /// [`ReasonCode::DiskFull`]; [`Self::revert_upgrade`] is the way back from there too.
    async fn upgrade(&self, deployment: &Deployment, upgrade: &Upgrade) -> Result<Progress, RuntimeError>;

    /// Puts back the former data, if an upgrade has replaced it, removes what the upgrade has made, and starts the former server as
    /// specified; called again until it answers [`Progress::Done`], which it does when that was asked for. What the new server has written is
    /// lost: it is not called after a deployment of the new version that is not [`Deployment::closed`], from which on the former data may be gone.
    async fn revert_upgrade(&self, deployment: &Deployment, upgrade: &Upgrade) -> Result<Progress, RuntimeError>;

    /// The directory with the data from before an upgrade, as seen from the data directory of the server, if the host cannot remove it: the
    /// server is told to when the upgrade is confirmed.
    fn former_data(&self) -> Option<&'static str> {
        None
    }

    /// The size in GiB of the volume that holds the data of the instance; `None` if there is none, or no limit to it.
    async fn volume_gb(&self, id: InstanceId) -> Result<Option<i32>, RuntimeError>;

    /// The space of a volume of this size; `None` if the host limits nothing, so that nothing is measured.
    fn volume_space(&self, _storage_gb: i32) -> Option<VolumeSpace> {
        None
    }

    /// Settings that follow from the size, each with a size such as `512MB`: a server that runs has them when it has read its
    /// configuration after a [`Self::resize`].
    fn size_settings(&self, spec: &InstanceSpec) -> Vec<(&'static str, String)> {
        WalLimits::of_volume(spec.storage_gb).settings().into()
    }

    /// Every instance of Toygres of which the host has anything, whatever the metadata says.
    async fn list(&self) -> Result<Vec<InstanceId>, RuntimeError>;

    /// Whether the host answers, as the latest calls have shown; if they have not, it is asked. Returns within seconds. A host that is
    /// this machine always answers; it counts as unreachable with [`ReasonCode::DiskFull`] while its disk is full.
    async fn reachability(&self) -> Reachability {
        Reachability::Reachable
    }

    /// Where the control plane connects to an instance to which clients connect at `endpoint`.
    fn internal_endpoint(&self, _address: &Address, endpoint: &Endpoint) -> Endpoint {
        endpoint.clone()
    }

    /// Hints that an instance has changed. They may be lost or repeated; whoever listens also polls.
    fn nudges(&self) -> BoxStream<'static, Nudge>;
}

/// Where the instances of a runtime are. Those of one control plane are all on the same host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Identifies it.
    pub id: String,
    /// For people, such as `the data directory /var/lib/toygres of db-1`.
    pub description: String,
}

/// Whether a host answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reachability {
    /// It does.
    Reachable,
    /// It does not: its verbs fail until it does again.
    Unreachable {
        /// When the first call failed.
        since: Instant,
        /// Why the last one failed.
        reason: Reason,
    },
}

/// Everything that a runtime needs to create an instance.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The names of objects, directories and volumes are derived from it.
    pub id: InstanceId,
    /// Part of the address that clients use.
    pub name: InstanceName,
    /// The name that it was created with, for what cannot be renamed without a restart.
    pub first_name: InstanceName,
    /// The requested configuration.
    pub spec: InstanceSpec,
    /// The passwords of its roles. The owner's is not given to an instance that has roles of the platform: [`crate::roles`].
    pub credentials: Credentials,
    /// Whether it has run, and with which volume.
    pub data: Data,
    /// What the server presents to clients that use TLS.
    pub certificate: ServerCertificate,
    /// Whether its server is kept stopped.
    pub suspended: bool,
    /// Whether only the platform can log in, because an upgrade is not confirmed. The data from before it is kept until then.
    pub closed: bool,
}

/// The status of an instance in its runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Nothing of it exists.
    Absent,
    /// It is starting, temporarily down, or being removed; the reason says what it waits for.
    Pending(Reason),
    /// It accepts connections here.
    Ready(Endpoint),
    /// It cannot start until somebody changes something.
    Failed(Reason),
}

/// How far a new address of an instance is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressProgress {
    /// Clients reach the instance here.
    At(Endpoint),
    /// It was requested; the reason says what it waits for.
    InProgress(Reason),
}

/// How far a verb is that takes time. It is called again until it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "progress", content = "reason")]
pub enum Progress {
    /// It is done, and that is verified.
    Done,
    /// It is in progress; the reason says what it waits for.
    InProgress(Reason),
}

/// The instance that another one gets a copy of the data of.
#[derive(Clone, Debug)]
pub struct CopySource {
    /// The instance.
    pub id: InstanceId,
    /// The passwords of the roles of the platform in it.
    pub platform: PlatformCredentials,
    /// What its certificate must be, if it has one.
    pub identity: Option<ServerIdentity>,
}

/// How far a copy is. It is called again until it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyProgress {
    /// It is done, in this way.
    Done(RestoreMethod),
    /// It is in progress; the reason says what it waits for.
    InProgress(Reason),
}

/// One planned restart of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// The operation that asks for it. A runtime restarts a server once for each.
    pub operation: OperationId,
    /// How long the server may take to shut down gracefully before it is stopped immediately.
    pub timeout: Duration,
}

/// One suspension of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// The operation that asks for it.
    pub operation: OperationId,
    /// How long the server may take to shut down gracefully before it is stopped immediately, counted from the first call for this operation.
    pub timeout: Duration,
}

/// A hint to look at an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nudge {
    /// The instance that has changed.
    pub instance: InstanceId,
    /// Why the server of the instance died unplanned, if it did: that needs no confirmation by further checks.
    pub death: Option<Reason>,
}

/// Why a verb failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeError {
    /// For people. It never contains a secret.
    pub reason: Reason,
    /// Whether the same call can succeed later without anybody changing anything.
    pub retryable: bool,
}

impl RuntimeError {
    /// An error that can go away by itself.
    pub fn temporary(code: ReasonCode, message: impl Into<String>) -> Self {
        Self { reason: Reason::new(code, message), retryable: true }
    }

    /// An error that stays until somebody changes something.
    pub fn permanent(code: ReasonCode, message: impl Into<String>) -> Self {
        Self { reason: Reason::new(code, message), retryable: false }
    }
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason.message)
    }
}

impl std::error::Error for RuntimeError {}
