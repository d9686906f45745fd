//! Users of an instance besides its owner.

use chrono::{DateTime, Utc};

use crate::{InstanceId, instance::text_enum, name::SqlName};

/// A role that logs in to an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseUser {
    /// The instance.
    pub instance: InstanceId,
    /// The name of the role, unique in the instance.
    pub name: SqlName,
    /// What it may do.
    pub access: DatabaseAccess,
    /// The database in which it may do that; `None` for the databases that it owns.
    pub database: Option<SqlName>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// Users that an instance can have besides its owner. Before PostgreSQL 16 they share a limited number of connections: see [`connections`].
pub const MAX_USERS: usize = 40;

text_enum! {
    /// What a user may do.
    pub enum DatabaseAccess {
        /// Everything that the owner of its database may do. Without a database, it owns those that are created for it.
        Owner,
        /// Read and change the rows of what is and will be in its database. It makes, alters and owns nothing there.
        ReadWrite,
        /// Read what is and will be in its database.
        ReadOnly,
    }
}

impl DatabaseAccess {
    /// Whether it is to the rows of one database, so that there must be one.
    #[must_use]
    pub fn is_to_rows(self) -> bool {
        matches!(self, Self::ReadWrite | Self::ReadOnly)
    }
}

/// How the owner of an instance and `users` others share `all` connections of clients, if each role has to have a limit: that of the owner, and
/// that of each other. The owner keeps half of them.
#[must_use]
pub fn connections(all: u16, users: u16) -> (u16, u16) {
    let each = (all / 2).checked_div(users).map_or(0, |each| each.clamp(1, 10));
    (all.saturating_sub(each.saturating_mul(users)).max(1), each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_shared() {
        assert_eq!([0, 1, 4, 8, 40].map(|users| connections(89, users)), [(89, 0), (79, 10), (49, 10), (49, 5), (49, 1)]);
        for users in 0..=u16::try_from(MAX_USERS).unwrap() {
            let (owner, each) = connections(89, users);
            assert!(owner + each * users <= 89 && owner >= 44, "{users}: {owner} {each}");
        }
    }
}
