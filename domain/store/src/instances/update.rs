//! Changes of instances that need no operation.

use std::collections::BTreeMap;

use sqlx::{PgConnection, types::Json};
use toygres_domain::{
    Error, InstanceId, Result, UserErrorCode,
    backup::BackupSettings,
    connection_string::connection_string,
    instance::{Exposure, HealthCheckPolicy, Instance, InstanceSpec, InstanceState},
    maintenance::MaintenanceWindow,
    name::InstanceName,
    notice::NoticeCode,
    storage::AutoGrowChoice,
};

use super::{instance, instance_query, locked};
use crate::{
    Store,
    accept::check_revision,
    activity::forget_activity,
    addresses::refuse_former_name,
    changes::CHECKS,
    errors::{Classify, is_unique_violation},
    notices::with_notice,
};

/// A change that needs no operation. `None` leaves the field unchanged.
#[derive(Clone, Debug, Default)]
pub struct InstanceUpdate {
    /// The new labels, which replace all existing ones.
    pub labels: Option<BTreeMap<String, String>>,
    /// Whether deletion is refused.
    pub deletion_protected: Option<bool>,
    /// The new name.
    pub name: Option<InstanceName>,
    /// From where clients can connect.
    pub exposure: Option<Exposure>,
    /// Whether the host has to give it an address of another name or exposure first.
    pub is_addressed: bool,
    /// Whether clients without TLS are refused.
    pub require_tls: Option<bool>,
    /// Whether they are refused from now on if it gets a load balancer and `require_tls` says nothing.
    pub require_tls_behind_load_balancer: bool,
    /// See [`Instance::idle_suspend_minutes`].
    pub idle_suspend_minutes: Option<Option<i32>>,
    /// See [`Instance::maintenance_window`].
    pub maintenance_window: Option<Option<MaintenanceWindow>>,
    /// See [`Instance::storage_auto_grow`].
    pub storage_auto_grow: AutoGrowChoice,
    /// See [`Instance::backups`]. `None` in it leaves a field unchanged.
    pub backups: BackupSettings,
    /// Seconds from one health check to the next.
    pub health_interval_seconds: Option<i32>,
    /// Seconds that a health check may take.
    pub health_timeout_seconds: Option<i32>,
    /// The revision that the instance must have.
    pub revision: Option<i64>,
}

impl Store {
    /// Changes labels, protection, when an idle instance is suspended, when it is updated, when its volume grows, its backups, whether TLS is required, which
    /// workers then have the server read, or its name or exposure, for which they then give it another address.
    ///
    /// # Errors
    /// [`Error::User`] with `NotFound`, `NameTaken`, `RevisionMismatch`, `Conflict` (already deleted; neither running nor suspended, for TLS, the
    /// name and the exposure) or `Invalid` (an instance of an earlier release, for TLS; no maximum, for growth).
    pub async fn update_instance(&self, id: InstanceId, update: &InstanceUpdate) -> Result<Instance> {
        match (self.try_update(id, update).await, &update.name) {
            (Err(error), Some(name)) if is_unique_violation(&error) => Err(self.name_taken(name).await),
            (updated, _) => updated,
        }
    }

    async fn try_update(&self, id: InstanceId, update: &InstanceUpdate) -> Result<Instance> {
        let mut transaction = self.begin().await?;
        let now = locked(&mut transaction, id).await?;
        check_revision(&now, update.revision)?;
        if now.state == InstanceState::Deleted {
            return Err(Error::user(UserErrorCode::Conflict, "id", format!("'{}' is deleted", now.name)));
        }
        let labels = update.labels.as_ref().unwrap_or(&now.labels);
        let deletion_protected = update.deletion_protected.unwrap_or(now.deletion_protected);
        let idle_suspend_minutes = update.idle_suspend_minutes.unwrap_or(now.idle_suspend_minutes);
        let maintenance_window = update.maintenance_window.unwrap_or(now.maintenance_window);
        let auto_grow = update.storage_auto_grow.applied_to(now.storage_auto_grow, now.spec.storage_gb).map_err(|error| Error::User(vec![error]))?;
        let backups = BackupSettings {
            enabled: update.backups.enabled.or(now.backups.enabled),
            interval_hours: update.backups.interval_hours.or(now.backups.interval_hours),
            retention_days: update.backups.retention_days.or(now.backups.retention_days),
        };
        let former = now.spec.health_check;
        let health_check = HealthCheckPolicy {
            interval_seconds: update.health_interval_seconds.unwrap_or(former.interval_seconds),
            timeout_seconds: update.health_timeout_seconds.unwrap_or(former.timeout_seconds),
        };
        let name = update.name.as_ref().unwrap_or(&now.name);
        let exposure = update.exposure.clone().unwrap_or_else(|| now.spec.exposure.clone());
        let is_opened = is_balanced(&exposure) && !is_balanced(&now.spec.exposure) && update.require_tls_behind_load_balancer;
        let require_tls = match update.require_tls {
            Some(require_tls) => require_tls,
            None => now.spec.require_tls || is_opened && has_roles(&mut transaction, id).await?,
        };
        let spec = InstanceSpec { require_tls, health_check, exposure, ..now.spec.clone() };
        let is_moved = *name != now.name || spec.exposure != now.spec.exposure;
        if *labels == now.labels
            && deletion_protected == now.deletion_protected
            && idle_suspend_minutes == now.idle_suspend_minutes
            && maintenance_window == now.maintenance_window
            && auto_grow == now.storage_auto_grow
            && backups == now.backups
            && !is_moved
            && spec.require_tls == now.spec.require_tls
            && health_check == former
        {
            return Ok(now);
        }
        if is_moved {
            let field = if *name == now.name { "exposure" } else { "name" };
            check_state(&now, field, "its name and its exposure can be changed")?;
        }
        if spec.require_tls != now.spec.require_tls {
            check_require_tls(&mut transaction, &now).await?;
        }
        let former_address = (is_moved && update.is_addressed).then(|| now.address()).or_else(|| now.former_address.clone());
        let notices = match &former_address {
            Some(former) if is_moved => {
                let message = format!("clients reach it as '{}' until its new address is ready", former.name);
                with_notice(now.notices.clone(), NoticeCode::AddressChanging, Some(&message))
            }
            _ => now.notices.clone(),
        };
        if idle_suspend_minutes != now.idle_suspend_minutes {
            // The time before the change does not count.
            forget_activity(&mut transaction, id).await?;
        }
        let row = instance_query!(
            "UPDATE instances SET labels = $2, deletion_protected = $3, idle_suspend_minutes = $4, require_tls = $5, connection_string = $6,
                 backups_enabled = $7, backup_interval_hours = $8, backup_retention_days = $9, health_interval_seconds = $10,
                 health_timeout_seconds = $11, storage_grow_percent = $12, storage_grow_max_gb = $13, name = $14,
                 first_name = CASE WHEN name = $14 THEN first_name ELSE coalesce(first_name, name) END, exposure = $15, former_name = $16,
                 former_exposure = $17, notices = $18, maintenance_window = $19
             WHERE id = $1 RETURNING",
            "",
            id.0,
            Json(labels) as _,
            deletion_protected,
            idle_suspend_minutes,
            spec.require_tls,
            now.endpoint.as_ref().filter(|_| now.connection_string.is_some()).map(|endpoint| connection_string(endpoint, &spec)),
            backups.enabled,
            backups.interval_hours,
            backups.retention_days,
            health_check.interval_seconds,
            health_check.timeout_seconds,
            auto_grow.map(|auto| auto.threshold_percent),
            auto_grow.map(|auto| auto.max_gb),
            name.as_str(),
            Json(&spec.exposure) as _,
            former_address.as_ref().map(|former| former.name.as_str()),
            former_address.as_ref().map(|former| Json(&former.exposure)) as _,
            Json(notices) as _,
            maintenance_window.map(Json) as _
        )
        .fetch_one(&mut *transaction)
        .await
        .classify()?;
        if is_moved {
            refuse_former_name(&mut transaction, id, name).await?;
            wake_workers(&mut transaction).await?;
        }
        if auto_grow != now.storage_auto_grow {
            sqlx::query!("UPDATE instance_storage SET due_at = now() WHERE instance_id = $1", id.0).execute(&mut *transaction).await.classify()?;
        }
        if health_check != former || auto_grow != now.storage_auto_grow {
            // Whether it grows is decided by a check. The time to the next check was computed from the former interval.
            sqlx::query!("SELECT pg_notify($1, $2)", CHECKS, id.to_string()).execute(&mut *transaction).await.classify()?;
        }
        transaction.commit().await.classify()?;
        instance(row)
    }
}

/// Whether the rule about TLS of an instance can be changed, which has workers look at it.
async fn check_require_tls(connection: &mut PgConnection, now: &Instance) -> Result<()> {
    check_state(now, "requireTls", "whether TLS is required can be changed")?;
    if !has_roles(connection, now.id).await? {
        let why =
            format!("'{}' was created by an earlier release, which set no rules about TLS: create another instance and copy the data", now.name);
        return Err(Error::user(UserErrorCode::Invalid, "requireTls", why));
    }
    wake_workers(connection).await
}

/// Has workers look at certificates and addresses.
async fn wake_workers(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("SELECT pg_notify('toygres_authorities', '')").fetch_one(connection).await.classify()?;
    Ok(())
}

fn check_state(now: &Instance, field: &str, what: &str) -> Result<()> {
    if matches!(now.state, InstanceState::Running | InstanceState::Suspended) {
        return Ok(());
    }
    let why = format!("'{}' is {}: {what} while it is running or suspended", now.name, now.state.as_str());
    Err(Error::user(UserErrorCode::Conflict, field, why))
}

fn is_balanced(exposure: &Exposure) -> bool {
    matches!(exposure, Exposure::LoadBalancer { .. })
}

/// Whether an instance has the roles of the platform, which one of an earlier release has not.
async fn has_roles(connection: &mut PgConnection, id: InstanceId) -> Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM platform_passwords WHERE instance_id = $1) AS "has_roles!""#, id.0)
        .fetch_one(connection)
        .await
        .classify()
}
