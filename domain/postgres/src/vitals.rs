//! What a server tells of itself now: its metrics, and what can become an outage.

use std::time::Duration;

use chrono::DateTime;
use toygres_domain::{
    metric::{MetricName, MetricValues},
    notice::{IdleTransaction, KeptWal, Vitals},
    roles::{DATABASE, MONITOR, REPLICATION, SUPERUSER},
};

use super::session::{Session, SessionError};

/// How long the query may take, by the server's clock.
const LIMIT: Duration = Duration::from_secs(3);
/// The longest name of PostgreSQL, in bytes.
const NAME: usize = 63;
/// Columns of [`Vitals`].
const OF_VITALS: usize = 11;
/// The metrics that are asked, in the order of their columns. Those of its volume are measured apart, because that is more work.
const ASKED: [MetricName; 20] = [
    MetricName::Connections,
    MetricName::MaxConnections,
    MetricName::OldestUnfrozenAge,
    MetricName::ActiveConnections,
    MetricName::BlockedConnections,
    MetricName::IdleConnections,
    MetricName::IdleInTransactionConnections,
    MetricName::LongestTransaction,
    MetricName::Commits,
    MetricName::Rollbacks,
    MetricName::RowsRead,
    MetricName::RowsWritten,
    MetricName::BlocksHit,
    MetricName::BlocksRead,
    MetricName::TemporaryBytes,
    MetricName::Deadlocks,
    MetricName::WalBytes,
    MetricName::TimedCheckpoints,
    MetricName::RequestedCheckpoints,
    MetricName::SlotWal,
];
const COLUMNS: usize = OF_VITALS + ASKED.len();

/// The metrics of a server, as it has told them.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerMetrics {
    /// See [`toygres_domain::metric::Reading::epoch`].
    pub epoch: i64,
    /// Those of its volume are absent.
    pub values: MetricValues,
}

/// The session of the monitor asks. `None` if the server could not tell; the session goes on.
pub(super) async fn ask(session: &mut Session, owner: &str) -> Result<Option<(Vitals, ServerMetrics)>, SessionError> {
    match session.row::<COLUMNS>(&query(owner, session.major_version())).await {
        Ok(mut columns) => Ok(answer(&mut columns)),
        Err(SessionError::Server(..)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn answer(columns: &mut [Option<String>; COLUMNS]) -> Option<(Vitals, ServerMetrics)> {
    let ([epoch, oldest, pid, user, database, since, lasted, slot, kept, slot_limit, shared_buffers], metrics) =
        columns.split_first_chunk_mut::<OF_VITALS>()?;
    let number = |column: &Option<String>| column.as_ref().and_then(|text| text.parse::<i64>().ok());
    let mut values = MetricValues::default();
    for (metric, column) in ASKED.iter().zip(&*metrics) {
        // The server chooses the text.
        let value = column.as_ref().and_then(|text| text.parse::<f64>().ok());
        values.set(*metric, value.filter(|value| value.is_finite() && *value >= 0.0));
    }
    let [connections, max_connections, age, ..] = metrics else { return None };
    let mut idle = || {
        Some(IdleTransaction {
            process_id: number(pid)?,
            user: name(user.take()?),
            database: name(database.take()?),
            since: DateTime::from_timestamp(number(since)?, 0)?,
            lasted: Duration::from_secs(number(lasted)?.try_into().ok()?),
        })
    };
    let vitals = Vitals {
        connections: number(connections)?,
        max_connections: number(max_connections)?,
        oldest: oldest.take().map(name).zip(number(age)),
        idle_transaction: idle(),
        slot: slot.take().and_then(|slot| Some(KeptWal { slot: name(slot), bytes: number(kept)?, limit: number(slot_limit)? })),
        shared_buffers: number(shared_buffers),
    };
    Some((vitals, ServerMetrics { epoch: number(epoch)?, values }))
}

/// Clients can have what the platform does not reserve, and before 16, where there are no reserved connections, what the role of the owner may.
///
/// The counters of databases leave out that of the platform. Whatever resets one of them changes the epoch, and so does a database that is
/// created or dropped. (A crash discards all statistics, and its reset shows in those of the WAL.)
fn query(owner: &str, major_version: u32) -> String {
    let is_client = format!("usename NOT IN ('{SUPERUSER}', '{MONITOR}', '{REPLICATION}')");
    let checkpoints = match major_version {
        0..17 => "SELECT checkpoints_timed AS timed, checkpoints_req AS requested, stats_reset FROM pg_stat_bgwriter",
        _ => "SELECT num_timed AS timed, num_requested AS requested, stats_reset FROM pg_stat_checkpointer",
    };
    format!(
        "SET LOCAL statement_timeout = {};
         SELECT hashtextextended(concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), extract(epoch FROM wal.stats_reset),
                    extract(epoch FROM checkpoints.stats_reset), extract(epoch FROM databases.reset), databases.number, databases.ids), 0),
             oldest.datname, idle.pid, idle.usename, idle.datname, floor(extract(epoch FROM idle.state_change))::bigint,
             floor(extract(epoch FROM clock_timestamp() - idle.state_change))::bigint,
             slot.slot_name, slot.kept, pg_size_bytes(current_setting('max_slot_wal_keep_size')), pg_size_bytes(current_setting('shared_buffers')),
             sessions.number,
             least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                       - coalesce(current_setting('reserved_connections', true)::int, 0),
                   (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = '{owner}')),
             oldest.age, sessions.active, sessions.blocked, sessions.idle, sessions.idle_in_transaction, sessions.longest,
             databases.commits, databases.rollbacks, databases.rows_read, databases.rows_written, databases.hit, databases.read,
             databases.temporary, databases.deadlocks, wal.wal_bytes, checkpoints.timed, checkpoints.requested,
             coalesce(slot.kept, 0)
         FROM (SELECT datname, greatest(age(datfrozenxid), mxid_age(datminmxid)) AS age FROM pg_database ORDER BY age DESC LIMIT 1) AS oldest
         CROSS JOIN (SELECT count(*) AS number, count(*) FILTER (WHERE state = 'active') AS active,
                         count(*) FILTER (WHERE state = 'active' AND wait_event_type = 'Lock') AS blocked, count(*) FILTER (WHERE state = 'idle') AS idle,
                         count(*) FILTER (WHERE state IN ('idle in transaction', 'idle in transaction (aborted)')) AS idle_in_transaction,
                         coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0) AS longest
                     FROM pg_stat_activity WHERE backend_type = 'client backend' AND {is_client}) AS sessions
         CROSS JOIN (SELECT count(*) AS number, sum(datid::bigint) AS ids, max(stats_reset) AS reset, sum(xact_commit) AS commits,
                         sum(xact_rollback) AS rollbacks, sum(tup_returned) AS rows_read,
                         sum(tup_inserted + tup_updated + tup_deleted) AS rows_written, sum(blks_hit) AS hit, sum(blks_read) AS read,
                         sum(temp_bytes) AS temporary, sum(deadlocks) AS deadlocks
                     FROM pg_stat_database WHERE datid <> 0 AND datname <> '{DATABASE}') AS databases
         CROSS JOIN pg_stat_wal AS wal
         CROSS JOIN ({checkpoints}) AS checkpoints
         LEFT JOIN (SELECT pid, usename, datname, state_change FROM pg_stat_activity
                    WHERE state IN ('idle in transaction', 'idle in transaction (aborted)') AND {is_client}
                    ORDER BY state_change LIMIT 1) AS idle ON true
         LEFT JOIN (SELECT slot_name, floor(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))::bigint AS kept FROM pg_replication_slots
                    WHERE restart_lsn IS NOT NULL ORDER BY kept DESC LIMIT 1) AS slot ON true",
        LIMIT.as_millis()
    )
}

/// The server chooses the text, which is stored and shown.
fn name(text: String) -> String {
    text.chars().filter(|c| !c.is_control()).take(NAME).collect()
}
