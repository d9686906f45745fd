//! `Database`.

use async_graphql::{ID, Object};
use chrono::{DateTime, Utc};
use toygres_domain::database as domain;

use super::NodeId;

/// See the GraphQL type below.
#[derive(Clone)]
pub struct Database(pub domain::Database);

/// A database of an instance: the one that it was created with, or one that `createDatabase` has made.
#[Object]
impl Database {
    /// The ID of the database.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Database(self.0.instance, self.0.name.to_string()).into()
    }
    /// The name of the database.
    async fn name(&self) -> &str {
        self.0.name.as_str()
    }
    /// The user who owns it, as far as this API is concerned.
    async fn owner(&self) -> &str {
        self.0.owner.as_str()
    }
    /// When the database was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}
