//! An instance: what was asked for, what state it is in and why, and which changes of state are legal.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    InstanceId,
    name::{InstanceName, SqlName},
};

/// Declares an enum whose values are texts in the metadata database, in messages of workflows and (in upper case) in the API:
/// the names of its variants in snake case.
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

/// A hosted PostgreSQL and all that Toygres knows of it.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its identity.
    pub id: InstanceId,
    /// Its name, unique among instances that are not deleted.
    pub name: InstanceName,
    /// Where it is in its life.
    pub state: InstanceState,
    /// What the last health check found.
    pub health: HealthStatus,
    /// Why it is not what it should be, or what it waits for.
    pub reason: Option<Reason>,
    /// What was asked for.
    pub spec: InstanceSpec,
    /// Where clients connect, once known.
    pub endpoint: Option<Endpoint>,
    /// The URL for clients without the password, once known.
    pub connection_string: Option<String>,
    /// The workflow that checks its health.
    pub health_check_orchestration_id: Option<String>,
    /// Free labels of the caller.
    pub labels: BTreeMap<String, String>,
    /// Whether deletion is refused.
    pub deletion_protected: bool,
    /// How many operations it has had; the number of the latest.
    pub operation_count: i64,
    /// Counts every change.
    pub revision: i64,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
    /// When it was gone.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// What a caller asks for, and a runtime has to provide. A runtime destructures it whole, so that a new field makes each
/// runtime decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceSpec {
    /// Major version of PostgreSQL.
    pub postgres_version: PostgresVersion,
    /// Size of the volume in GiB.
    pub storage_gb: i32,
    /// Processor share in thousandths of a core.
    pub cpu_millis: i32,
    /// Memory in MiB.
    pub memory_mb: i32,
    /// The role that owns the database and that clients log in as.
    pub username: SqlName,
    /// The database made for the caller.
    pub database: SqlName,
    /// Who can reach it.
    pub exposure: Exposure,
    /// How its health is checked.
    pub health_check: HealthCheckPolicy,
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

/// Who can reach an instance.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Exposure {
    /// Clients beside it: in the cluster, or on this machine.
    #[default]
    Cluster,
    /// Clients outside, through a load balancer.
    LoadBalancer {
        /// The address ranges (CIDR) that are let in; empty lets in everyone.
        source_ranges: Vec<String>,
        /// The DNS label that the cloud gives the address, if one is wanted.
        dns_label: Option<String>,
    },
}

/// How often and how patiently the health of an instance is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Which instances are meant: every given condition must hold.
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
    /// The states that are let through.
    #[must_use]
    pub fn states(&self) -> Vec<InstanceState> {
        self.states.clone().unwrap_or_else(|| InstanceState::ALL.iter().copied().filter(|s| *s != InstanceState::Deleted).collect())
    }

    /// Whether this instance is meant. The store's SQL asks the same.
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
        /// Being deleted.
        Deleting,
        /// Deleted; the row is kept as history.
        Deleted,
        /// Its creation failed; the reason says why. Retry the operation, or delete the instance.
        Failed,
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
    /// What health checks found.
    pub enum HealthStatus {
        /// The last check logged in and got its answer.
        Healthy,
        /// It does not answer, and that is confirmed.
        Unhealthy,
        /// Not checked yet, or nothing to check.
        Unknown,
    }
}

/// Why an instance or an operation is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What kind of reason; stable, for programs.
    pub code: ReasonCode,
    /// One sentence for people. Never holds a secret.
    pub message: String,
}

impl Reason {
    /// A reason with its sentence.
    pub fn new(code: ReasonCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

text_enum! {
    /// The kinds of reasons.
    pub enum ReasonCode {
        /// The database is starting, or recovering after a crash.
        StartingUp,
        /// The server's process ended.
        ProcessExited,
        /// It keeps ending soon after its start.
        CrashLoop,
        /// It was killed because it needed more memory than it was given.
        OutOfMemory,
        /// The image cannot be pulled.
        ImagePullFailed,
        /// No node has room for it.
        Unschedulable,
        /// Its volume cannot be provided.
        VolumeNotBound,
        /// A quota is in the way.
        QuotaExceeded,
        /// The cluster refused the objects.
        AdmissionRefused,
        /// The control plane lacks a permission.
        Forbidden,
        /// The host of instances cannot be reached.
        RuntimeUnavailable,
        /// The PostgreSQL binaries for it are not installed.
        PostgresMissing,
        /// Nobody listens at the endpoint.
        ConnectionRefused,
        /// The endpoint did not answer in time.
        ConnectionTimeout,
        /// The endpoint's name does not resolve.
        DnsFailed,
        /// The TLS handshake failed.
        TlsFailed,
        /// The instance's own credentials were refused.
        AuthenticationFailed,
        /// All its connections are taken.
        TooManyConnections,
        /// It answers but takes no writes.
        ReadOnly,
        /// Its disk is full.
        DiskFull,
        /// The connection broke.
        ConnectionLost,
        /// It answered with an error.
        QueryFailed,
        /// The operation's deadline passed.
        DeadlineExceeded,
        /// Somebody cancelled the operation.
        Cancelled,
        /// Another operation took over.
        Superseded,
        /// Something remains that could not be removed.
        RemovalIncomplete,
        /// A fault of the control plane; its log says more.
        Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_read_back() {
        for code in ReasonCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
        }
    }
}
