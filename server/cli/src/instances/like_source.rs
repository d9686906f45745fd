//! What `restore` and `clone` say of the new instance.

use std::path::PathBuf;

use clap::Args;

use super::{
    backups::BackupOptions,
    set_parameters::{ParameterInput, parse_parameter},
    storage::StorageOptions,
};
use crate::{contract::LabelInput, input::parse_label};

/// An instance that has the data of another one. What is not said is as in the other one.
#[derive(Args, Debug)]
pub(super) struct LikeSource {
    /// Name of the new instance: a DNS label, unique among the instances that are not deleted.
    pub(super) name: String,
    /// File with the password of the role; `-` reads stdin [default: generate a password].
    #[arg(long = "password-file", value_name = "FILE")]
    pub(super) password: Option<PathBuf>,
    /// Size of the volume in GiB, at least that of the source.
    #[arg(long, visible_alias = "storage", value_name = "GIB")]
    pub(super) storage_gb: Option<i32>,
    /// CPU in millicores.
    #[arg(long, visible_alias = "cpu", value_name = "MILLIS")]
    pub(super) cpu_millis: Option<i32>,
    /// Memory in MiB.
    #[arg(long, visible_alias = "memory", value_name = "MIB")]
    pub(super) memory_mb: Option<i32>,
    /// Add a label; may be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_label)]
    pub(super) labels: Vec<LabelInput>,
    /// Turn the deletion protection on.
    #[arg(long = "protect")]
    pub(super) deletion_protected: bool,
    /// Public network access, through a load balancer, instead of private.
    #[arg(long = "load-balancer")]
    pub(super) exposure: bool,
    /// IP range (CIDR) that may connect to the load balancer; may be repeated [default: all].
    #[arg(long = "source-range", value_name = "CIDR", requires = "exposure")]
    pub(super) exposure_source_ranges: Vec<String>,
    /// DNS label of the load balancer's address.
    #[arg(long = "dns-label", value_name = "LABEL", requires = "exposure")]
    pub(super) exposure_dns_label: Option<String>,
    /// Refuse clients without TLS.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) require_tls: Option<bool>,
    /// Seconds between health checks.
    #[arg(long = "health-interval", value_name = "SECONDS")]
    pub(super) health_check_interval_seconds: Option<i32>,
    /// Seconds after which a health check fails.
    #[arg(long = "health-timeout", value_name = "SECONDS")]
    pub(super) health_check_timeout_seconds: Option<i32>,
    /// Suspend the instance after this number of minutes without a client, or with 0 never.
    #[arg(long, value_name = "MINUTES")]
    pub(super) idle_suspend_minutes: Option<i32>,
    #[command(flatten)]
    pub(super) storage: StorageOptions,
    #[command(flatten)]
    pub(super) backups: BackupOptions,
    /// Set a parameter of the server instead of those of the source; may be repeated.
    #[arg(long = "parameter", value_name = "PARAMETER=VALUE", value_parser = parse_parameter)]
    pub(super) parameters: Vec<ParameterInput>,
    /// Repeating the command with the same key returns the first result instead of making another instance.
    #[arg(long, value_name = "KEY")]
    pub(super) idempotency_key: Option<String>,
}

/// Declares the input of a mutation that makes such an instance, which may have a target besides.
macro_rules! like_source_input {
    ($Input:ident $(with $Target:ident)?) => {
        // No `Debug`, because it contains a password.
        #[derive(cynic::InputObject)]
        struct $Input {
            source_id: cynic::Id,
            $(#[cynic(skip_serializing_if = "Option::is_none")]
            target: Option<$Target>,)?
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
            labels: Option<Vec<crate::contract::LabelInput>>,
            #[cynic(skip_serializing_if = "Option::is_none")]
            deletion_protected: Option<bool>,
            #[cynic(skip_serializing_if = "Option::is_none")]
            exposure: Option<super::create::ExposureInput>,
            #[cynic(skip_serializing_if = "Option::is_none")]
            require_tls: Option<bool>,
            #[cynic(skip_serializing_if = "Option::is_none")]
            health_check: Option<crate::contract::HealthCheckInput>,
            #[cynic(skip_serializing_if = "Option::is_none")]
            idle_suspend_minutes: Option<i32>,
            #[cynic(skip_serializing_if = "Option::is_none")]
            storage_auto_grow: Option<super::storage::StorageAutoGrowInput>,
            #[cynic(skip_serializing_if = "Option::is_none")]
            parameters: Option<Vec<super::set_parameters::ParameterInput>>,
            #[cynic(skip_serializing_if = "Option::is_none")]
            backups: Option<super::backups::BackupPolicyInput>,
            #[cynic(skip_serializing_if = "Option::is_none")]
            idempotency_key: Option<String>,
        }

        impl $Input {
            fn new(source_id: cynic::Id, like: LikeSource) -> crate::failure::Result<Self> {
                let exposure = like.exposure.then(|| super::create::ExposureInput {
                    exposure_type: crate::contract::ExposureType::LoadBalancer,
                    source_ranges: super::create::non_empty(like.exposure_source_ranges),
                    dns_label: like.exposure_dns_label,
                });
                let health_check = crate::contract::HealthCheckInput::of(like.health_check_interval_seconds, like.health_check_timeout_seconds);
                Ok(Self {
                    source_id,
                    $(target: None::<$Target>,)?
                    name: like.name,
                    password: like.password.map(|path| crate::input::read_secret(&path)).transpose()?,
                    storage_gb: like.storage_gb,
                    cpu_millis: like.cpu_millis,
                    memory_mb: like.memory_mb,
                    labels: super::create::non_empty(like.labels),
                    deletion_protected: like.deletion_protected.then_some(true),
                    exposure,
                    require_tls: like.require_tls,
                    health_check,
                    idle_suspend_minutes: like.idle_suspend_minutes,
                    storage_auto_grow: like.storage.input(),
                    parameters: super::create::non_empty(like.parameters),
                    backups: like.backups.input(),
                    idempotency_key: like.idempotency_key,
                })
            }
        }
    };
}
pub(super) use like_source_input;
