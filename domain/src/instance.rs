//! An instance: what was asked for, what state it is in and why, and which changes of state are legal.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    InstanceId,
    name::{InstanceName, SqlName},
};

/// Declares an enum that is a text in the database and in workflow messages.
macro_rules! text_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident => $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vmeta])* $variant),* }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The text that the database holds.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text { $($text => Ok(Self::$variant),)* _ => Err(format!("'{text}' is no {}", stringify!($name))) }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
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
    /// Where an instance is in its life.
    pub enum InstanceState {
        /// Being made; nothing to connect to yet.
        Creating => "creating",
        /// Made. Whether it answers is its health.
        Running => "running",
        /// Being removed.
        Deleting => "deleting",
        /// Gone; the row is kept as history.
        Deleted => "deleted",
        /// Making or removing it did not work out; the reason says why. Retry or delete.
        Failed => "failed",
    }
}

impl InstanceState {
    /// Whether the life of an instance may go from this state to `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        Self::sources_of(next).contains(&self)
    }

    /// The states from which `next` can be reached; what the store guards its updates with. One exception is no transition but
    /// an undo: a deletion that is cancelled before anything was removed gives back the state it took.
    #[must_use]
    pub fn sources_of(next: Self) -> &'static [Self] {
        use InstanceState::{Creating, Deleting, Failed, Running};
        match next {
            Self::Creating => &[Failed],
            Self::Running => &[Creating],
            Self::Deleting => &[Creating, Running, Failed],
            Self::Deleted => &[Deleting],
            Self::Failed => &[Creating, Deleting],
        }
    }
}

text_enum! {
    /// What health checks found.
    pub enum HealthStatus {
        /// The last check logged in and got its answer.
        Healthy => "healthy",
        /// It does not answer, and that is confirmed.
        Unhealthy => "unhealthy",
        /// Not checked yet, or nothing to check.
        Unknown => "unknown",
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
        StartingUp => "starting_up",
        /// The server's process ended.
        ProcessExited => "process_exited",
        /// It keeps ending soon after its start.
        CrashLoop => "crash_loop",
        /// It was killed because it needed more memory than it was given.
        OutOfMemory => "out_of_memory",
        /// The image cannot be pulled.
        ImagePullFailed => "image_pull_failed",
        /// No node has room for it.
        Unschedulable => "unschedulable",
        /// Its volume cannot be provided.
        VolumeNotBound => "volume_not_bound",
        /// A quota is in the way.
        QuotaExceeded => "quota_exceeded",
        /// The cluster refused the objects.
        AdmissionRefused => "admission_refused",
        /// The control plane lacks a permission.
        Forbidden => "forbidden",
        /// The host of instances cannot be reached.
        RuntimeUnavailable => "runtime_unavailable",
        /// The PostgreSQL binaries for it are not installed.
        PostgresMissing => "postgres_missing",
        /// Nobody listens at the endpoint.
        ConnectionRefused => "connection_refused",
        /// The endpoint did not answer in time.
        ConnectionTimeout => "connection_timeout",
        /// The endpoint's name does not resolve.
        DnsFailed => "dns_failed",
        /// The TLS handshake failed.
        TlsFailed => "tls_failed",
        /// The instance's own credentials were refused.
        AuthenticationFailed => "authentication_failed",
        /// All its connections are taken.
        TooManyConnections => "too_many_connections",
        /// It answers but takes no writes.
        ReadOnly => "read_only",
        /// Its disk is full.
        DiskFull => "disk_full",
        /// The connection broke.
        ConnectionLost => "connection_lost",
        /// It answered with an error.
        QueryFailed => "query_failed",
        /// The operation's deadline passed.
        DeadlineExceeded => "deadline_exceeded",
        /// Somebody cancelled the operation.
        Cancelled => "cancelled",
        /// Another operation took over.
        Superseded => "superseded",
        /// Something remains that could not be removed.
        RemovalIncomplete => "removal_incomplete",
        /// A fault of the control plane; its log says more.
        Internal => "internal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_leads_back_from_deletion() {
        for next in InstanceState::ALL {
            assert!(!InstanceState::Deleted.may_become(*next));
            assert!(!next.may_become(*next), "{next} to itself is no change");
        }
        assert!(!InstanceState::Deleting.may_become(InstanceState::Running));
        assert!(InstanceState::Creating.may_become(InstanceState::Deleting));
        assert!(InstanceState::Failed.may_become(InstanceState::Creating));
    }

    #[test]
    fn every_text_is_read_back() {
        for code in ReasonCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
        }
    }
}
