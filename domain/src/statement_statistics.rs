//! What statements have cost an instance since its statistics were reset.

use chrono::{DateTime, Utc};

use crate::instance::text_enum;

text_enum! {
    /// The order of statements, the largest first.
    pub enum TopQueryOrder {
        /// The time that their executions took together.
        TotalTime,
        /// The time of one execution on average.
        MeanTime,
        /// The number of their executions.
        Calls,
        /// The rows that they have returned or changed.
        Rows,
        /// The bytes that they have read from files and written to them.
        Io,
    }
}

/// A statement with other constants is the same one. Those of each role and database count by themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct TopQuery {
    /// What PostgreSQL calls it. Another version may call it otherwise.
    pub query_id: i64,
    /// Its text, with parameters for constants. What secrets are left in it is masked: see [`crate::masking`].
    pub text: String,
    /// The role; `None` if it was dropped.
    pub username: Option<String>,
    /// The database; `None` if it was dropped.
    pub database: Option<String>,
    /// Its executions.
    pub calls: i64,
    /// Milliseconds of all executions.
    pub total_time_ms: f64,
    /// Milliseconds of one execution on average.
    pub mean_time_ms: f64,
    /// The rows that it has returned or changed.
    pub rows: i64,
    /// Bytes that it has read from files and written to them, with temporary ones.
    pub io_bytes: i64,
    /// Its part of the time of all statements of clients: 0 to 1.
    pub time_share: f64,
}

/// The statements of clients that come first in an order.
#[derive(Clone, Debug, PartialEq)]
pub struct TopQueries {
    /// When the statistics were last reset.
    pub since: DateTime<Utc>,
    /// How often statements were dropped from the statistics, those that were executed least, because there were too many.
    pub evictions: i64,
    /// The statements.
    pub queries: Vec<TopQuery>,
}
