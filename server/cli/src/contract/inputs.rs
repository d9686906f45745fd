//! What mutations and filters take. A field that is left out has the server's default.

use super::{BigInt, ExposureType, HealthStatus, InstanceState, OperationKind, OperationStatus, TokenRole, schema};

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate) struct LabelInput {
    pub(in crate) key: String,
    pub(in crate) value: String,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate) struct ExposureInput {
    #[cynic(rename = "type")]
    pub(in crate) kind: ExposureType,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) source_ranges: Option<Vec<String>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) dns_label: Option<String>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate) struct HealthCheckInput {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) interval_seconds: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) timeout_seconds: Option<i32>,
}

// No `Debug`: it may hold a password.
#[derive(Clone, cynic::InputObject)]
pub(in crate) struct CreateInstanceInput {
    pub(in crate) name: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) username: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) password: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) database: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) storage_gb: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) postgres_version: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) cpu_millis: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) memory_mb: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) labels: Option<Vec<LabelInput>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) deletion_protected: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) idempotency_key: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) exposure: Option<ExposureInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) health_check: Option<HealthCheckInput>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate) struct UpdateInstanceInput {
    pub(in crate) id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) labels: Option<Vec<LabelInput>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) deletion_protected: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) revision: Option<BigInt>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate) struct DeleteInstanceInput {
    pub(in crate) id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) keep_volumes: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) idempotency_key: Option<String>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate) struct CancelOperationInput {
    pub(in crate) id: cynic::Id,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate) struct RetryOperationInput {
    pub(in crate) id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) idempotency_key: Option<String>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate) struct CreateApiTokenInput {
    pub(in crate) name: String,
    pub(in crate) role: TokenRole,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) expires_in_days: Option<i32>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate) struct RevokeApiTokenInput {
    pub(in crate) id: cynic::Id,
}

#[derive(Clone, Debug, Default, cynic::InputObject)]
pub(in crate) struct InstanceFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) state: Option<Vec<InstanceState>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) health: Option<Vec<HealthStatus>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) name_contains: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) labels: Option<Vec<LabelInput>>,
}

#[derive(Clone, Debug, Default, cynic::InputObject)]
pub(in crate) struct OperationFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) instance_id: Option<cynic::Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) kind: Option<Vec<OperationKind>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate) status: Option<Vec<OperationStatus>>,
}
