//! Instances: creation and queries; `update` has the changes by callers.

mod update;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::errors::Classify;
use super::{Page, PageRequest, Store, notices::notices, parsed, reason};
use toygres_domain::{
    Error, InstanceId, Result, UserErrorCode,
    address::Address,
    backup::BackupSettings,
    instance::{Endpoint, Exposure, HealthCheckPolicy, Instance, InstanceFilter, InstanceSpec, InstanceState, PostgresVersion},
    maintenance::MaintenanceWindow,
    name::InstanceName,
    parameter::Parameters,
    secret::Secret,
    storage::AutoGrow,
    upgrade::AvailableUpdate,
};
pub use update::InstanceUpdate;

/// A validated request for a new instance.
#[derive(Clone, Debug)]
pub struct NewInstance {
    /// The ID of the instance.
    pub id: InstanceId,
    /// The name.
    pub name: InstanceName,
    /// The specification.
    pub spec: InstanceSpec,
    /// The password of `spec.username`; stored sealed.
    pub password: Secret,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// Whether deletion is refused.
    pub deletion_protected: bool,
    /// See [`Instance::idle_suspend_minutes`].
    pub idle_suspend_minutes: Option<i32>,
    /// See [`Instance::maintenance_window`].
    pub maintenance_window: Option<MaintenanceWindow>,
    /// See [`Instance::storage_auto_grow`].
    pub storage_auto_grow: Option<AutoGrow>,
    /// See [`Instance::backups`].
    pub backups: BackupSettings,
}

/// The field by which a list is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceOrderField {
    /// The time of creation.
    CreatedAt,
    /// The name.
    Name,
}

/// The position of an instance in a list, for any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstancePosition {
    /// The time of creation.
    pub created_at: DateTime<Utc>,
    /// The name.
    pub name: String,
    /// The ID, which makes the order total.
    pub id: InstanceId,
}

impl From<&Instance> for InstancePosition {
    fn from(instance: &Instance) -> Self {
        Self { created_at: instance.created_at, name: instance.name.to_string(), id: instance.id }
    }
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceOrder {
    /// The field.
    pub field: InstanceOrderField,
    /// Whether the largest values come first.
    pub descending: bool,
}

pub(super) struct InstanceRow {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) first_name: String,
    pub(super) former_name: Option<String>,
    pub(super) former_exposure: Option<Json<Exposure>>,
    pub(super) update_from: Option<String>,
    pub(super) update_to: Option<String>,
    pub(super) maintenance_window: Option<Json<MaintenanceWindow>>,
    pub(super) state: String,
    pub(super) health_status: String,
    pub(super) reason_code: Option<String>,
    pub(super) reason_message: Option<String>,
    pub(super) notices: Json<Vec<serde_json::Value>>,
    pub(super) postgres_version: i32,
    pub(super) storage_gb: i32,
    pub(super) cpu_millis: i32,
    pub(super) memory_mb: i32,
    pub(super) username: String,
    pub(super) database_name: String,
    pub(super) exposure: Json<Exposure>,
    pub(super) require_tls: bool,
    pub(super) health_interval_seconds: i32,
    pub(super) health_timeout_seconds: i32,
    pub(super) parameters: Json<Parameters>,
    pub(super) endpoint_host: Option<String>,
    pub(super) endpoint_port: Option<i32>,
    pub(super) connection_string: Option<String>,
    pub(super) health_check_orchestration_id: Option<String>,
    pub(super) labels: Json<BTreeMap<String, String>>,
    pub(super) deletion_protected: bool,
    pub(super) idle_suspend_minutes: Option<i32>,
    pub(super) storage_grow_percent: Option<i32>,
    pub(super) storage_grow_max_gb: Option<i32>,
    pub(super) backups_enabled: Option<bool>,
    pub(super) backup_interval_hours: Option<i32>,
    pub(super) backup_retention_days: Option<i32>,
    pub(super) operation_count: i64,
    pub(super) revision: i64,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) deleted_at: Option<DateTime<Utc>>,
}

/// `query_as!` with the columns of an instance between `$before` and `$after`.
macro_rules! instance_query {
    ($before:literal, $after:expr $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::instances::InstanceRow,
            $before
                + r#" id, name, coalesce(first_name, name) AS "first_name!", former_name, former_exposure AS "former_exposure: _", update_from, update_to, maintenance_window AS "maintenance_window: _", state, health_status, reason_code, reason_message, notices AS "notices: _", postgres_version, storage_gb,
                      cpu_millis, memory_mb, username, database_name, exposure AS "exposure: _", require_tls, health_interval_seconds, health_timeout_seconds,
                      parameters AS "parameters: _", endpoint_host, endpoint_port, connection_string, health_check_orchestration_id, labels AS "labels: _",
                      deletion_protected, idle_suspend_minutes, storage_grow_percent, storage_grow_max_gb, backups_enabled, backup_interval_hours,
                      backup_retention_days, operation_count, revision, created_at, updated_at, deleted_at "#
                + $after
            $(, $arg)*
        )
    };
}
pub(super) use instance_query;

impl Store {
    /// Inserts a new instance and its sealed passwords.
    pub(super) async fn insert_instance(&self, connection: &mut PgConnection, new: &NewInstance, state: InstanceState) -> Result<Instance> {
        let NewInstance {
            id,
            name,
            spec,
            password,
            labels,
            deletion_protected,
            idle_suspend_minutes,
            maintenance_window,
            storage_auto_grow,
            backups,
        } = new;
        let InstanceSpec { postgres_version, storage_gb, cpu_millis, memory_mb, username, database, exposure, require_tls, health_check, parameters } =
            spec;
        let row = instance_query!(
            "INSERT INTO instances (id, name, state, postgres_version, storage_gb, cpu_millis, memory_mb, username, database_name, exposure,
                 health_interval_seconds, health_timeout_seconds, labels, deletion_protected, require_tls, idle_suspend_minutes, parameters,
                 backups_enabled, backup_interval_hours, backup_retention_days, storage_grow_percent, storage_grow_max_gb, maintenance_window, operation_count)
             VALUES ($1, $2, $14, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $15, $16, $17, $18, $19, $20, $21, $22, $23, 1) RETURNING",
            "",
            id.0,
            name.as_str(),
            i32::from(postgres_version.0),
            storage_gb,
            cpu_millis,
            memory_mb,
            username.as_str(),
            database.as_str(),
            Json(exposure) as _,
            health_check.interval_seconds,
            health_check.timeout_seconds,
            Json(labels) as _,
            deletion_protected,
            state.as_str(),
            require_tls,
            *idle_suspend_minutes,
            Json(parameters) as _,
            backups.enabled,
            backups.interval_hours,
            backups.retention_days,
            storage_auto_grow.map(|auto| auto.threshold_percent),
            storage_auto_grow.map(|auto| auto.max_gb),
            maintenance_window.map(Json) as _
        )
        .fetch_one(&mut *connection)
        .await
        .classify()?;
        self.insert_password(connection, *id, password).await?;
        instance(row)
    }

    /// One instance, which may be deleted.
    pub async fn instance(&self, id: InstanceId) -> Result<Option<Instance>> {
        instance_query!("SELECT", "FROM instances WHERE id = $1", id.0).fetch_optional(&self.pool).await.classify()?.map(instance).transpose()
    }

    /// Several instances, in no particular order.
    pub async fn instances_by_id(&self, ids: &[InstanceId]) -> Result<Vec<Instance>> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        let rows = instance_query!("SELECT", "FROM instances WHERE id = ANY($1)", &ids).fetch_all(&self.pool).await.classify()?;
        rows.into_iter().map(instance).collect()
    }

    /// The instance with this name that is not deleted.
    pub async fn instance_by_name(&self, name: &str) -> Result<Option<Instance>> {
        instance_query!("SELECT", "FROM instances WHERE name = $1 AND state <> 'deleted'", name)
            .fetch_optional(&self.pool)
            .await
            .classify()?
            .map(instance)
            .transpose()
    }

    /// A page of instances.
    pub async fn instances(&self, filter: &InstanceFilter, order: InstanceOrder, page: &PageRequest<InstancePosition>) -> Result<Page<Instance>> {
        let FilterArguments { states, health, name, labels } = filter.into();
        let (after, before) = (page.after.as_ref(), page.before.as_ref());
        let (above, below) = if order.descending { (before, after) } else { (after, before) };
        // One statement per order, so that each can use an index scan.
        macro_rules! listing {
            ($key:literal, $key_of:expr, $order:literal) => {
                instance_query!(
                    "SELECT",
                    "FROM instances
                     WHERE state = ANY($1) AND ($2::text[] IS NULL OR health_status = ANY($2))
                       AND ($3::text IS NULL OR strpos(name, $3) > 0) AND labels @> $4
                       AND ($5::uuid IS NULL OR ("
                        + $key
                        + ", id) > ($6, $5))
                       AND ($7::uuid IS NULL OR ("
                        + $key
                        + ", id) < ($8, $7))
                     ORDER BY "
                        + $order
                        + " LIMIT $9",
                    &states,
                    health.as_deref() as _,
                    name,
                    Json(labels) as _,
                    above.map(|position| position.id.0),
                    above.map($key_of),
                    below.map(|position| position.id.0),
                    below.map($key_of),
                    page.fetch()
                )
                .fetch_all(&self.pool)
                .await
                .classify()?
            };
        }
        let at = |position: &InstancePosition| position.created_at;
        let label = |position: &InstancePosition| position.name.clone();
        let rows = match (order.field, order.descending != page.backward) {
            (InstanceOrderField::CreatedAt, false) => listing!("created_at", at, "created_at, id"),
            (InstanceOrderField::CreatedAt, true) => listing!("created_at", at, "created_at DESC, id DESC"),
            (InstanceOrderField::Name, false) => listing!("name", label, "name, id"),
            (InstanceOrderField::Name, true) => listing!("name", label, "name DESC, id DESC"),
        };
        Ok(page.page(rows.into_iter().map(instance).collect::<Result<_>>()?))
    }

    /// The number of instances that match `filter`.
    pub async fn count_instances(&self, filter: &InstanceFilter) -> Result<i64> {
        let FilterArguments { states, health, name, labels } = filter.into();
        sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM instances
               WHERE state = ANY($1) AND ($2::text[] IS NULL OR health_status = ANY($2))
                 AND ($3::text IS NULL OR strpos(name, $3) > 0) AND labels @> $4"#,
            &states,
            health.as_deref() as _,
            name,
            Json(labels) as _
        )
        .fetch_one(&self.pool)
        .await
        .classify()
    }
}

/// Every instance that matches `filter`, oldest first.
pub(super) async fn all(connection: &mut PgConnection, filter: &InstanceFilter) -> Result<Vec<Instance>> {
    let FilterArguments { states, health, name, labels } = filter.into();
    let rows = instance_query!(
        "SELECT",
        "FROM instances
         WHERE state = ANY($1) AND ($2::text[] IS NULL OR health_status = ANY($2))
           AND ($3::text IS NULL OR strpos(name, $3) > 0) AND labels @> $4
         ORDER BY created_at, id",
        &states,
        health.as_deref() as _,
        name,
        Json(labels) as _
    )
    .fetch_all(connection)
    .await
    .classify()?;
    rows.into_iter().map(instance).collect()
}

/// An instance, locked until the transaction ends.
pub(super) async fn locked(connection: &mut PgConnection, id: InstanceId) -> Result<Instance> {
    instance_query!("SELECT", "FROM instances WHERE id = $1 FOR UPDATE", id.0)
        .fetch_optional(connection)
        .await
        .classify()?
        .map(instance)
        .transpose()?
        .ok_or_else(|| Error::user(UserErrorCode::NotFound, "id", format!("no instance has the id {id}")))
}

/// Sets for how many days the backups of a locked instance are kept; `None` leaves that unchanged.
pub(super) async fn set_backup_retention(connection: &mut PgConnection, id: InstanceId, days: Option<i32>) -> Result<()> {
    if days.is_some() {
        sqlx::query!("UPDATE instances SET backup_retention_days = $2 WHERE id = $1", id.0, days).execute(connection).await.classify()?;
    }
    Ok(())
}

/// Tells subscribers of a locked instance that what belongs to it has changed.
pub(super) async fn touch(connection: &mut PgConnection, id: InstanceId) -> Result<Instance> {
    let row = instance_query!("UPDATE instances SET updated_at = clock_timestamp() WHERE id = $1 RETURNING", "", id.0);
    instance(row.fetch_one(connection).await.classify()?)
}

pub(super) fn instance(row: InstanceRow) -> Result<Instance> {
    Ok(Instance {
        id: InstanceId(row.id),
        name: row.name.parse().map_err(|why: String| Error::internal(why))?,
        first_name: row.first_name.parse().map_err(|why: String| Error::internal(why))?,
        state: parsed(&row.state)?,
        health: parsed(&row.health_status)?,
        reason: reason(row.reason_code, row.reason_message),
        notices: notices(row.notices.0),
        spec: InstanceSpec {
            postgres_version: PostgresVersion(u16::try_from(row.postgres_version).map_err(Error::internal)?),
            storage_gb: row.storage_gb,
            cpu_millis: row.cpu_millis,
            memory_mb: row.memory_mb,
            username: row.username.try_into().map_err(|why: String| Error::internal(why))?,
            database: row.database_name.try_into().map_err(|why: String| Error::internal(why))?,
            exposure: row.exposure.0,
            require_tls: row.require_tls,
            health_check: HealthCheckPolicy { interval_seconds: row.health_interval_seconds, timeout_seconds: row.health_timeout_seconds },
            parameters: row.parameters.0,
        },
        former_address: match row.former_name.zip(row.former_exposure) {
            Some((name, Json(exposure))) => Some(Address { name: name.parse().map_err(|why: String| Error::internal(why))?, exposure }),
            None => None,
        },
        update_available: row.update_from.zip(row.update_to).map(|(from, to)| AvailableUpdate { from, to }),
        endpoint: match (row.endpoint_host, row.endpoint_port) {
            (Some(host), Some(port)) => Some(Endpoint { host, port: u16::try_from(port).map_err(Error::internal)? }),
            _ => None,
        },
        connection_string: row.connection_string,
        health_check_orchestration_id: row.health_check_orchestration_id,
        labels: row.labels.0,
        deletion_protected: row.deletion_protected,
        idle_suspend_minutes: row.idle_suspend_minutes,
        maintenance_window: row.maintenance_window.map(|window| window.0),
        storage_auto_grow: row
            .storage_grow_percent
            .zip(row.storage_grow_max_gb)
            .map(|(threshold_percent, max_gb)| AutoGrow { threshold_percent, max_gb }),
        backups: BackupSettings {
            enabled: row.backups_enabled,
            interval_hours: row.backup_interval_hours,
            retention_days: row.backup_retention_days,
        },
        operation_count: row.operation_count,
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
        deleted_at: row.deleted_at,
    })
}

struct FilterArguments<'a> {
    states: Vec<String>,
    health: Option<Vec<String>>,
    name: Option<&'a str>,
    labels: &'a BTreeMap<String, String>,
}

impl<'a> From<&'a InstanceFilter> for FilterArguments<'a> {
    fn from(filter: &'a InstanceFilter) -> Self {
        Self {
            states: filter.states().iter().map(ToString::to_string).collect(),
            health: filter.health.as_ref().map(|all| all.iter().map(ToString::to_string).collect()),
            name: filter.name_contains.as_deref(),
            labels: &filter.labels,
        }
    }
}
