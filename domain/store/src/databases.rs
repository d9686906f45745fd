//! The databases of instances: the first one, and those that operations have made.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use toygres_domain::{
    Error, InstanceId, Result, UserErrorCode,
    database::Database,
    instance::Instance,
    name::SqlName,
    operation::{create_database, drop_database},
};
use uuid::Uuid;

use super::{
    Page, PageRequest, Store,
    database_users::{self, name},
    errors::Classify,
};

struct DatabaseRow {
    instance_id: Uuid,
    name: String,
    owner_name: String,
    created_at: DateTime<Utc>,
}

impl Store {
    /// A page of the databases of each of several instances, by name.
    pub async fn databases_of(&self, instances: &[InstanceId], page: &PageRequest<String>) -> Result<HashMap<InstanceId, Page<Database>>> {
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        macro_rules! listing {
            ($order:literal) => {
                sqlx::query_as!(
                    DatabaseRow,
                    "SELECT instance_id, name, owner_name, created_at
                     FROM unnest($1::uuid[]) AS parent (parent_id) CROSS JOIN LATERAL (
                         SELECT * FROM instance_databases
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
        let databases: Vec<_> = rows.into_iter().map(database).collect::<Result<_>>()?;
        Ok(page.pages(instances, databases.into_iter().map(|database| (database.instance, database))))
    }

    /// The database of this name.
    pub async fn database(&self, id: InstanceId, name: &str) -> Result<Option<Database>> {
        sqlx::query_as!(
            DatabaseRow,
            "SELECT instance_id, name, owner_name, created_at FROM instance_databases WHERE instance_id = $1 AND name = $2",
            id.0,
            name
        )
        .fetch_optional(&self.pool)
        .await
        .classify()?
        .map(database)
        .transpose()
    }
}

/// Checks the creation of a database of a locked instance.
pub(super) async fn check_create(connection: &mut PgConnection, now: &Instance, params: &create_database::Params) -> Result<()> {
    let create_database::Params { name, owner } = params;
    if names(connection, now.id).await?.contains(name) {
        return Err(Error::user(UserErrorCode::Conflict, "name", format!("'{}' has a database {name} already; choose another name", now.name)));
    }
    if !database_users::names(connection, now.id).await?.contains(owner) {
        let message = format!("'{}' has no user {owner} that was made here; leave it out for {}", now.name, now.spec.username);
        return Err(Error::user(UserErrorCode::Invalid, "owner", message));
    }
    Ok(())
}

/// Checks the removal of a database of a locked instance.
pub(super) async fn check_drop(connection: &mut PgConnection, now: &Instance, params: &drop_database::Params) -> Result<()> {
    let name = &params.name;
    if *name == now.spec.database {
        let message = format!("{name} is the database that '{}' was created with, and is deleted with it", now.name);
        return Err(Error::user(UserErrorCode::Conflict, "name", message));
    }
    if !names(connection, now.id).await?.contains(name) {
        return Err(Error::user(UserErrorCode::NotFound, "name", format!("'{}' has no database {name} that was made here", now.name)));
    }
    Ok(())
}

/// Writes that a database was made.
pub(super) async fn created(connection: &mut PgConnection, id: InstanceId, params: &create_database::Params) -> Result<()> {
    sqlx::query!(
        "INSERT INTO instance_databases (instance_id, name, owner_name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        id.0,
        params.name.as_str(),
        params.owner.as_str()
    )
    .execute(connection)
    .await
    .classify()?;
    Ok(())
}

/// Writes that a database was dropped.
pub(super) async fn dropped(connection: &mut PgConnection, id: InstanceId, params: &drop_database::Params) -> Result<()> {
    sqlx::query!("DELETE FROM instance_databases WHERE instance_id = $1 AND name = $2", id.0, params.name.as_str())
        .execute(connection)
        .await
        .classify()?;
    Ok(())
}

async fn names(connection: &mut PgConnection, id: InstanceId) -> Result<Vec<SqlName>> {
    let names = sqlx::query_scalar!("SELECT name FROM instance_databases WHERE instance_id = $1", id.0).fetch_all(connection).await.classify()?;
    names.into_iter().map(name).collect()
}

fn database(row: DatabaseRow) -> Result<Database> {
    Ok(Database { instance: InstanceId(row.instance_id), name: name(row.name)?, owner: name(row.owner_name)?, created_at: row.created_at })
}
