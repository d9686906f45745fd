//! An instance: its spec, its state and health, and the reasons for both.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    InstanceId,
    address::Address,
    backup::BackupSettings,
    maintenance::MaintenanceWindow,
    name::{InstanceName, SqlName},
    notice::{Notice, NoticeCode},
    parameter::Parameters,
    storage::AutoGrow,
    upgrade::AvailableUpdate,
};

/// Declares an enum whose values are text in the metadata database, in messages of workflows and (in upper case) in the API:
/// the names of the variants in snake case.
macro_rules! text_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
            strum::Display, strum::EnumMessage, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $name { $($(#[$vmeta])* $variant),* }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

            /// The text of the value.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                self.into()
            }
        }
    };
}
pub(crate) use text_enum;

/// A hosted PostgreSQL server, as the metadata describes it.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The same in the API, in logs and on the objects of the runtime.
    pub id: InstanceId,
    /// Unique among instances that are not deleted.
    pub name: InstanceName,
    /// The name that it was created with, which what cannot be renamed without a restart keeps.
    pub first_name: InstanceName,
    /// The stage of its life.
    pub state: InstanceState,
    /// The last confirmed result of its health checks.
    pub health: HealthStatus,
    /// Why it is not running and healthy, or what it waits for.
    pub reason: Option<Reason>,
    /// What else there is to know about it, oldest first; empty once it is deleted.
    pub notices: Vec<Notice>,
    /// The requested configuration.
    pub spec: InstanceSpec,
    /// The address that its host has, while another one is prepared or the former is removed.
    pub former_address: Option<Address>,
    /// The update that its host has for its server, as far as that was found out.
    pub update_available: Option<AvailableUpdate>,
    /// Where clients connect, once it has run.
    pub endpoint: Option<Endpoint>,
    /// The URL for clients, without the password, once it has run.
    pub connection_string: Option<String>,
    /// The HealthCheck workflow that may change its health.
    pub health_check_orchestration_id: Option<String>,
    /// Labels of the caller; no meaning to Toygres.
    pub labels: BTreeMap<String, String>,
    /// Whether deletion is refused.
    pub deletion_protected: bool,
    /// Minutes without a session of a client after which the control plane suspends it; `None` if it never does.
    pub idle_suspend_minutes: Option<i32>,
    /// When the control plane applies updates by itself; `None` if it never does.
    pub maintenance_window: Option<MaintenanceWindow>,
    /// When its volume grows by itself; `None` if it never does.
    pub storage_auto_grow: Option<AutoGrow>,
    /// What was chosen for its backups.
    pub backups: BackupSettings,
    /// How many operations it has had; the number of the latest.
    pub operation_count: i64,
    /// Counts every change.
    pub revision: i64,
    /// When its creation was accepted.
    pub created_at: DateTime<Utc>,
    /// The time of the last change.
    pub updated_at: DateTime<Utc>,
    /// When its deletion was finished.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// The configuration that a caller requests and a runtime provides. A runtime destructures it whole, so that a new field
/// makes each runtime decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceSpec {
    /// Major version of PostgreSQL.
    pub postgres_version: PostgresVersion,
    /// Size of the volume in GiB.
    pub storage_gb: i32,
    /// Processor share in millicores.
    pub cpu_millis: i32,
    /// Memory in MiB.
    pub memory_mb: i32,
    /// The role that owns the database and that clients log in as.
    pub username: SqlName,
    /// The database that `username` owns.
    pub database: SqlName,
    /// From where clients can connect.
    pub exposure: Exposure,
    /// Whether clients without TLS are refused.
    pub require_tls: bool,
    /// The interval and the time-out of its health checks.
    pub health_check: HealthCheckPolicy,
    /// The parameters of the server that the owner has set.
    pub parameters: Parameters,
}

/// A major version of PostgreSQL, for example 17.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PostgresVersion(pub u16);

impl std::fmt::Display for PostgresVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// From where clients can connect to an instance.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Exposure {
    /// From inside: the cluster, or this machine.
    #[default]
    Cluster,
    /// From outside, through a load balancer.
    LoadBalancer {
        /// The IP ranges (CIDR) that may connect; empty for any.
        source_ranges: Vec<String>,
        /// The DNS label that the cloud assigns to the address.
        dns_label: Option<String>,
    },
}

/// How the health of an instance is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheckPolicy {
    /// Seconds from one check to the next.
    pub interval_seconds: i32,
    /// Seconds that one check may take.
    pub timeout_seconds: i32,
}

/// Where clients connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// Selects instances: every given condition must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceFilter {
    /// One of these states; when none is given, every state but `deleted`.
    pub states: Option<Vec<InstanceState>>,
    /// One of these health statuses.
    pub health: Option<Vec<HealthStatus>>,
    /// The name contains this text.
    pub name_contains: Option<String>,
    /// It carries all these labels.
    pub labels: BTreeMap<String, String>,
}

impl InstanceFilter {
    /// The selected states.
    #[must_use]
    pub fn states(&self) -> Vec<InstanceState> {
        self.states.clone().unwrap_or_else(|| InstanceState::ALL.iter().copied().filter(|s| *s != InstanceState::Deleted).collect())
    }

    /// Whether the filter selects this instance. The SQL of the store does the same.
    #[must_use]
    pub fn matches(&self, instance: &Instance) -> bool {
        self.states().contains(&instance.state)
            && self.health.as_ref().is_none_or(|health| health.contains(&instance.health))
            && self.name_contains.as_ref().is_none_or(|text| instance.name.as_str().contains(text.as_str()))
            && self.labels.iter().all(|(key, value)| instance.labels.get(key) == Some(value))
    }
}

text_enum! {
    /// The stage of an instance's life.
    pub enum InstanceState {
        /// Being created; nothing to connect to yet.
        Creating,
        /// Created. Whether it answers is its health.
        Running,
        /// Being changed by an operation, during which it may not answer.
        Updating,
        /// Its server is stopped until it is resumed; its data is kept.
        Suspended,
        /// Being deleted.
        Deleting,
        /// Deleted; the row is kept as history.
        Deleted,
        /// Its creation failed; the reason says why. Retry the operation, or delete the instance.
        Failed,
    }
}

impl Instance {
    /// Whether it has run, so that there must be data of it.
    #[must_use]
    pub fn has_run(&self) -> bool {
        self.endpoint.is_some()
    }

    /// Whether there is a notice of this kind.
    #[must_use]
    pub fn has_notice(&self, code: NoticeCode) -> bool {
        self.notices.iter().any(|notice| notice.code == code)
    }
}

impl InstanceState {
    /// Whether an operation is at work in this state, and leads out of it.
    #[must_use]
    pub fn is_transitional(self) -> bool {
        matches!(self, Self::Creating | Self::Updating | Self::Deleting)
    }
}

text_enum! {
    /// The confirmed result of health checks.
    pub enum HealthStatus {
        /// The last check logged in and got an answer.
        Healthy,
        /// It does not answer, and further checks have confirmed that.
        Unhealthy,
        /// Not checked yet, or checks are paused.
        Unknown,
    }
}

/// Why an instance is not running and healthy, or an operation did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The kind of reason; stable, for programs.
    #[serde(deserialize_with = "code_of_any_release")]
    pub code: ReasonCode,
    /// A sentence for people. It never contains a secret.
    pub message: String,
}

impl Reason {
    /// Bytes of a message. Much of the text is not ours (errors of PostgreSQL, messages of a cluster, lines of logs), and a message is
    /// stored and sent many times.
    pub const MAX_MESSAGE_BYTES: usize = 2000;

    /// Makes a reason. The message is cut to [`Self::MAX_MESSAGE_BYTES`].
    pub fn new(code: ReasonCode, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > Self::MAX_MESSAGE_BYTES {
            message.truncate(message.floor_char_boundary(Self::MAX_MESSAGE_BYTES));
            message.shrink_to_fit();
        }
        Self { code, message }
    }
}

text_enum! {
    /// The kinds of reasons.
    pub enum ReasonCode {
        /// The database is starting, or recovering after a crash.
        StartingUp,
        /// The process of the server exited.
        ProcessExited,
        /// The server keeps exiting soon after it starts.
        CrashLoop,
        /// It was killed because it used more memory than its limit.
        OutOfMemory,
        /// The image cannot be pulled.
        ImagePullFailed,
        /// No node has enough resources for it.
        Unschedulable,
        /// Its volume cannot be provided.
        VolumeNotBound,
        /// Its volume is being deleted: its data lives only as long as its server runs.
        VolumeTerminating,
        /// Its volume cannot grow: the storage class does not allow it.
        VolumeNotExpandable,
        /// Its volume has not grown yet, or the cloud has refused it.
        VolumeNotExpanded,
        /// It has run before, and the volume with its data is gone.
        DataLost,
        /// Somebody deleted or edited what was deployed.
        Drifted,
        /// A quota of the cluster is exhausted.
        QuotaExceeded,
        /// The cluster refused the objects.
        AdmissionRefused,
        /// The control plane lacks a permission.
        Forbidden,
        /// The host of instances cannot be reached.
        RuntimeUnavailable,
        /// The PostgreSQL binaries for it are not installed.
        PostgresMissing,
        /// Nothing listens at the endpoint.
        ConnectionRefused,
        /// The endpoint did not answer in time.
        ConnectionTimeout,
        /// The endpoint's name does not resolve.
        DnsFailed,
        /// The host has no address for clients any more.
        EndpointMissing,
        /// The TLS handshake failed.
        TlsFailed,
        /// The instance's own credentials were refused.
        AuthenticationFailed,
        /// All connections of the server are in use.
        TooManyConnections,
        /// It answers but accepts no writes.
        ReadOnly,
        /// Its disk is full.
        DiskFull,
        /// It is suspended: its server is stopped until it is resumed.
        Suspended,
        /// It has no server that runs.
        NotRunning,
        /// Its server has no statistics of statements.
        StatisticsMissing,
        /// Its log is on another machine than this server.
        LogNotHere,
        /// As many other requests are being answered as may be at once.
        Busy,
        /// The connection broke.
        ConnectionLost,
        /// It answered with an error.
        QueryFailed,
        /// It answered with an error of its own or of its operating system, which may pass.
        ServerError,
        /// The store of backups cannot be reached, is too slow, or fails.
        StoreUnavailable,
        /// The store of backups refuses the credentials, or they may not do this.
        StoreRefused,
        /// What is in the store of backups is not what was written, or of another cluster.
        StoreDamaged,
        /// A backup failed.
        BackupFailed,
        /// No backup has the point in time that was to be restored.
        NotRestorable,
        /// PostgreSQL has found damage in the data of a backup.
        DataCorrupted,
        /// Its data cannot be upgraded to that version of PostgreSQL as it is.
        NotUpgradable,
        /// A backup is not verified, by configuration or because the host cannot do it.
        NotVerified,
        /// The operation's deadline passed.
        DeadlineExceeded,
        /// A caller cancelled the operation.
        Cancelled,
        /// Another operation took over.
        Superseded,
        /// Something could not be removed.
        RemovalIncomplete,
        /// An internal error of the control plane; its log says more.
        Internal,
    }
}

impl ReasonCode {
    /// The code with this text, or [`Self::Internal`] for one that only a later release has: while servers are replaced one by one, an older
    /// one goes on with what a newer one wrote. The message says more.
    #[must_use]
    pub fn of_any_release(text: &str) -> Self {
        text.parse().unwrap_or(Self::Internal)
    }

    /// Whether it is no outage: an instance with this reason may be healthy, and a health check leaves the reason.
    #[must_use]
    pub fn is_notice(self) -> bool {
        matches!(self, Self::Drifted | Self::VolumeTerminating)
    }
}

fn code_of_any_release<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<ReasonCode, D::Error> {
    String::deserialize(deserializer).map(|text| ReasonCode::of_any_release(&text))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A specification with 1 GiB of memory.
    pub(crate) fn spec() -> InstanceSpec {
        InstanceSpec {
            postgres_version: PostgresVersion(17),
            storage_gb: 10,
            cpu_millis: 500,
            memory_mb: 1024,
            username: SqlName::role("app").unwrap(),
            database: SqlName::database("app").unwrap(),
            exposure: Exposure::Cluster,
            require_tls: false,
            health_check: HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 },
            parameters: Parameters::default(),
        }
    }

    #[test]
    fn a_message_is_cut_at_a_character() {
        let reason = |text: &str| Reason::new(ReasonCode::QueryFailed, text).message;
        assert_eq!(reason("short"), "short");
        let long = reason(&"\u{20ac}".repeat(1_000_000));
        assert_eq!((long.len(), long.chars().last()), (1998, Some('\u{20ac}')));
    }

    #[test]
    fn every_text_is_read_back() {
        for code in ReasonCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
        }
    }

    #[test]
    fn a_reason_of_a_later_release_keeps_its_message() {
        let reason: Reason = serde_json::from_str(r#"{"code":"from_the_future","message":"m"}"#).unwrap();
        assert_eq!(reason, Reason::new(ReasonCode::Internal, "m"));
        let known = Reason::new(ReasonCode::DiskFull, "m");
        assert_eq!(serde_json::from_str::<Reason>(&serde_json::to_string(&known).unwrap()).unwrap(), known);
    }
}
