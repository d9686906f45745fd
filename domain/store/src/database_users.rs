//! The users of instances: the owner, and those that operations have made.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use toygres_domain::{
    Error, InstanceId, Result, UserErrorCode,
    database_user::{DatabaseUser, MAX_USERS},
    instance::Instance,
    name::SqlName,
    operation::{create_database_user, drop_database_user},
    secret::Secret,
};
use uuid::Uuid;

use super::{Page, PageRequest, Store, credentials::context, errors::Classify, parsed};

/// The role part of what a sealed verifier is bound to: see [`context`].
pub(super) const VERIFIER: &str = "verifier of a user";

struct UserRow {
    instance_id: Uuid,
    name: String,
    access: String,
    database_name: Option<String>,
    created_at: DateTime<Utc>,
}

impl Store {
    /// A page of the users of each of several instances, by name.
    pub async fn database_users_of(&self, instances: &[InstanceId], page: &PageRequest<String>) -> Result<HashMap<InstanceId, Page<DatabaseUser>>> {
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        macro_rules! listing {
            ($order:literal) => {
                sqlx::query_as!(
                    UserRow,
                    "SELECT instance_id, name, access, database_name, created_at
                     FROM unnest($1::uuid[]) AS parent (parent_id) CROSS JOIN LATERAL (
                         SELECT * FROM database_users
                         WHERE instance_id = parent_id AND ($2::text IS NULL OR name > $2) AND ($3::text IS NULL OR name < $3)
                         ORDER BY "
                        + $order
                        + " LIMIT $4) entry ORDER BY "
                        + $order,
                    &ids,
                    page.after.as_deref(),
                    page.before.as_deref(),
                    page.fetch()
                )
                .fetch_all(&self.pool)
                .await
                .classify()?
            };
        }
        let rows = if page.backward { listing!("name DESC") } else { listing!("name") };
        let users: Vec<_> = rows.into_iter().map(user).collect::<Result<_>>()?;
        Ok(page.pages(instances, users.into_iter().map(|user| (user.instance, user))))
    }

    /// The user of this name.
    pub async fn database_user(&self, id: InstanceId, name: &str) -> Result<Option<DatabaseUser>> {
        sqlx::query_as!(
            UserRow,
            "SELECT instance_id, name, access, database_name, created_at FROM database_users WHERE instance_id = $1 AND name = $2",
            id.0,
            name
        )
        .fetch_optional(&self.pool)
        .await
        .classify()?
        .map(user)
        .transpose()
    }

    /// The names of the users of an instance, without that of its owner.
    pub async fn other_users(&self, instance: &Instance) -> Result<Vec<SqlName>> {
        let names = sqlx::query_scalar!(
            "SELECT name FROM database_users WHERE instance_id = $1 AND name <> $2 ORDER BY name",
            instance.id.0,
            instance.spec.username.as_str()
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        names.into_iter().map(name).collect()
    }

    /// The verifier of the user that an operation makes.
    ///
    /// # Errors
    /// [`Error::Superseded`] when there is none any more.
    pub async fn new_verifier(&self, id: InstanceId) -> Result<Secret> {
        let sealed = sqlx::query_scalar!("SELECT sealed_verifier FROM new_user_verifiers WHERE instance_id = $1", id.0)
            .fetch_optional(&self.pool)
            .await
            .classify()?;
        self.keys.open(&sealed.ok_or(Error::Superseded)?, &context(id, VERIFIER))
    }

    /// Checks the creation of a user of a locked instance, and stores the verifier of its password. A retry uses the one of the operation
    /// before it.
    pub(super) async fn begin_user(
        &self,
        connection: &mut PgConnection,
        now: &Instance,
        params: &create_database_user::Params,
        verifier: Option<&Secret>,
    ) -> Result<()> {
        let present = names(connection, now.id).await?;
        if present.contains(&params.name) {
            return Err(Error::user(
                UserErrorCode::Conflict,
                "name",
                format!("'{}' has a user {} already; choose another name", now.name, params.name),
            ));
        }
        // The owner does not count.
        if present.len() > MAX_USERS {
            let message = format!("'{}' has {MAX_USERS} users besides its owner, which is the most; drop one first", now.name);
            return Err(Error::user(UserErrorCode::Conflict, "name", message));
        }
        if let Some(verifier) = verifier {
            sqlx::query!(
                "INSERT INTO new_user_verifiers (instance_id, sealed_verifier) VALUES ($1, $2)
                 ON CONFLICT (instance_id) DO UPDATE SET sealed_verifier = excluded.sealed_verifier",
                now.id.0,
                self.keys.seal(verifier, &context(now.id, VERIFIER))
            )
            .execute(connection)
            .await
            .classify()?;
        }
        Ok(())
    }
}

/// Checks the removal of a user of a locked instance.
pub(super) async fn check_drop(connection: &mut PgConnection, now: &Instance, params: &drop_database_user::Params) -> Result<()> {
    let drop_database_user::Params { name, reassign_to } = params;
    let present = names(connection, now.id).await?;
    if *name == now.spec.username {
        let message = format!("{name} is the owner that '{}' was created with, and is deleted with it", now.name);
        return Err(Error::user(UserErrorCode::Conflict, "name", message));
    }
    if !present.contains(name) {
        return Err(Error::user(UserErrorCode::NotFound, "name", format!("'{}' has no user {name} that was made here", now.name)));
    }
    if reassign_to == name || !present.contains(reassign_to) {
        let message = format!("'{}' has no other user {reassign_to}; leave it out to give everything to {}", now.name, now.spec.username);
        return Err(Error::user(UserErrorCode::Invalid, "reassignTo", message));
    }
    Ok(())
}

/// Writes that a user was made.
pub(super) async fn created(connection: &mut PgConnection, id: InstanceId, params: &create_database_user::Params) -> Result<()> {
    let create_database_user::Params { name, access, database } = params;
    sqlx::query!(
        "INSERT INTO database_users (instance_id, name, access, database_name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        id.0,
        name.as_str(),
        access.as_str(),
        database.as_ref().map(SqlName::as_str)
    )
    .execute(&mut *connection)
    .await
    .classify()?;
    sqlx::query!("DELETE FROM new_user_verifiers WHERE instance_id = $1", id.0).execute(connection).await.classify()?;
    Ok(())
}

/// Writes that a user was dropped, and who has its databases now.
pub(super) async fn dropped(connection: &mut PgConnection, id: InstanceId, params: &drop_database_user::Params) -> Result<()> {
    let drop_database_user::Params { name, reassign_to } = params;
    sqlx::query!("DELETE FROM database_users WHERE instance_id = $1 AND name = $2", id.0, name.as_str())
        .execute(&mut *connection)
        .await
        .classify()?;
    sqlx::query!(
        "UPDATE instance_databases SET owner_name = $3 WHERE instance_id = $1 AND owner_name = $2",
        id.0,
        name.as_str(),
        reassign_to.as_str()
    )
    .execute(connection)
    .await
    .classify()?;
    Ok(())
}

/// The names of all users of an instance.
pub(super) async fn names(connection: &mut PgConnection, id: InstanceId) -> Result<Vec<SqlName>> {
    let names = sqlx::query_scalar!("SELECT name FROM database_users WHERE instance_id = $1", id.0).fetch_all(connection).await.classify()?;
    names.into_iter().map(name).collect()
}

pub(super) fn name(text: String) -> Result<SqlName> {
    text.try_into().map_err(|why: String| Error::internal(why))
}

fn user(row: UserRow) -> Result<DatabaseUser> {
    Ok(DatabaseUser {
        instance: InstanceId(row.instance_id),
        name: name(row.name)?,
        access: parsed(&row.access)?,
        database: row.database_name.map(name).transpose()?,
        created_at: row.created_at,
    })
}
