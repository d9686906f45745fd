//! The statistics of statements, from the extension `pg_stat_statements`.
//!
//! Its library counts the statements of all databases, and each database that has the extension shows all of them. They are read in the
//! database of the platform: an owner may drop the extension in their own (`DROP SCHEMA public CASCADE`), and could put another view in its
//! place. A server gets it there when it is asked for the first time.

use std::time::Duration;

use toygres_domain::{
    instance::{Reason, ReasonCode},
    masking::masked,
    roles::{DATABASE, MONITOR, REPLICATION, Roles, SUPERUSER},
    server_settings::STATISTICS_LIBRARY,
    statement_statistics::{TopQueries, TopQuery, TopQueryOrder},
};

use super::{
    Logins,
    administration::{open, within},
    close,
    columns::{NAME, number, text, text_column, time, time_column},
    roles::LOCK,
    session::{Session, SessionError},
};

/// The name of the sessions in `pg_stat_activity`.
const APPLICATION: &str = "toygres-statistics";

/// Bytes of the text of a statement.
const MAX_TEXT: usize = 2000;
/// Bytes of the answer for each statement: in base64, with its head.
const BYTES_PER_STATEMENT: usize = 4096;
/// How long the query may take, by the server's clock: it reads the texts of all statements from a file.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(3);

/// Reads the statements that come first in an order, at most `limit`.
///
/// # Errors
/// Why they could not be read: [`ReasonCode::StatisticsMissing`] if the server has none, with the remedy. It never contains a password.
pub async fn top(logins: &Logins, order: TopQueryOrder, limit: u16, timeout: Duration) -> Result<TopQueries, Reason> {
    within(&logins.reader, timeout, async {
        let mut session = Session::log_in(&logins.reader, DATABASE, APPLICATION).await?;
        let found = match place(&mut session).await? {
            Place { schema: None, preloaded: true } if logins.roles == Roles::Platform => {
                add(logins).await?;
                place(&mut session).await?
            }
            found => found,
        };
        let Place { schema: Some(schema), preloaded: true } = found else {
            close(Some(session)).await;
            return Ok(Err(missing(logins.roles)));
        };
        let [since, evictions] =
            session.row(&format!("SELECT {}, dealloc FROM {schema}.pg_stat_statements_info()", time_column("stats_reset"))).await?;
        let rows = session.rows(&query(&schema, order, limit), (usize::from(limit) + 1) * BYTES_PER_STATEMENT).await?;
        close(Some(session)).await;
        Ok(Ok(TopQueries { since: time(since)?, evictions: number(evictions)?, queries: rows.into_iter().map(read).collect::<Result<_, _>>()? }))
    })
    .await?
}

/// Where the extension is.
struct Place {
    /// Its schema in the database that was asked, as an identifier of SQL.
    schema: Option<String>,
    /// Whether the server has loaded its library.
    preloaded: bool,
}

async fn place(session: &mut Session) -> Result<Place, SessionError> {
    let query = format!(
        "SELECT (SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = '{STATISTICS_LIBRARY}'),
             '{STATISTICS_LIBRARY}' = ANY (string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), ','))"
    );
    let [schema, preloaded] = session.row(&query).await?;
    Ok(Place { schema, preloaded: preloaded.as_deref() == Some("t") })
}

/// Adds the extension to the schema of the platform, which nobody but the platform uses.
async fn add(logins: &Logins) -> Result<(), SessionError> {
    let mut session = open(&logins.administrator, DATABASE).await?;
    // Servers of the control plane may do so at the same time.
    session.execute(LOCK).await?;
    session.execute(&format!("CREATE EXTENSION IF NOT EXISTS {STATISTICS_LIBRARY} SCHEMA toygres")).await?;
    close(Some(session)).await;
    Ok(())
}

fn missing(roles: Roles) -> Reason {
    let why = match roles {
        Roles::Platform => {
            "the server has not loaded pg_stat_statements, because it was not installed with PostgreSQL: install the contrib modules of this \
             version (the package postgresql-contrib of most distributions), then restart the instance"
        }
        Roles::OwnerOnly => {
            "an earlier release has created the instance, without pg_stat_statements: create another instance, and copy the data (pg_dump)"
        }
    };
    Reason::new(ReasonCode::StatisticsMissing, why)
}

/// The names of its columns are the same from 15 to 18; those of the times of input and output are not, and are left out.
fn query(schema: &str, order: TopQueryOrder, limit: u16) -> String {
    let by = match order {
        TopQueryOrder::TotalTime => "total_exec_time",
        TopQueryOrder::MeanTime => "mean_exec_time",
        TopQueryOrder::Calls => "calls",
        TopQueryOrder::Rows => "rows",
        TopQueryOrder::Io => "io",
    };
    let blocks = ["shared_blks_read", "shared_blks_written", "local_blks_read", "local_blks_written", "temp_blks_read", "temp_blks_written"];
    let columns = ["calls", "total_exec_time", "mean_exec_time", "rows", "io * current_setting('block_size')::bigint", "share"];
    format!(
        "SET LOCAL statement_timeout = {};
         SELECT queryid, {}, {}, {}, {} FROM (
             SELECT *, {} AS io, coalesce(total_exec_time / nullif(sum(total_exec_time) OVER (), 0), 0) AS share
             FROM {schema}.pg_stat_statements(true)
             WHERE queryid IS NOT NULL AND userid NOT IN (SELECT oid FROM pg_roles WHERE rolname IN ('{SUPERUSER}', '{MONITOR}', '{REPLICATION}'))
             ORDER BY {by} DESC, queryid LIMIT {limit}) AS statements",
        STATEMENT_TIMEOUT.as_millis(),
        text_column("query", MAX_TEXT),
        text_column("(SELECT rolname FROM pg_roles WHERE oid = userid)::text", NAME),
        text_column("(SELECT datname FROM pg_database WHERE oid = dbid)::text", NAME),
        columns.join(", "),
        blocks.join(" + ")
    )
}

fn read(row: [Option<String>; 10]) -> Result<TopQuery, SessionError> {
    let [query_id, query, username, database, calls, total, mean, rows, io, share] = row;
    Ok(TopQuery {
        query_id: number(query_id)?,
        text: text(query).map(|text| masked(&text).into_owned()).unwrap_or_default(),
        username: text(username),
        database: text(database),
        calls: number(calls)?,
        total_time_ms: number(total)?,
        mean_time_ms: number(mean)?,
        rows: number(rows)?,
        io_bytes: number(io)?,
        time_share: number(share)?,
    })
}
