//! `toygres instances restore`

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use super::{
    backups::{BackupOptions, BackupPolicyInput},
    create::{ExposureInput, non_empty},
    find_id,
    set_parameters::{ParameterInput, parse_parameter},
};
use crate::{
    client::Client,
    contract::{ExposureType, HealthCheckInput, LabelInput, schema},
    failure::Result,
    input::{parse_duration, parse_label, read_secret},
    mutation::{OperationOptions, operation_mutation},
};

/// Create an instance with the data of another one, as it was at a point in time. What is not said is as in the other one.
#[derive(Args, Debug)]
pub struct Restore {
    /// Name or id of the instance that was backed up; of a deleted one, its id.
    #[arg(value_name = "SOURCE")]
    source_id: String,
    /// Name of the new instance: a DNS label, unique among the instances that are not deleted.
    name: String,
    /// Time to restore, such as 2026-11-29T10:15:00Z, or how long ago, such as 5m [default: everything that was archived].
    #[arg(long = "to", value_name = "TIME", value_parser = parse_point, group = "target")]
    target_time: Option<DateTime<Utc>>,
    /// Position in the write-ahead log to restore, such as 0/3000060.
    #[arg(long = "lsn", value_name = "LSN", group = "target")]
    target_lsn: Option<String>,
    /// Id of the backup to restore, as it was when it was complete.
    #[arg(long = "backup", value_name = "BACKUP", group = "target")]
    target_backup_id: Option<String>,
    /// File with the password of the role; `-` reads stdin [default: generate a password].
    #[arg(long = "password-file", value_name = "FILE")]
    password: Option<PathBuf>,
    /// Size of the volume in GiB, at least that of the source.
    #[arg(long, value_name = "GIB")]
    storage_gb: Option<i32>,
    /// CPU in thousandths of a core.
    #[arg(long, value_name = "MILLIS")]
    cpu_millis: Option<i32>,
    /// Memory in MiB.
    #[arg(long, value_name = "MIB")]
    memory_mb: Option<i32>,
    /// Add a label; may be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_label)]
    labels: Vec<LabelInput>,
    /// Protect the instance against deletion.
    #[arg(long = "protect")]
    deletion_protected: bool,
    /// Make the instance reachable from outside the cluster, through a load balancer.
    #[arg(long = "load-balancer")]
    exposure: bool,
    /// Address range that may connect to the load balancer; may be repeated [default: all].
    #[arg(long = "source-range", value_name = "CIDR", requires = "exposure")]
    exposure_source_ranges: Vec<String>,
    /// DNS label of the load balancer's address.
    #[arg(long = "dns-label", value_name = "LABEL", requires = "exposure")]
    exposure_dns_label: Option<String>,
    /// Refuse clients without TLS.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_tls: Option<bool>,
    /// Seconds between health checks.
    #[arg(long = "health-interval", value_name = "SECONDS")]
    health_check_interval_seconds: Option<i32>,
    /// Seconds after which a health check fails.
    #[arg(long = "health-timeout", value_name = "SECONDS")]
    health_check_timeout_seconds: Option<i32>,
    /// Suspend the instance after this number of minutes without a client, or with 0 never.
    #[arg(long, value_name = "MINUTES")]
    idle_suspend_minutes: Option<i32>,
    #[command(flatten)]
    backups: BackupOptions,
    /// Set a parameter of the server instead of those of the source; may be repeated.
    #[arg(long = "parameter", value_name = "PARAMETER=VALUE", value_parser = parse_parameter)]
    parameters: Vec<ParameterInput>,
    /// Repeating the command with the same key returns the first result instead of restoring another instance.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

// No `Debug`, because it contains a password.
#[derive(cynic::InputObject)]
struct RestoreInstanceInput {
    source_id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    target: Option<RestoreTargetInput>,
    name: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    storage_gb: Option<i32>,
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
    parameters: Option<Vec<ParameterInput>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    backups: Option<BackupPolicyInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

#[derive(cynic::InputObject)]
struct RestoreTargetInput {
    #[cynic(skip_serializing_if = "Option::is_none")]
    time: Option<DateTime<Utc>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    lsn: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    backup_id: Option<cynic::Id>,
}

operation_mutation!(RestoreInstanceInput: "restoreInstance" -> "RestoreInstancePayload");

impl Restore {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let (time, lsn, backup_id) = (self.target_time, self.target_lsn, self.target_backup_id.map(cynic::Id::new));
        let is_chosen = time.is_some() || lsn.is_some() || backup_id.is_some();
        let exposure = self.exposure.then(|| ExposureInput {
            exposure_type: ExposureType::LoadBalancer,
            source_ranges: non_empty(self.exposure_source_ranges),
            dns_label: self.exposure_dns_label,
        });
        let input = RestoreInstanceInput {
            source_id: find_id(client, &self.source_id).await?,
            target: is_chosen.then_some(RestoreTargetInput { time, lsn, backup_id }),
            name: self.name,
            password: self.password.map(|path| read_secret(&path)).transpose()?,
            storage_gb: self.storage_gb,
            cpu_millis: self.cpu_millis,
            memory_mb: self.memory_mb,
            labels: non_empty(self.labels),
            deletion_protected: self.deletion_protected.then_some(true),
            exposure,
            require_tls: self.require_tls,
            health_check: HealthCheckInput::of(self.health_check_interval_seconds, self.health_check_timeout_seconds),
            idle_suspend_minutes: self.idle_suspend_minutes,
            parameters: non_empty(self.parameters),
            backups: self.backups.input(),
            idempotency_key: self.idempotency_key,
        };
        self.options.run::<Self>(client, input).await
    }
}

/// A time, or how long ago it was.
fn parse_point(text: &str) -> std::result::Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let ago = parse_duration(text).ok().and_then(|ago| TimeDelta::from_std(ago).ok());
    let time = ago.and_then(|ago| Utc::now().checked_sub_signed(ago));
    time.ok_or_else(|| "it must be a time with a time zone, such as 2026-11-29T10:15:00Z, or how long ago, such as 90s, 5m or 2h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_a_time_or_how_long_ago() {
        assert_eq!(parse_point("2026-11-29T12:15:00+02:00").unwrap().to_rfc3339(), "2026-11-29T10:15:00+00:00");
        let ago = Utc::now() - parse_point("5m").unwrap();
        assert!((299..310).contains(&ago.num_seconds()), "{ago}");
        assert!(parse_point("yesterday").unwrap_err().contains("time zone") && parse_point("2026-11-29 10:15").is_err());
    }
}
