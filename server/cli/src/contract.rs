//! The part of the contract that the commands use: each type here is checked against `schema.graphql` when it is compiled.
//!
//! Enums of results have a fallback, so that this client goes on working with a newer server.

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use serde::Serialize;

mod inputs;

pub(super) use inputs::*;

#[cynic::schema("toygres")]
pub(super) mod schema {}

cynic::impl_scalar!(DateTime<Utc>, schema::DateTime);

/// A 64-bit number, which travels as text.
#[derive(Clone, Debug, PartialEq, Eq, cynic::Scalar)]
pub(super) struct BigInt(pub(super) String);

#[derive(Clone, Debug, PartialEq, Eq, ValueEnum, cynic::Enum)]
pub(super) enum InstanceState {
    Creating,
    Running,
    Deleting,
    Deleted,
    Failed,
    #[cynic(fallback)]
    #[value(skip)]
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq, ValueEnum, cynic::Enum)]
pub(super) enum HealthStatus {
    Healthy,
    Unhealthy,
    Unknown,
    #[cynic(fallback)]
    #[value(skip)]
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq, ValueEnum, cynic::Enum)]
pub(super) enum OperationKind {
    Create,
    Delete,
    #[cynic(fallback)]
    #[value(skip)]
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq, ValueEnum, cynic::Enum)]
pub(super) enum OperationStatus {
    Pending,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    #[cynic(fallback)]
    #[value(skip)]
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq, cynic::Enum)]
pub(super) enum StepStatus {
    Pending,
    Running,
    Succeeded,
    Failed,
    Skipped,
    #[cynic(fallback)]
    Other(String),
}

/// Step names are only shown, never told apart; the derive macro wants one beside the fallback.
#[derive(Clone, Debug, PartialEq, Eq, cynic::Enum)]
#[cynic(non_exhaustive)]
pub(super) enum StepName {
    DeployPostgres,
    #[cynic(fallback)]
    Other(String),
}

/// As with step names.
#[derive(Clone, Debug, PartialEq, Eq, cynic::Enum)]
#[cynic(non_exhaustive)]
pub(super) enum ReasonCode {
    Internal,
    #[cynic(fallback)]
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq, cynic::Enum)]
pub(super) enum ExposureType {
    Cluster,
    LoadBalancer,
    #[cynic(fallback)]
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq, cynic::Enum)]
pub(super) enum InstanceChangeType {
    Snapshot,
    SnapshotComplete,
    Upserted,
    Removed,
    #[cynic(fallback)]
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq, ValueEnum, cynic::Enum)]
pub(super) enum TokenRole {
    Viewer,
    Operator,
    Admin,
    #[cynic(fallback)]
    #[value(skip)]
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq, cynic::Enum)]
pub(super) enum UserErrorCode {
    Invalid,
    OutOfRange,
    NameTaken,
    UnsupportedVersion,
    NotFound,
    Protected,
    Conflict,
    RevisionMismatch,
    IdempotencyMismatch,
    #[cynic(fallback)]
    Other(String),
}

#[derive(Clone, Debug, cynic::QueryFragment)]
pub(super) struct UserError {
    pub(super) code: UserErrorCode,
    pub(super) field: Vec<String>,
    pub(super) message: String,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reason {
    pub(super) code: ReasonCode,
    pub(super) message: String,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(super) struct Endpoint {
    pub(super) host: String,
    pub(super) port: i32,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exposure {
    #[cynic(rename = "type")]
    #[serde(rename = "type")]
    pub(super) kind: ExposureType,
    pub(super) source_ranges: Vec<String>,
    pub(super) dns_label: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(super) struct Label {
    pub(super) key: String,
    pub(super) value: String,
}

/// An instance without its secret: that is asked for by name only.
#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instance {
    pub(super) id: cynic::Id,
    pub(super) name: String,
    pub(super) state: InstanceState,
    pub(super) health: HealthStatus,
    pub(super) reason: Option<Reason>,
    pub(super) postgres_version: String,
    pub(super) storage_gb: i32,
    pub(super) cpu_millis: i32,
    pub(super) memory_mb: i32,
    pub(super) username: String,
    pub(super) database: String,
    pub(super) exposure: Exposure,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) labels: Vec<Label>,
    pub(super) deletion_protected: bool,
    pub(super) revision: BigInt,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) deleted_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperationStep {
    pub(super) name: StepName,
    pub(super) status: StepStatus,
    pub(super) attempt: i32,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) finished_at: Option<DateTime<Utc>>,
    pub(super) error: Option<Reason>,
}

/// The instance of an operation.
#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
pub(super) struct InstanceName {
    pub(super) id: cynic::Id,
    pub(super) name: String,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) id: cynic::Id,
    pub(super) kind: OperationKind,
    pub(super) status: OperationStatus,
    pub(super) instance: InstanceName,
    pub(super) steps: Vec<OperationStep>,
    pub(super) error: Option<Reason>,
    pub(super) cancel_requested: bool,
    pub(super) deadline: DateTime<Utc>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) finished_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, cynic::QueryFragment)]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    pub(super) end_cursor: Option<String>,
}

/// The enum's name in the contract, in lower case and with spaces, as tables show it.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text.to_lowercase().replace('_', " "),
        other => unreachable!("an enum is written as text, not as {other:?}"),
    }
}
