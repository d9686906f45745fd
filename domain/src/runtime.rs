//! The [`Runtime`] trait: the few verbs that a host of instances must offer. Two hosts implement it: Kubernetes, and local
//! processes.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::{
    InstanceId, OperationId,
    instance::{Endpoint, Exposure, InstanceSpec, PostgresVersion, Reason, ReasonCode},
    name::InstanceName,
    secret::Secret,
};

/// A host of instances. Every verb is idempotent, may be called from any half-done state and after a crash, and excludes
/// the other verbs on the same instance.
#[async_trait]
pub trait Runtime: Send + Sync + 'static {
    /// Which host this is: `process` or `kubernetes`.
    fn name(&self) -> &'static str;

    /// The PostgreSQL versions that can be deployed, newest first. Never empty.
    fn versions(&self) -> Vec<PostgresVersion>;

    /// Whether instances can be reached in this way here.
    fn offers(&self, exposure: &Exposure) -> bool;

    /// Makes the instance, or repairs it towards the spec; returns when everything is asked for, not when it is ready.
    async fn deploy(&self, deployment: &Deployment) -> Result<(), RuntimeError>;

    /// What there is of the instance now.
    async fn observe(&self, id: InstanceId) -> Result<Observation, RuntimeError>;

    /// Removes the instance. Answers [`Progress::Done`] only when nothing of it is left (but the volumes, when
    /// they are kept), and is called again until then.
    async fn remove(&self, id: InstanceId, keep_volumes: bool) -> Result<Progress, RuntimeError>;

    /// Stops the server of the instance and starts it again; called again until it answers [`Progress::Done`], which it does when
    /// the former server is gone and the next one was asked for ([`Self::observe`] tells when that is ready). Repeating it for
    /// the same operation restarts nothing again. A planned restart is reported as no death.
    async fn restart(&self, id: InstanceId, restart: &Restart) -> Result<Progress, RuntimeError>;

    /// Every instance of ours of which the host has anything, whatever the metadata says.
    async fn list(&self) -> Result<Vec<InstanceId>, RuntimeError>;

    /// Where the control plane itself reaches an instance that its clients reach at `endpoint`.
    fn internal_endpoint(&self, _name: &InstanceName, _exposure: &Exposure, endpoint: &Endpoint) -> Endpoint {
        endpoint.clone()
    }

    /// "Look at this instance now": hints that something changed. Hints may be lost or repeated; whoever listens also looks
    /// now and then by itself.
    fn nudges(&self) -> BoxStream<'static, Nudge>;
}

/// Everything that a runtime needs to make an instance.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The identity; names of objects, directories and volumes come from it.
    pub id: InstanceId,
    /// The name that clients type.
    pub name: InstanceName,
    /// What was asked for.
    pub spec: InstanceSpec,
    /// The password of `spec.username`.
    pub password: Secret,
}

/// What a runtime sees of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// There is nothing.
    Absent,
    /// It is on its way up, or down for now, or being removed; the reason says what it waits for.
    Pending(Reason),
    /// It accepts connections here.
    Ready(Endpoint),
    /// It cannot come up without somebody changing something.
    Failed(Reason),
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

/// One planned restart of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// The operation that asks for it. A runtime restarts a server once for each.
    pub operation: OperationId,
    /// How long the server may take to shut down gracefully before it is stopped immediately.
    pub timeout: Duration,
}

/// A hint to look at an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nudge {
    /// Which instance.
    pub instance: InstanceId,
    /// The death of the instance's server, when that is what was seen: it is its own confirmation.
    pub death: Option<Reason>,
}

/// Why a verb did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeError {
    /// What to tell people. Never holds a secret.
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
