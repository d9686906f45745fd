//! `DatabaseUser`.

use async_graphql::{ID, Object};
use chrono::{DateTime, Utc};
use toygres_domain::database_user as domain;

use super::{DatabaseAccess, NodeId};

/// See the GraphQL type below.
#[derive(Clone)]
pub struct DatabaseUser(pub domain::DatabaseUser);

/// A user of an instance: the one that it was created with, or one that `createDatabaseUser` has made.
#[Object]
impl DatabaseUser {
    /// The ID of the user.
    pub(crate) async fn id(&self) -> ID {
        NodeId::DatabaseUser(self.0.instance, self.0.name.to_string()).into()
    }
    /// The name of the role.
    async fn name(&self) -> &str {
        self.0.name.as_str()
    }
    /// What the user may do.
    async fn access(&self) -> DatabaseAccess {
        self.0.access.into()
    }
    /// The database in which the user may do that. Null if it owns the databases that are created for it.
    async fn database(&self) -> Option<&str> {
        self.0.database.as_ref().map(|database| database.as_str())
    }
    /// When the user was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}
