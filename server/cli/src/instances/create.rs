//! `toygres instances create`

use std::path::PathBuf;

use clap::Args;

use super::{
    backups::{BackupOptions, BackupPolicyInput},
    maintenance::{MaintenanceOptions, MaintenanceWindowInput},
    set_parameters::{ParameterInput, parse_parameter},
    storage::{StorageAutoGrowInput, StorageOptions},
};
use crate::{
    client::Client,
    contract::{ExposureType, HealthCheckInput, LabelInput, schema},
    failure::Result,
    input::{parse_label, read_secret},
    mutation::{OperationOptions, operation_mutation},
};

/// Create an instance.
#[derive(Args, Debug)]
pub struct Create {
    /// Name of the instance: a DNS label, unique among the instances that are not deleted.
    name: String,
    /// Major version of PostgreSQL [default: the newest that the server offers].
    #[arg(long, value_name = "VERSION")]
    postgres_version: Option<String>,
    /// Size of the volume in GiB [default: 10].
    #[arg(long, visible_alias = "storage", value_name = "GIB")]
    storage_gb: Option<i32>,
    /// CPU in millicores [default: 500].
    #[arg(long, visible_alias = "cpu", value_name = "MILLIS")]
    cpu_millis: Option<i32>,
    /// Memory in MiB [default: 512].
    #[arg(long, visible_alias = "memory", value_name = "MIB")]
    memory_mb: Option<i32>,
    /// Role that clients log in as [default: app].
    #[arg(long)]
    username: Option<String>,
    /// File with the password of the role; `-` reads stdin [default: generate a password].
    #[arg(long = "password-file", value_name = "FILE")]
    password: Option<PathBuf>,
    /// Name of the database [default: the username].
    #[arg(long)]
    database: Option<String>,
    /// Add a label; may be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_label)]
    labels: Vec<LabelInput>,
    /// Turn the deletion protection on.
    #[arg(long = "protect")]
    deletion_protected: bool,
    /// Public network access, through a load balancer, instead of private.
    #[arg(long = "load-balancer")]
    exposure: bool,
    /// IP range (CIDR) that may connect to the load balancer; may be repeated [default: all].
    #[arg(long = "source-range", value_name = "CIDR", requires = "exposure")]
    exposure_source_ranges: Vec<String>,
    /// DNS label of the load balancer's address.
    #[arg(long = "dns-label", value_name = "LABEL", requires = "exposure")]
    exposure_dns_label: Option<String>,
    /// Refuse clients without TLS [default: with a load balancer].
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_tls: Option<bool>,
    /// Seconds between health checks [default: 30].
    #[arg(long = "health-interval", value_name = "SECONDS")]
    health_check_interval_seconds: Option<i32>,
    /// Seconds after which a health check fails [default: 5].
    #[arg(long = "health-timeout", value_name = "SECONDS")]
    health_check_timeout_seconds: Option<i32>,
    /// Suspend the instance after this number of minutes without a client [default: never].
    #[arg(long, value_name = "MINUTES")]
    idle_suspend_minutes: Option<i32>,
    #[command(flatten)]
    maintenance: MaintenanceOptions,
    #[command(flatten)]
    storage: StorageOptions,
    #[command(flatten)]
    backups: BackupOptions,
    /// Set a parameter of the server; may be repeated.
    #[arg(long = "parameter", value_name = "PARAMETER=VALUE", value_parser = parse_parameter)]
    parameters: Vec<ParameterInput>,
    /// Repeating the command with the same key returns the first result instead of creating another instance.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

// No `Debug`, because it contains a password.
#[derive(cynic::InputObject)]
struct CreateInstanceInput {
    name: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    storage_gb: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    postgres_version: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    cpu_millis: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    memory_mb: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<LabelInput>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    deletion_protected: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    exposure: Option<ExposureInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    require_tls: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    health_check: Option<HealthCheckInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idle_suspend_minutes: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    maintenance_window: Option<MaintenanceWindowInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    storage_auto_grow: Option<StorageAutoGrowInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    parameters: Option<Vec<ParameterInput>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    backups: Option<BackupPolicyInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

#[derive(cynic::InputObject)]
pub(super) struct ExposureInput {
    #[cynic(rename = "type")]
    pub(super) exposure_type: ExposureType,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(super) source_ranges: Option<Vec<String>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(super) dns_label: Option<String>,
}

operation_mutation!(CreateInstanceInput: "createInstance" -> "CreateInstancePayload");

impl Create {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let exposure = self.exposure.then(|| ExposureInput {
            exposure_type: ExposureType::LoadBalancer,
            source_ranges: non_empty(self.exposure_source_ranges),
            dns_label: self.exposure_dns_label,
        });
        let input = CreateInstanceInput {
            name: self.name,
            username: self.username,
            password: self.password.map(|path| read_secret(&path)).transpose()?,
            database: self.database,
            storage_gb: self.storage_gb,
            postgres_version: self.postgres_version,
            cpu_millis: self.cpu_millis,
            memory_mb: self.memory_mb,
            labels: non_empty(self.labels),
            deletion_protected: self.deletion_protected.then_some(true),
            exposure,
            require_tls: self.require_tls,
            health_check: HealthCheckInput::of(self.health_check_interval_seconds, self.health_check_timeout_seconds),
            idle_suspend_minutes: self.idle_suspend_minutes,
            maintenance_window: self.maintenance.input(),
            storage_auto_grow: self.storage.input(),
            parameters: non_empty(self.parameters),
            backups: self.backups.input(),
            idempotency_key: self.idempotency_key,
        };
        self.options.run::<Self>(client, input).await
    }
}

pub(super) fn non_empty<T>(values: Vec<T>) -> Option<Vec<T>> {
    (!values.is_empty()).then_some(values)
}
