//! What mutations and filters take. A field that is left out has the server's default.

use super::{BigInt, ExposureType, HealthStatus, InstanceState, OperationKind, OperationStatus, TokenRole, schema};

#[derive(Clone, Debug, cynic::InputObject)]
pub(crate) struct LabelInput {
    pub(crate) key: String,
    pub(crate) value: String,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(crate) struct ExposureInput {
    #[cynic(rename = "type")]
    pub(crate) kind: ExposureType,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) source_ranges: Option<Vec<String>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) dns_label: Option<String>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(crate) struct HealthCheckInput {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) interval_seconds: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_seconds: Option<i32>,
}

// No `Debug`: it may hold a password.
#[derive(Clone, cynic::InputObject)]
pub(crate) struct CreateInstanceInput {
    pub(crate) name: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) database: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) storage_gb: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) postgres_version: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_millis: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_mb: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) labels: Option<Vec<LabelInput>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) deletion_protected: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) idempotency_key: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) exposure: Option<ExposureInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) health_check: Option<HealthCheckInput>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(crate) struct UpdateInstanceInput {
    pub(crate) id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) labels: Option<Vec<LabelInput>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) deletion_protected: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<BigInt>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(crate) struct DeleteInstanceInput {
    pub(crate) id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) keep_volumes: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(crate) struct CancelOperationInput {
    pub(crate) id: cynic::Id,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(crate) struct RetryOperationInput {
    pub(crate) id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(crate) struct CreateApiTokenInput {
    pub(crate) name: String,
    pub(crate) role: TokenRole,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_in_days: Option<i32>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(crate) struct RevokeApiTokenInput {
    pub(crate) id: cynic::Id,
}

#[derive(Clone, Debug, Default, cynic::InputObject)]
pub(crate) struct InstanceFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<Vec<InstanceState>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) health: Option<Vec<HealthStatus>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) name_contains: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) labels: Option<Vec<LabelInput>>,
}

#[derive(Clone, Debug, Default, cynic::InputObject)]
pub(crate) struct OperationFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) instance_id: Option<cynic::Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<Vec<OperationKind>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Vec<OperationStatus>>,
}
