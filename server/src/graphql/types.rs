//! The types of the contract, one per file. Inputs and payloads of mutations are in the files of the mutations.

mod activity;
mod api_token;
mod backup;
mod backup_policy;
mod ca_certificate;
mod certificate;
mod control_plane;
mod database;
mod database_user;
mod domain_enum;
mod exposure;
mod health_check;
mod health_summary;
mod instance;
mod instance_change;
mod instance_event;
mod instance_filter;
mod instance_order;
mod label;
mod limits;
mod log;
mod maintenance_window;
mod metric;
mod node;
mod notice;
mod operation;
mod operation_filter;
mod parameter;
mod reason;
mod recovery;
mod scalars;
mod storage;
mod top_queries;
mod upgrade_target;
mod webhook;

pub(super) use activity::InstanceActivity;
pub(super) use api_token::ApiToken;
pub(super) use backup::Backup;
pub(super) use backup_policy::{BackupPolicy, BackupPolicyInput};
pub(super) use ca_certificate::CaCertificate;
pub(super) use certificate::Certificate;
pub(super) use control_plane::ControlPlane;
pub(super) use database::Database;
pub(super) use database_user::DatabaseUser;
pub(super) use domain_enum::{
    BackupDurability, BackupKeptFor, BackupProtection, BackupStatus, BackupTrigger, BackupVerificationStatus, CaStatus, DatabaseAccess, ExposureType,
    HealthStatus, InstanceEventType, InstanceState, LogSeverity, MetricName, MetricUnit, NoticeCode, OperationKind, OperationStatus, ReasonCode,
    RecoveryGapReason, RestoreMethod, SessionState, StepName, StepStatus, TokenRole, TopQueryOrder, WebhookDisabledCode, WebhookEventType,
    WebhookState, Weekday,
};
pub(super) use exposure::{Exposure, ExposureInput};
pub(super) use health_check::{HealthCheck, HealthCheckInput, HealthCheckPolicy};
pub(super) use health_summary::HealthSummary;
pub(super) use instance::Instance;
pub(super) use instance_change::{InstanceChange, InstanceChangeType};
pub(super) use instance_event::InstanceEvent;
pub(super) use instance_filter::InstanceFilterInput;
pub(super) use instance_order::InstanceOrderInput;
pub(super) use label::{Label, LabelInput, pairs};
pub(super) use limits::Limits;
pub(super) use log::{InstanceLogBatch, LogEntries, page as log_page};
pub(super) use maintenance_window::{MaintenanceWindow, MaintenanceWindowInput};
pub(super) use metric::{InstanceMetrics, MetricSeries, metric_names};
pub(super) use node::{Node, NodeId};
pub(super) use notice::{Notice, NoticeChange};
pub(super) use operation::{Operation, list as list_operations};
pub(super) use operation_filter::OperationFilterInput;
pub(super) use parameter::{InstanceParameter, Parameter, ParameterInput, values};
pub(super) use reason::Reason;
pub(super) use recovery::Recovery;
pub(super) use scalars::BigInt;
pub(super) use storage::{StorageAutoGrow, StorageAutoGrowInput, StorageUsage};
pub(super) use top_queries::TopQueries;
pub(super) use upgrade_target::{AvailableUpdate, UpgradeTarget};
pub(super) use webhook::Webhook;
