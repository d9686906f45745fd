//! The repairs of running and suspended instances: what they are compared with, and what is written about what was found.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{
    Store,
    errors::Classify,
    instances::{instance, instance_query, locked},
    notices::with_notice,
};
use toygres_domain::{
    InstanceId, OperationId, Result,
    data::{Data, VolumeId},
    instance::{Instance, InstanceState, Reason, ReasonCode},
    notice::{NoticeCode, update_available},
    operation::suspend,
    roles::{Roles, SUPERUSER},
    upgrade::AvailableUpdate,
};

impl Store {
    /// The running and suspended instances, or those among `ids`, with what is known of their data, and their roles.
    pub async fn deployed_with_data(&self, ids: Option<&[InstanceId]>) -> Result<Vec<(Instance, Data, Roles)>> {
        let ids: Option<Vec<_>> = ids.map(|ids| ids.iter().map(|id| id.0).collect());
        let rows = instance_query!(
            "SELECT",
            "FROM instances WHERE state IN ('running', 'suspended') AND ($1::uuid[] IS NULL OR id = ANY($1))",
            ids.as_deref() as _
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        let instances: Vec<Instance> = rows.into_iter().map(instance).collect::<Result<_>>()?;
        let ids: Vec<_> = instances.iter().map(|instance| instance.id.0).collect();
        let volumes = sqlx::query!("SELECT instance_id, volume_id FROM instance_volumes WHERE instance_id = ANY($1)", &ids)
            .fetch_all(&self.pool)
            .await
            .classify()?;
        let mut volumes: HashMap<_, _> = volumes.into_iter().map(|row| (InstanceId(row.instance_id), VolumeId(row.volume_id))).collect();
        let with_platform =
            sqlx::query_scalar!("SELECT instance_id FROM platform_passwords WHERE role = $2 AND instance_id = ANY($1)", &ids, SUPERUSER)
                .fetch_all(&self.pool)
                .await
                .classify()?;
        let with_platform: HashSet<_> = with_platform.into_iter().collect();
        Ok(instances
            .into_iter()
            .map(|instance| {
                let roles = if with_platform.contains(&instance.id.0) { Roles::Platform } else { Roles::OwnerOnly };
                let data = Data::Existing(volumes.remove(&instance.id));
                (instance, data, roles)
            })
            .collect())
    }

    /// Whether a running or suspended instance still is that, and no operation works on it or has since `seen` was read, whose state is
    /// therefore the present one. The caller holds its lock, which every verb of an operation takes before it checks its own row.
    pub async fn is_idle(&self, seen: &Instance) -> Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM instances WHERE id = $1 AND state = $2 AND state IN ('running', 'suspended') AND operation_count = $3)
                  AND NOT EXISTS (SELECT FROM operations WHERE instance_id = $1 AND excludes AND status IN ('pending', 'running')) AS "is_idle!""#,
            seen.id.0,
            seen.state.as_str(),
            seen.operation_count
        )
        .fetch_one(&self.pool)
        .await
        .classify()
    }

    /// Records the update that there is for the server of a running or suspended instance, and sets or removes the notice about it.
    pub async fn record_update(&self, id: InstanceId, update: Option<&AvailableUpdate>) -> Result<()> {
        let mut transaction = self.begin().await?;
        let now = locked(&mut transaction, id).await?;
        let notices = with_notice(now.notices.clone(), NoticeCode::UpdateAvailable, update_available(update).as_deref());
        let is_new = now.update_available.as_ref() != update || now.notices != notices;
        if is_new && matches!(now.state, InstanceState::Running | InstanceState::Suspended) {
            sqlx::query!(
                "UPDATE instances SET update_from = $2, update_to = $3, notices = $4 WHERE id = $1",
                id.0,
                update.map(|update| update.from.as_str()),
                update.map(|update| update.to.as_str()),
                Json(notices) as _
            )
            .execute(&mut *transaction)
            .await
            .classify()?;
        }
        transaction.commit().await.classify()
    }

    /// Whether an update of an instance was requested since then, whatever came of it.
    pub async fn was_updated_since(&self, id: InstanceId, since: DateTime<Utc>) -> Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM operations WHERE instance_id = $1 AND kind = 'upgrade' AND params @> '{"minor": true}' AND created_at >= $2) AS "was!""#,
            id.0,
            since
        )
        .fetch_one(&self.pool)
        .await
        .classify()
    }

    /// How many instances there is an update for.
    pub async fn updates_available(&self) -> Result<i64> {
        sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM instances WHERE update_to IS NOT NULL AND state <> 'deleted'"#)
            .fetch_one(&self.pool)
            .await
            .classify()
    }

    /// Appends to the event log that something of an instance was put back. An operation that did it says so once, although it may call
    /// this repeatedly.
    pub async fn record_repair(&self, id: InstanceId, operation: Option<&OperationId>, what: &Reason) -> Result<()> {
        sqlx::query!(
            r#"SELECT append_event('instance_repaired', $1, $2, NULL, NULL, $3, $4)::text AS "void"
               WHERE NOT EXISTS (SELECT FROM events WHERE type = 'instance_repaired' AND instance_id = $1 AND operation_id = $2)"#,
            id.0,
            operation.map(OperationId::as_str),
            what.code.as_str(),
            what.message
        )
        .fetch_optional(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Records what was found out about a running or suspended instance and cannot be put back. Lost data makes a running one unhealthy; a
    /// notice leaves its health, and does not replace the reason of an outage.
    pub async fn report_finding(&self, id: InstanceId, why: &Reason) -> Result<()> {
        sqlx::query!(
            "UPDATE instances SET health_status = CASE WHEN $4 AND state = 'running' THEN 'unhealthy' ELSE health_status END,
                 reason_code = $2, reason_message = $3
             WHERE id = $1 AND state IN ('running', 'suspended')
               AND ($4 OR health_status <> 'unhealthy' AND reason_code IS DISTINCT FROM 'data_lost')
               AND ((reason_code, reason_message) IS DISTINCT FROM ($2, $3) OR $4 AND state = 'running' AND health_status <> 'unhealthy')",
            id.0,
            why.code.as_str(),
            why.message,
            why.code == ReasonCode::DataLost
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Removes what [`Self::report_finding`] recorded: it was found no more. The health of an instance whose data is back is checked next.
    /// A suspended one says again that it is.
    pub async fn clear_finding(&self, id: InstanceId) -> Result<()> {
        let suspended = suspend::reason();
        sqlx::query!(
            "UPDATE instances SET health_status = CASE WHEN reason_code = 'data_lost' THEN 'unknown' ELSE health_status END,
                 reason_code = CASE WHEN state = 'suspended' THEN $3 END, reason_message = CASE WHEN state = 'suspended' THEN $4 END
             WHERE id = $1 AND state IN ('running', 'suspended')
               AND (reason_code = 'data_lost' OR reason_code = ANY($2) AND health_status <> 'unhealthy')",
            id.0,
            &notices(),
            suspended.code.as_str(),
            suspended.message
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }
}

fn notices() -> Vec<String> {
    ReasonCode::ALL.iter().filter(|code| code.is_notice()).map(ToString::to_string).collect()
}
