//! What a server uses of its volume, and how it is kept from taking writes.

use std::time::{Duration, Instant};

use toygres_domain::{
    instance::Reason,
    roles::{DATABASE, MONITOR, REPLICATION, SUPERUSER},
};

use super::{
    Target,
    administration::{open, within},
    close,
    session::{Session, SessionError},
};

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// Bytes of the data with the temporary files, and of the WAL.
    pub used_bytes: i64,
    /// Bytes of the databases, with their temporary files, which are among them.
    pub database_bytes: i64,
    /// How long it took.
    pub took: Duration,
}

/// How long a measurement may take, by the server's clock.
const LIMIT: Duration = Duration::from_secs(3);

/// How long a caller waits for one, and for [`super::vitals`]: the server needs a moment to notice its limit.
pub(super) const TIMEOUT: Duration = Duration::from_secs(8);

/// The session of the monitor, or of an administrator, asks. `None` if the server could not tell in time; the session goes on.
pub(super) async fn measure(session: &mut Session) -> Result<Option<Measurement>, SessionError> {
    // Statements that are sent together are one transaction, with a limit each.
    let query = format!(
        "SET LOCAL statement_timeout = {};
         SELECT pg_tablespace_size('pg_default'), pg_tablespace_size('pg_global') + (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir())",
        LIMIT.as_millis()
    );
    let started = Instant::now();
    match session.row(&query).await {
        Ok([databases, others]) => {
            let number = |column: Option<String>| column.and_then(|bytes| bytes.parse::<i64>().ok());
            let (Some(database_bytes), Some(others)) = (number(databases), number(others)) else { return Ok(None) };
            let used_bytes = database_bytes.saturating_add(others);
            Ok(Some(Measurement { used_bytes, database_bytes, took: started.elapsed() }))
        }
        Err(SessionError::Server(..)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps a server from taking writes: transactions are read-only from now on, unless a session decides otherwise for itself, and those that
/// had written before are ended. It lasts until [`release`], also across restarts of the server. To be repeated, because a transaction that
/// began before may write later.
///
/// # Errors
/// Why it failed. The reason never contains the password.
pub async fn hold(superuser: &Target, timeout: Duration) -> Result<(), Reason> {
    // PostgreSQL writes this file only for ALTER SYSTEM, which only the platform may run, and reports its time without fractions.
    let end_writers = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND backend_xid IS NOT NULL AND usename NOT IN ('{SUPERUSER}', '{MONITOR}', '{REPLICATION}')
           AND xact_start < (pg_stat_file('postgresql.auto.conf')).modification + interval '1 second'"
    );
    within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        if !is_held(&mut session).await? {
            // Alone, because it cannot be part of a transaction.
            session.execute("ALTER SYSTEM SET default_transaction_read_only = on").await?;
        }
        session.execute("SELECT pg_reload_conf()").await?;
        let [ended] = session.row(&end_writers).await?;
        close(Some(session)).await;
        if let Some(ended) = ended.filter(|ended| ended != "0") {
            tracing::warn!(endpoint = ?superuser.endpoint, ended, "sessions that had written were ended, because the volume is nearly full");
        }
        Ok(())
    })
    .await
}

/// Lets a server take writes again.
///
/// # Errors
/// Why it failed. The reason never contains the password.
pub async fn release(superuser: &Target, timeout: Duration) -> Result<(), Reason> {
    within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        if is_held(&mut session).await? {
            session.execute("ALTER SYSTEM RESET default_transaction_read_only").await?;
        }
        session.execute("SELECT pg_reload_conf()").await?;
        close(Some(session)).await;
        Ok(())
    })
    .await
}

/// Whether the file says so, which the server may not have read yet.
async fn is_held(session: &mut Session) -> Result<bool, SessionError> {
    let [held] = session
        .row(
            "SELECT EXISTS (SELECT FROM pg_file_settings
                 WHERE name = 'default_transaction_read_only' AND sourcefile LIKE '%/postgresql.auto.conf' AND setting::bool)",
        )
        .await?;
    Ok(held.as_deref() == Some("t"))
}
