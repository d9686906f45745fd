//! `HealthCheck`, `HealthCheckPolicy` and `HealthCheckInput`.

use async_graphql::{ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use toygres_domain::{health as domain, instance};

use super::{HealthStatus, NodeId, Reason};
use crate::app::create_instance::HealthCheckSettings;

/// See the GraphQL type below.
#[derive(Clone)]
pub struct HealthCheck(pub domain::HealthCheck);

/// One check of the health of an instance.
#[Object]
impl HealthCheck {
    /// The ID of the check.
    pub(crate) async fn id(&self) -> ID {
        NodeId::HealthCheck(self.0.instance, self.0.id).into()
    }
    /// The position among the checks of the instance, to resume from.
    async fn cursor(&self) -> String {
        self.0.id.to_string()
    }
    /// The ID of the instance that was checked.
    async fn instance_id(&self) -> ID {
        self.0.instance.to_string().into()
    }
    /// When the check was made.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
    /// What the check found. A single failure is not yet an outage, so this can differ from the health of the instance.
    async fn status(&self) -> HealthStatus {
        self.0.status.into()
    }
    /// How long the check took, in milliseconds.
    async fn latency_ms(&self) -> Option<f64> {
        self.0.latency_us.map(|us| us as f64 / 1000.0)
    }
    /// Whether the check logged in, so that `latencyMs` includes a new connection and the authentication. Other checks use a connection that is
    /// kept. Null for one that failed, and for those that an earlier release has made.
    async fn logged_in(&self) -> Option<bool> {
        self.0.logged_in
    }
    /// Why the check failed.
    async fn error(&self) -> Option<Reason> {
        self.0.error.as_ref().map(Reason::from)
    }
}

/// How the health of an instance is checked.
#[derive(SimpleObject)]
pub struct HealthCheckPolicy {
    /// Seconds from one check to the next.
    interval_seconds: i32,
    /// Seconds that one check may take.
    timeout_seconds: i32,
}

impl From<&instance::HealthCheckPolicy> for HealthCheckPolicy {
    fn from(policy: &instance::HealthCheckPolicy) -> Self {
        Self { interval_seconds: policy.interval_seconds, timeout_seconds: policy.timeout_seconds }
    }
}

/// How the health of an instance is checked.
#[derive(Clone, InputObject)]
pub struct HealthCheckInput {
    /// Seconds from one check to the next (default of a new instance: `controlPlane.limits`).
    interval_seconds: Option<i32>,
    /// Seconds that one check may take (default of a new instance: `controlPlane.limits`).
    timeout_seconds: Option<i32>,
}

impl From<HealthCheckInput> for HealthCheckSettings {
    fn from(input: HealthCheckInput) -> Self {
        let HealthCheckInput { interval_seconds, timeout_seconds } = input;
        Self { interval_seconds, timeout_seconds }
    }
}
