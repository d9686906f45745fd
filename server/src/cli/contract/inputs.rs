//! What mutations and filters take. A field that is left out has the server's default.

use super::{BigInt, ExposureType, HealthStatus, InstanceState, OperationKind, OperationStatus, TokenRole, schema};

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate::cli) struct LabelInput {
    pub(in crate::cli) key: String,
    pub(in crate::cli) value: String,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate::cli) struct ExposureInput {
    #[cynic(rename = "type")]
    pub(in crate::cli) kind: ExposureType,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) source_ranges: Option<Vec<String>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) dns_label: Option<String>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate::cli) struct HealthCheckInput {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) interval_seconds: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) timeout_seconds: Option<i32>,
}

// No `Debug`: it may hold a password.
#[derive(Clone, cynic::InputObject)]
pub(in crate::cli) struct CreateInstanceInput {
    pub(in crate::cli) name: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) username: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) password: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) database: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) storage_gb: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) postgres_version: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) cpu_millis: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) memory_mb: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) labels: Option<Vec<LabelInput>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) deletion_protected: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) idempotency_key: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) exposure: Option<ExposureInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) health_check: Option<HealthCheckInput>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate::cli) struct UpdateInstanceInput {
    pub(in crate::cli) id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) labels: Option<Vec<LabelInput>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) deletion_protected: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) revision: Option<BigInt>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate::cli) struct DeleteInstanceInput {
    pub(in crate::cli) id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) keep_volumes: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) idempotency_key: Option<String>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate::cli) struct CancelOperationInput {
    pub(in crate::cli) id: cynic::Id,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate::cli) struct RetryOperationInput {
    pub(in crate::cli) id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) idempotency_key: Option<String>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate::cli) struct CreateApiTokenInput {
    pub(in crate::cli) name: String,
    pub(in crate::cli) role: TokenRole,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) expires_in_days: Option<i32>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(in crate::cli) struct RevokeApiTokenInput {
    pub(in crate::cli) id: cynic::Id,
}

#[derive(Clone, Debug, Default, cynic::InputObject)]
pub(in crate::cli) struct InstanceFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) state: Option<Vec<InstanceState>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) health: Option<Vec<HealthStatus>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) name_contains: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) labels: Option<Vec<LabelInput>>,
}

#[derive(Clone, Debug, Default, cynic::InputObject)]
pub(in crate::cli) struct OperationFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) instance_id: Option<cynic::Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) kind: Option<Vec<OperationKind>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) status: Option<Vec<OperationStatus>>,
}
