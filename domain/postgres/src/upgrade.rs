//! What an upgrade to another major version of PostgreSQL needs of the server, before it and after it.

use std::time::{Duration, Instant};

use toygres_domain::{instance::Reason, roles::DATABASE};

use super::{
    Target,
    administration::{literal, open, within},
    close,
    session::SessionError,
};

/// How long collecting the statistics of a table may wait for somebody who changes it.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '5s'";

/// The names of the logical replication slots.
///
/// # Errors
/// Why they are not known.
pub async fn logical_slots(superuser: &Target, timeout: Duration) -> Result<Vec<String>, Reason> {
    within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        // Their names have neither spaces nor commas.
        let [names] = session
            .row("SELECT pg_catalog.string_agg(slot_name, ',' ORDER BY slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_type = 'logical'")
            .await?;
        close(Some(session)).await;
        Ok(names.map(|names| names.split(',').map(str::to_owned).collect()).unwrap_or_default())
    })
    .await
}

/// Has the server remove a directory, which is named as seen from its data directory, in the background.
///
/// # Errors
/// Why it could not be told.
pub async fn discard(superuser: &Target, directory: &str, timeout: Duration) -> Result<(), Reason> {
    within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        session.execute(&format!("COPY (SELECT 1) TO PROGRAM {}", literal(&format!("rm -rf '{directory}' >/dev/null 2>&1 &")))).await?;
        close(Some(session)).await;
        Ok(())
    })
    .await
}

/// Collects statistics of tables of which nobody has collected any since the server has begun to count, in every database, for `at_most`.
/// Returns how many are left because the time was over. A table that somebody has locked is omitted.
///
/// # Errors
/// Why it could not be done.
pub async fn analyze(superuser: &Target, at_most: Duration, timeout: Duration) -> Result<usize, Reason> {
    let until = Instant::now() + at_most;
    let databases = within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        let [names] =
            session.row("SELECT pg_catalog.string_agg(datname, E'\\n') FROM pg_catalog.pg_database WHERE datallowconn AND datname !~ '\\n'").await?;
        close(Some(session)).await;
        Ok(names.unwrap_or_default())
    })
    .await?;
    let mut left = 0;
    for database in databases.lines() {
        left += within(superuser, at_most + timeout, analyze_database(superuser, database, until)).await?;
    }
    Ok(left)
}

async fn analyze_database(superuser: &Target, database: &str, until: Instant) -> Result<usize, SessionError> {
    let mut session = open(superuser, database).await?;
    session.execute(LOCK_TIMEOUT).await?;
    let mut last = 0_u32;
    loop {
        let next = format!(
            "SELECT count(*), min(relid::pg_catalog.int8), (pg_catalog.array_agg(relid::pg_catalog.regclass::text ORDER BY relid))[1]
             FROM pg_catalog.pg_stat_user_tables WHERE last_analyze IS NULL AND last_autoanalyze IS NULL AND relid > {}",
            literal(&last.to_string())
        );
        let [count, relation, name] = session.row(&next).await?;
        let (Some(count), Some(relation), Some(name)) = (count, relation, name) else { break };
        if Instant::now() >= until {
            close(Some(session)).await;
            return Ok(count.parse().unwrap_or(1));
        }
        last = relation.parse().unwrap_or(u32::MAX);
        match session.execute(&format!("ANALYZE {name}")).await {
            // It is locked, or was dropped meanwhile.
            Ok(()) | Err(SessionError::Server(..)) => {}
            Err(error) => return Err(error),
        }
    }
    close(Some(session)).await;
    Ok(0)
}
