//! `TopQueries`: what statements have cost an instance.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use toygres_domain::{instance, statement_statistics as domain};

use super::{BigInt, Reason};

/// The statements that have cost an instance most, as `pg_stat_statements` has counted them.
#[derive(Clone, Debug, SimpleObject)]
pub struct TopQueries {
    /// When the statistics were last reset, by `pg_stat_statements_reset()` or a crash of the server. Null if they could not be read.
    since: Option<DateTime<Utc>>,
    /// How often statements were dropped from the statistics because there were more than `pg_stat_statements.max`, those that were executed
    /// least. What a statement has cost before is not counted when it comes back. Null if they could not be read.
    evictions: Option<BigInt>,
    /// The statements, in the order that was asked for.
    queries: Vec<TopQuery>,
    /// Why the statistics could not be read. Null if they were.
    reason: Option<Reason>,
}

/// A statement with what its executions have cost together. Statements that differ only in constants are one. Those of another role or
/// database are another one.
#[derive(Clone, Debug, SimpleObject)]
pub struct TopQuery {
    /// What PostgreSQL calls the statement (`query_id` in its logs and plans). Another major version may call it otherwise.
    query_id: BigInt,
    /// The text with parameters for constants, up to 2,000 bytes. Secrets that are known by their form are `***`.
    text: String,
    /// The role that has executed it. Null if that was dropped.
    username: Option<String>,
    /// The database in which it was executed. Null if that was dropped.
    database: Option<String>,
    /// The number of its executions.
    calls: BigInt,
    /// The milliseconds that all executions took.
    total_time_ms: f64,
    /// The milliseconds that one execution took on average.
    mean_time_ms: f64,
    /// The rows that it has returned or changed.
    rows: BigInt,
    /// The bytes that it has read from files and written to them, temporary ones included. What was in memory does not count.
    io_bytes: BigInt,
    /// Its part of the time of all statements of clients: 0 to 1.
    time_share: f64,
}

impl TopQueries {
    /// What was read, or why it was not.
    pub fn new(outcome: Result<domain::TopQueries, instance::Reason>) -> Self {
        match outcome {
            Ok(domain::TopQueries { since, evictions, queries }) => Self {
                since: Some(since),
                evictions: Some(BigInt(evictions)),
                queries: queries.into_iter().map(TopQuery::from).collect(),
                reason: None,
            },
            Err(reason) => Self { since: None, evictions: None, queries: Vec::new(), reason: Some((&reason).into()) },
        }
    }
}

impl From<domain::TopQuery> for TopQuery {
    fn from(query: domain::TopQuery) -> Self {
        let domain::TopQuery { query_id, text, username, database, calls, total_time_ms, mean_time_ms, rows, io_bytes, time_share } = query;
        Self {
            query_id: BigInt(query_id),
            text,
            username,
            database,
            calls: BigInt(calls),
            total_time_ms,
            mean_time_ms,
            rows: BigInt(rows),
            io_bytes: BigInt(io_bytes),
            time_share,
        }
    }
}
