//! `toygres instances update`

use clap::Args;
use cynic::MutationBuilder as _;

use super::{
    backups::{BackupOptions, BackupPolicyInput},
    create::ExposureInput,
    find,
    maintenance::{MaintenanceOptions, MaintenanceWindowInput},
    storage::{StorageAutoGrowInput, StorageOptions},
};
use crate::{
    client::Client,
    contract::{BigInt, ExposureType, HealthCheckInput, Instance, LabelInput, UserError, UserErrorCode, schema},
    failure::{Failure, Kind, Result},
    input::parse_label,
    output::OutputOptions,
};

/// Attempts when the instance changes between reading and writing its labels.
const MAX_ATTEMPTS: usize = 5;

/// Change the name, the network access, whether it requires TLS, its labels, the deletion protection, the health checks, the
/// suspension when idle, the growth of the volume or the backups.
#[derive(Args, Debug)]
#[group(id = "change", required = true, multiple = true, args = ["name", "exposure", "private", "labels", "removed_labels", "deletion_protected", "unprotect", "require_tls", "idle_suspend_minutes", "maintenance_window", "no_maintenance_window", "storage_auto_grow_threshold_percent", "storage_auto_grow_max_gb", "no_storage_auto_grow", "health_check_interval_seconds", "health_check_timeout_seconds", "backups_enabled", "backups_interval_hours", "backups_retention_days"])]
pub struct Update {
    /// Name or id of the instance.
    #[arg(value_name = "NAME")]
    id: String,
    /// Rename the instance. Its clients reach it by the former name until the new one is ready. Nothing is restarted.
    #[arg(long = "rename", value_name = "NEW-NAME")]
    name: Option<String>,
    /// Public network access, through a load balancer, instead of private.
    #[arg(long = "load-balancer", conflicts_with = "private")]
    exposure: bool,
    /// Make the instance reachable from inside the cluster only.
    #[arg(long = "private")]
    private: bool,
    /// IP range (CIDR) that may connect to the load balancer; may be repeated [default: all].
    #[arg(long = "source-range", value_name = "CIDR", requires = "exposure")]
    exposure_source_ranges: Vec<String>,
    /// DNS label of the load balancer's address.
    #[arg(long = "dns-label", value_name = "LABEL", requires = "exposure")]
    exposure_dns_label: Option<String>,
    /// Set a label; may be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_label)]
    labels: Vec<LabelInput>,
    /// Remove a label; may be repeated.
    #[arg(long = "unlabel", value_name = "KEY")]
    removed_labels: Vec<String>,
    /// Turn the deletion protection on.
    #[arg(long = "protect", conflicts_with = "unprotect")]
    deletion_protected: bool,
    /// Turn the deletion protection off.
    #[arg(long)]
    unprotect: bool,
    /// Refuse clients without TLS, or with `=false` accept them again. Nothing is restarted [default with --load-balancer: true].
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_tls: Option<bool>,
    /// Suspend the instance after this number of minutes without a client; 0 turns that off.
    #[arg(long, value_name = "MINUTES")]
    idle_suspend_minutes: Option<i32>,
    #[command(flatten)]
    maintenance: MaintenanceOptions,
    #[command(flatten)]
    storage: StorageOptions,
    #[command(flatten)]
    backups: BackupOptions,
    /// Seconds between health checks.
    #[arg(long = "health-interval", value_name = "SECONDS")]
    health_check_interval_seconds: Option<i32>,
    /// Seconds after which a health check fails.
    #[arg(long = "health-timeout", value_name = "SECONDS")]
    health_check_timeout_seconds: Option<i32>,
    /// Change the instance only at this revision.
    #[arg(long)]
    revision: Option<u64>,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::InputObject)]
struct UpdateInstanceInput {
    id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    exposure: Option<ExposureInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<LabelInput>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    deletion_protected: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    require_tls: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idle_suspend_minutes: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    maintenance_window: Option<MaintenanceWindowInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    storage_auto_grow: Option<StorageAutoGrowInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    backups: Option<BackupPolicyInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    health_check: Option<HealthCheckInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: UpdateInstanceInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct UpdateInstance {
    #[arguments(input: $input)]
    update_instance: UpdateInstancePayload,
}

#[derive(cynic::QueryFragment)]
struct UpdateInstancePayload {
    instance: Option<Instance>,
    user_errors: Vec<UserError>,
}

impl Update {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        if let Some(label) = self.labels.iter().find(|label| self.removed_labels.contains(&label.key)) {
            return Err(Failure::usage(format!("the label {} cannot be set and removed at once: leave out --label or --unlabel", label.key)));
        }
        for attempt in 1.. {
            let instance = find(client, &self.id).await?;
            let UpdateInstancePayload { instance, user_errors } =
                client.run(UpdateInstance::build(Variables { input: self.input(&instance) })).await?.update_instance;
            let changed_meanwhile = user_errors.iter().any(|error| error.code == UserErrorCode::RevisionMismatch);
            if changed_meanwhile && self.revision.is_none() && attempt < MAX_ATTEMPTS {
                continue;
            }
            if !user_errors.is_empty() {
                return Err(Failure::user_errors::<Self>(&user_errors));
            }
            let instance = instance.ok_or_else(|| Failure::new(Kind::Failed, "the server accepted the request, but returned no instance"))?;
            return self.output.output.print(&instance, |instance| super::table([instance]).to_string());
        }
        unreachable!("the last attempt returns")
    }

    fn exposure(&self) -> Option<ExposureInput> {
        (self.exposure || self.private).then(|| ExposureInput {
            exposure_type: if self.exposure { ExposureType::LoadBalancer } else { ExposureType::Cluster },
            source_ranges: Some(self.exposure_source_ranges.clone()).filter(|ranges| !ranges.is_empty()),
            dns_label: self.exposure_dns_label.clone(),
        })
    }

    /// The mutation replaces all labels, so it is sent with the revision at which they were read.
    fn input(&self, instance: &Instance) -> UpdateInstanceInput {
        let changes_labels = !self.labels.is_empty() || !self.removed_labels.is_empty();
        let is_changed = |key: &String| self.removed_labels.contains(key) || self.labels.iter().any(|label| label.key == *key);
        let kept = instance.labels.iter().filter(|label| !is_changed(&label.key));
        let labels = kept.map(|label| LabelInput { key: label.key.clone(), value: label.value.clone() }).chain(self.labels.iter().cloned()).collect();
        UpdateInstanceInput {
            id: instance.id.clone(),
            name: self.name.clone(),
            exposure: self.exposure(),
            labels: changes_labels.then_some(labels),
            deletion_protected: (self.deletion_protected || self.unprotect).then_some(self.deletion_protected),
            require_tls: self.require_tls,
            idle_suspend_minutes: self.idle_suspend_minutes,
            maintenance_window: self.maintenance.input(),
            storage_auto_grow: self.storage.input(),
            backups: self.backups.input(),
            health_check: HealthCheckInput::of(self.health_check_interval_seconds, self.health_check_timeout_seconds),
            revision: match self.revision {
                Some(revision) => Some(revision.into()),
                None => changes_labels.then(|| instance.revision.clone()),
            },
        }
    }
}
