//! Databases of an instance.

use chrono::{DateTime, Utc};

use crate::{InstanceId, name::SqlName};

/// A database in an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The instance.
    pub instance: InstanceId,
    /// Its name, unique in the instance.
    pub name: SqlName,
    /// The role that owned it when it was created.
    pub owner: SqlName,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}
