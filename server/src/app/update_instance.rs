//! Changes what needs no operation: the name, the network access, labels, deletion protection, how its health is checked, when an idle instance is suspended, when its
//! volume grows, its backups, and whether TLS is required.

use toygres_domain::{Result, UserErrorCode, instance::Instance, name::InstanceName, storage::AutoGrowChoice};
use toygres_store::InstanceUpdate;

use super::{
    App,
    backups::BackupChoice,
    create_instance::{ExposureSettings, HealthCheckSettings},
    input::{FieldErrors, WITHOUT_TLS, instance_id},
    limits,
    maintenance::MaintenanceChoice,
};

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct UpdateInstance {
    /// The id of the instance.
    pub id: String,
    /// Its name from now on.
    pub name: Option<String>,
    /// The network access from now on.
    pub exposure: Option<ExposureSettings>,
    /// All its labels from now on, as key and value.
    pub labels: Option<Vec<(String, String)>>,
    /// Whether deletion is refused from now on.
    pub deletion_protected: Option<bool>,
    /// Whether clients without TLS are refused from now on. By default, they are when it gets a load balancer.
    pub require_tls: Option<bool>,
    /// See [`super::suspend_instance::IDLE_MINUTES`]; 0 turns it off.
    pub idle_suspend_minutes: Option<i32>,
    /// When updates are applied by themselves from now on.
    pub maintenance_window: Option<MaintenanceChoice>,
    /// When its volume grows by itself from now on; what is left out stays.
    pub storage_auto_grow: Option<AutoGrowChoice>,
    /// What is chosen for its backups from now on; what is left out stays.
    pub backups: Option<BackupChoice>,
    /// How its health is checked from now on.
    pub health_check: Option<HealthCheckSettings>,
    /// The revision that the instance must have.
    pub revision: Option<i64>,
}

impl App {
    /// Changes an instance at once.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] with every error in the input, or as [`toygres_store::Store::update_instance`] has it.
    pub async fn update_instance(&self, input: UpdateInstance) -> Result<Instance> {
        let UpdateInstance {
            id,
            name,
            exposure,
            labels,
            deletion_protected,
            require_tls,
            idle_suspend_minutes,
            maintenance_window,
            storage_auto_grow,
            backups,
            health_check,
            revision,
        } = input;
        let id = instance_id(&id)?;
        let mut errors = FieldErrors::default();
        let name = name.and_then(|name| errors.parsed("name", name.parse::<InstanceName>()));
        let exposure = exposure.map(|exposure| self.offered_exposure(exposure, &mut errors));
        let labels = labels.and_then(|labels| errors.labels("labels", labels));
        let idle_suspend_minutes = errors.idle_suspend_minutes(idle_suspend_minutes);
        let maintenance_window = errors.maintenance_window(maintenance_window);
        let storage_auto_grow = errors.storage_auto_grow(storage_auto_grow);
        let backups = self.backups.settings(backups.unwrap_or_default(), &mut errors);
        let HealthCheckSettings { interval_seconds, timeout_seconds } = health_check.unwrap_or_default();
        let health_interval_seconds =
            errors.in_range("healthCheck.intervalSeconds", "seconds", interval_seconds, limits::HEALTH_CHECK_INTERVAL_SECONDS);
        let health_timeout_seconds = errors.in_range("healthCheck.timeoutSeconds", "seconds", timeout_seconds, limits::HEALTH_CHECK_TIMEOUT_SECONDS);
        let version = self.store.instance(id).await?.map(|instance| instance.spec.postgres_version);
        let speaks_tls = version.is_none_or(|version| self.runtime.speaks_tls(version));
        if require_tls == Some(true) && !speaks_tls {
            errors.add(UserErrorCode::Invalid, "requireTls", WITHOUT_TLS);
        }
        let update = InstanceUpdate {
            name,
            exposure,
            is_addressed: self.runtime.gives_addresses(),
            require_tls_behind_load_balancer: speaks_tls,
            labels,
            deletion_protected,
            require_tls,
            idle_suspend_minutes,
            maintenance_window,
            storage_auto_grow,
            backups,
            health_interval_seconds,
            health_timeout_seconds,
            revision,
        };
        let update = errors.check(Some(update))?;
        self.store.update_instance(id, &update).await
    }
}
