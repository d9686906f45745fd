//! The repairs of running instances: what they are compared with, and what is written about what was found.

use std::collections::{HashMap, HashSet};

use super::{
    Store,
    errors::Classify,
    instances::{instance, instance_query},
};
use toygres_domain::{
    InstanceId, Result,
    data::{Data, VolumeId},
    instance::{Instance, Reason, ReasonCode},
    roles::{Roles, SUPERUSER},
};

impl Store {
    /// The running instances, or those of `ids` that are running, with what is known of their data, and their roles.
    pub async fn running_with_data(&self, ids: Option<&[InstanceId]>) -> Result<Vec<(Instance, Data, Roles)>> {
        let ids: Option<Vec<_>> = ids.map(|ids| ids.iter().map(|id| id.0).collect());
        let rows = instance_query!("SELECT", "FROM instances WHERE state = 'running' AND ($1::uuid[] IS NULL OR id = ANY($1))", ids.as_deref() as _)
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

    /// Whether an instance is running and no operation works on it. The caller holds its lock, which every verb of an operation takes
    /// before it checks its own row.
    pub async fn is_idle(&self, id: InstanceId) -> Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM instances WHERE id = $1 AND state = 'running')
                  AND NOT EXISTS (SELECT FROM operations WHERE instance_id = $1 AND excludes AND status IN ('pending', 'running')) AS "is_idle!""#,
            id.0
        )
        .fetch_one(&self.pool)
        .await
        .classify()
    }

    /// Appends to the event log that something of an instance was put back.
    pub async fn record_repair(&self, id: InstanceId, what: &Reason) -> Result<()> {
        sqlx::query!(
            r#"SELECT append_event('instance_repaired', $1, NULL, NULL, NULL, $2, $3)::text AS "void""#,
            id.0,
            what.code.as_str(),
            what.message
        )
        .fetch_one(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Records what was found out about a running instance and cannot be put back. Lost data makes it unhealthy; a notice leaves its
    /// health, and does not replace the reason of an outage.
    pub async fn report_finding(&self, id: InstanceId, why: &Reason) -> Result<()> {
        sqlx::query!(
            "UPDATE instances SET health_status = CASE WHEN $4 THEN 'unhealthy' ELSE health_status END, reason_code = $2, reason_message = $3
             WHERE id = $1 AND state = 'running' AND ($4 OR health_status <> 'unhealthy' AND reason_code IS DISTINCT FROM 'data_lost')
               AND ((reason_code, reason_message) IS DISTINCT FROM ($2, $3) OR $4 AND health_status <> 'unhealthy')",
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
    pub async fn clear_finding(&self, id: InstanceId) -> Result<()> {
        sqlx::query!(
            "UPDATE instances SET health_status = CASE WHEN reason_code = 'data_lost' THEN 'unknown' ELSE health_status END,
                 reason_code = NULL, reason_message = NULL
             WHERE id = $1 AND state = 'running' AND (reason_code = 'data_lost' OR reason_code = ANY($2) AND health_status <> 'unhealthy')",
            id.0,
            &notices()
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
