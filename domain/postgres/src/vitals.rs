//! What a server tells that can become an outage.

use std::time::Duration;

use chrono::DateTime;
use toygres_domain::{
    notice::{IdleTransaction, Vitals},
    roles::{MONITOR, REPLICATION, SUPERUSER},
};

use super::session::{Session, SessionError};

/// How long the query may take, by the server's clock.
const LIMIT: Duration = Duration::from_secs(3);
/// The longest name of PostgreSQL, in bytes.
const NAME: usize = 63;

/// The session of the monitor asks. `None` if the server could not tell; the session goes on.
pub(super) async fn ask(session: &mut Session, owner: &str) -> Result<Option<Vitals>, SessionError> {
    match session.row(&query(owner)).await {
        Ok([connections, max_connections, oldest, age, pid, user, database, since, lasted]) => {
            let number = |column: Option<String>| column.and_then(|text| text.parse::<i64>().ok());
            let (Some(connections), Some(max_connections)) = (number(connections), number(max_connections)) else { return Ok(None) };
            let idle = || {
                Some(IdleTransaction {
                    process_id: number(pid)?,
                    user: name(user?),
                    database: name(database?),
                    since: DateTime::from_timestamp(number(since)?, 0)?,
                    lasted: Duration::from_secs(number(lasted)?.try_into().ok()?),
                })
            };
            let oldest = oldest.map(name).zip(number(age));
            Ok(Some(Vitals { connections, max_connections, oldest, idle_transaction: idle() }))
        }
        Err(SessionError::Server(..)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Clients can have what the platform does not reserve, and before 16, where there are no reserved connections, what the role of the owner may.
fn query(owner: &str) -> String {
    let is_client = format!("usename NOT IN ('{SUPERUSER}', '{MONITOR}', '{REPLICATION}')");
    format!(
        "SET LOCAL statement_timeout = {};
         SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND {is_client}),
             least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                       - coalesce(current_setting('reserved_connections', true)::int, 0),
                   (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = '{owner}')),
             oldest.datname, oldest.age, idle.pid, idle.usename, idle.datname, floor(extract(epoch FROM idle.state_change))::bigint,
             floor(extract(epoch FROM clock_timestamp() - idle.state_change))::bigint
         FROM (SELECT datname, greatest(age(datfrozenxid), mxid_age(datminmxid)) AS age FROM pg_database ORDER BY age DESC LIMIT 1) AS oldest
         LEFT JOIN (SELECT pid, usename, datname, state_change FROM pg_stat_activity
                    WHERE state IN ('idle in transaction', 'idle in transaction (aborted)') AND {is_client}
                    ORDER BY state_change LIMIT 1) AS idle ON true",
        LIMIT.as_millis()
    )
}

/// The server chooses the text, which is stored and shown.
fn name(text: String) -> String {
    text.chars().filter(|c| !c.is_control()).take(NAME).collect()
}
