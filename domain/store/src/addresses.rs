//! The addresses of instances: names are unique, and an instance with another name or exposure keeps the former address until the new one
//! is ready.

use sqlx::{PgConnection, types::Json};
use toygres_domain::{
    Error, InstanceId, Result, UserErrorCode,
    connection_string::connection_string,
    instance::{Endpoint, Instance, InstanceState},
    name::InstanceName,
    notice::NoticeCode,
};

use super::{
    Store,
    errors::Classify,
    instances::{instance, instance_query, locked},
    notices::with_notice,
};

impl Store {
    /// The instances, running, suspended or with an operation, whose host does not have the address of the row yet, or still has another one.
    pub async fn instances_with_former_address(&self) -> Result<Vec<InstanceId>> {
        let ids = sqlx::query_scalar!("SELECT id FROM instances WHERE former_name IS NOT NULL AND state IN ('running', 'updating', 'suspended')")
            .fetch_all(&self.pool)
            .await
            .classify()?;
        Ok(ids.into_iter().map(InstanceId).collect())
    }

    /// Records that clients reach an instance at `endpoint` by the address of its row, which was `seen`: from now on it is deployed with that
    /// address. Returns `None` if the row has another one by now, or no address is prepared any more. The caller holds its lock.
    pub async fn use_address(&self, seen: &Instance, endpoint: &Endpoint) -> Result<Option<Instance>> {
        let mut transaction = self.begin().await?;
        let now = locked(&mut transaction, seen.id).await?;
        if !is_still_wanted(&now, seen) {
            return Ok(None);
        }
        let wanted = now.wanted_address();
        if now.address() == wanted && now.endpoint.as_ref() == Some(endpoint) {
            return Ok(Some(now));
        }
        let row = instance_query!(
            "UPDATE instances SET former_name = name, former_exposure = exposure, endpoint_host = $2, endpoint_port = $3, connection_string = $4,
                 vacated_names = CASE WHEN former_name = name THEN array_remove(vacated_names, name)
                                      ELSE array_append(array_remove(vacated_names, name), former_name) END
             WHERE id = $1 RETURNING",
            "",
            now.id.0,
            endpoint.host,
            i32::from(endpoint.port),
            connection_string(endpoint, &now.spec)
        )
        .fetch_one(&mut *transaction)
        .await
        .classify()?;
        transaction.commit().await.classify()?;
        instance(row).map(Some)
    }

    /// Records that an instance has no other address than that of its row, which was `seen`; its former name is free then. Returns whether
    /// that was so. The caller holds its lock.
    pub async fn release_former_address(&self, seen: &Instance) -> Result<bool> {
        let mut transaction = self.begin().await?;
        let now = locked(&mut transaction, seen.id).await?;
        if !is_still_wanted(&now, seen) || now.address() != now.wanted_address() {
            return Ok(false);
        }
        let notices = with_notice(now.notices, NoticeCode::AddressChanging, None);
        sqlx::query!(
            "UPDATE instances SET former_name = NULL, former_exposure = NULL, vacated_names = '{}', notices = $2 WHERE id = $1",
            now.id.0,
            Json(notices) as _
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        transaction.commit().await.classify()?;
        Ok(true)
    }
}

fn is_still_wanted(now: &Instance, seen: &Instance) -> bool {
    now.former_address.is_some()
        && now.wanted_address() == seen.wanted_address()
        && matches!(now.state, InstanceState::Running | InstanceState::Suspended)
}

/// Refuses the name of an instance while another one has an address of that name. It is called after the name was written: whoever has given
/// it up meanwhile has committed by then.
pub(super) async fn refuse_former_name(connection: &mut PgConnection, id: InstanceId, name: &InstanceName) -> Result<()> {
    let present = sqlx::query_scalar!(
        "SELECT name FROM instances
         WHERE former_name IS NOT NULL AND $1 = ANY(vacated_names || former_name) AND id <> $2 AND state <> 'deleted' LIMIT 1",
        name.as_str(),
        id.0
    )
    .fetch_optional(connection)
    .await
    .classify()?;
    present.map_or(Ok(()), |present| {
        let why = format!(
            "'{present}' was named '{name}' before, and that address is not removed yet: the name is free when it has no notice ADDRESS_CHANGING"
        );
        Err(Error::user(UserErrorCode::NameTaken, "name", why))
    })
}
