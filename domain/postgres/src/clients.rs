//! What the roles of clients, and the monitor, have because of the version of their server and of how many they are. No client can change it.

use std::time::Duration;

use toygres_domain::{
    database_user::connections,
    instance::{PostgresVersion, Reason},
    name::SqlName,
    roles::{DATABASE, MONITOR},
    server_settings::owner_connections,
};

use super::{
    Target,
    administration::{change, open, within},
    close,
    roles::{creates_roles, memberships, monitor_memberships},
    session::{Session, SessionError},
};

/// The roles of clients, which share the connections of servers that keep none for the platform.
#[derive(Clone, Copy, Debug)]
pub struct Clients<'a> {
    /// The owner of the instance.
    pub owner: &'a SqlName,
    /// The others.
    pub users: &'a [SqlName],
}

/// Gives the roles what they have in a new server of its version: an upgrade has kept what they had before.
///
/// # Errors
/// Why they do not have it.
pub async fn adapt(superuser: &Target, clients: Clients<'_>, timeout: Duration) -> Result<(), Reason> {
    within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        adapt_in(&mut session, clients).await?;
        close(Some(session)).await;
        Ok(())
    })
    .await
}

/// The same, in a session of the superuser in the database of the platform.
pub(super) async fn adapt_in(session: &mut Session, clients: Clients<'_>) -> Result<(), SessionError> {
    let differences = Shares::ask(session, clients).await?.differences(session, clients).await?;
    if differences.is_empty() {
        return Ok(());
    }
    // Also in a server that takes no writes: see [`super::storage::hold`].
    session.execute("SET default_transaction_read_only = off").await?;
    change(session, &differences).await
}

/// The limits of connections: -1 is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    version: PostgresVersion,
    owner: i32,
    /// That of each other role.
    pub(super) user: i32,
}

impl Shares {
    /// How the roles share the connections of a server.
    pub(super) async fn ask(session: &mut Session, clients: Clients<'_>) -> Result<Self, SessionError> {
        let [version, max, reserved] = session
            .row(
                "SELECT pg_catalog.current_setting('server_version_num')::int / 10000, pg_catalog.current_setting('max_connections'),
                     pg_catalog.current_setting('superuser_reserved_connections')",
            )
            .await?;
        let number = |text: Option<String>| {
            let number = text.and_then(|text| text.parse::<u32>().ok());
            number.map(|number| u16::try_from(number).unwrap_or(u16::MAX)).ok_or_else(|| SessionError::Protocol("a setting is no number".to_owned()))
        };
        let version = PostgresVersion(number(version)?);
        let users = u16::try_from(clients.users.len()).unwrap_or(u16::MAX);
        let shares = owner_connections(version, number(max)?, number(reserved)?).map(|all| connections(all, users));
        let (owner, user) = shares.map_or((-1, -1), |(owner, user)| (owner.into(), user.into()));
        Ok(Self { version, owner, user })
    }

    /// Statements that give the roles that there are what they do not have. Empty if there is nothing to change.
    pub(super) async fn differences(self, session: &mut Session, Clients { owner, users }: Clients<'_>) -> Result<String, SessionError> {
        let limits: Vec<_> = std::iter::once((owner, self.owner))
            .chain(users.iter().map(|user| (user, self.user)))
            .map(|(role, limit)| format!("('{role}', {limit})"))
            .collect();
        let of_owner = memberships(self.version).into_iter().map(|granted| format!("('{granted}', '{owner}')"));
        let of_monitor = monitor_memberships(self.version).iter().map(|granted| format!("('{granted}', '{MONITOR}')"));
        let grants: Vec<_> = of_owner.chain(of_monitor).collect();
        let query = format!(
            "SELECT pg_catalog.string_agg(statement, '; ') FROM (
                 SELECT pg_catalog.format('ALTER ROLE %I CONNECTION LIMIT %s', rolname, connections) AS statement
                 FROM pg_catalog.pg_roles JOIN (VALUES {}) AS wanted (role, connections) ON rolname = role WHERE rolconnlimit <> connections
                 UNION ALL SELECT pg_catalog.format('ALTER ROLE %I CREATEROLE', rolname) FROM pg_catalog.pg_roles
                 WHERE rolname = '{owner}' AND NOT rolcreaterole AND {}
                 UNION ALL SELECT pg_catalog.format('GRANT %I TO %I', predefined.rolname, member.rolname)
                 FROM (VALUES {}) AS wanted (granted, role) JOIN pg_catalog.pg_roles AS predefined ON predefined.rolname = granted
                 JOIN pg_catalog.pg_roles AS member ON member.rolname = role
                 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_auth_members AS m WHERE m.roleid = predefined.oid AND m.member = member.oid)
             ) AS changes",
            limits.join(", "),
            creates_roles(self.version),
            grants.join(", ")
        );
        let [statements] = session.row(&query).await?;
        Ok(statements.unwrap_or_default())
    }
}
