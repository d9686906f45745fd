//! The metadata database: the only place with SQL. One file per aggregate; rows stay private to it.

mod accept;
mod api_tokens;
pub mod changes;
mod credentials;
mod errors;
mod events;
mod finish;
mod health_checks;
mod housekeeping;
mod instances;
mod operations;
mod page;
mod runs;
mod steps;
#[cfg(feature = "test-support")]
pub mod testing;

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};

pub use accept::{Accepted, Request, Subject};
pub use credentials::Resealed;
pub use finish::{Outcome, Reached};
pub use housekeeping::{InstanceCount, OperationCount, RetentionLag, TableSize};
pub use instances::{InstanceOrder, InstanceOrderField, InstancePosition, InstanceUpdate, NewInstance};
pub use operations::OperationFilter;
pub use page::{Page, PageRequest};
pub use runs::{KnownInstance, RunningInstance, Work};

use errors::Classify;
use toygres_domain::{Error, Result, secret::SecretKeys};

/// The schema that holds the metadata.
pub const SCHEMA: &str = "toygres";

/// How long a connection may have lain idle and be used without a test.
const UNTESTED: Duration = Duration::from_secs(1);

pub(crate) static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// A handle to the metadata database; clones share one pool.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    options: PgConnectOptions,
    keys: SecretKeys,
}

impl Store {
    /// A handle that connects when it is first used, so that a server can start before its database.
    ///
    /// # Errors
    /// [`Error::User`] when `url` is not a PostgreSQL URL.
    pub fn open(url: &str, max_connections: u32, keys: SecretKeys) -> Result<Self> {
        let options = options(url)?;
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            // A caller is better served by a clear error than by a long wait for a database that is away.
            .acquire_timeout(Duration::from_secs(3))
            // A connection that was in use a moment ago need not prove that it lives: that would be a round trip for each query.
            .test_before_acquire(false)
            .before_acquire(|connection, metadata| {
                Box::pin(async move {
                    if metadata.idle_for > UNTESTED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options.clone());
        Ok(Self { pool, options, keys })
    }

    /// Brings the schema up to date. A lock in the database lets only one server do it at a time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is away, [`Error::Internal`] when it was migrated by a newer version.
    pub async fn migrate(&self) -> Result<()> {
        // A pool of its own, as migrations may take longer than requests may wait.
        let pool =
            PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(10)).connect_with(self.options.clone()).await.classify()?;
        let exists = sqlx::query_scalar!(r#"SELECT to_regnamespace($1) IS NOT NULL AS "exists!""#, SCHEMA).fetch_one(&pool).await.classify()?;
        if !exists {
            // `IF NOT EXISTS` alone would still need the right to create schemas, and two servers can race here.
            sqlx::query("CREATE SCHEMA IF NOT EXISTS toygres").execute(&pool).await.classify()?;
        }
        let outcome = MIGRATIONS.run(&pool).await;
        pool.close().await;
        outcome.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => errors::classified(error),
            other => Error::internal(other),
        })
    }

    /// Answers when the database does.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query_scalar!(r#"SELECT 1 AS "one!""#).fetch_one(&self.pool).await.classify()?;
        Ok(())
    }

    /// Recognises the same input again without storing it: see [`SecretKeys::digests`].
    #[must_use]
    pub fn digests(&self, input: &[u8]) -> Vec<Vec<u8>> {
        self.keys.digests(input)
    }

    /// The same store for one reader that repeats what fails: it has a connection of its own, which is not tested before each
    /// use. That saves a round trip in the latency of every event.
    #[must_use]
    pub fn for_reader(&self) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(3))
            .connect_lazy_with(self.options.clone());
        Self { pool, ..self.clone() }
    }

    /// Begins a transaction, on a task of its own so that it is never abandoned halfway: a caller who goes away between BEGIN
    /// and its answer would leave sqlx 0.9 with a connection in the pool that is in a transaction and does not know it. What
    /// others write over it then is lost, and after a first error every statement fails.
    async fn begin(&self) -> Result<Transaction<'static, Postgres>> {
        let pool = self.pool.clone();
        tokio::spawn(async move { pool.begin().await }).await.map_err(Error::internal)?.classify()
    }

    /// Options for a connection of its own, as a listener needs it.
    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Holds the right to change the runtime objects of one instance until the guard is dropped, across all servers: so
    /// that a late deployment and a removal can never overlap.
    pub async fn lock_instance(&self, id: toygres_domain::InstanceId) -> Result<InstanceLock> {
        let mut transaction = self.begin().await?;
        sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 7096810442))", id.to_string())
            .fetch_one(&mut *transaction)
            .await
            .classify()?;
        Ok(InstanceLock { _transaction: transaction })
    }

    /// Runs a query on the tables of another schema of this database, which belongs to another crate, and returns its one column.
    /// The statement is made of the caller's constants, never of input.
    pub async fn select_foreign(&self, statement: String) -> Result<Vec<String>> {
        sqlx::query_scalar(&statement).fetch_all(&self.pool).await.classify()
    }

    /// Runs a statement on another schema of this database, as [`Self::select_foreign`] does.
    pub async fn execute_foreign(&self, statement: String) -> Result<()> {
        sqlx::query(&statement).execute(&self.pool).await.classify()?;
        Ok(())
    }

    /// Waits for the connections in use and closes them.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// See [`Store::lock_instance`].
#[derive(Debug)]
pub struct InstanceLock {
    _transaction: sqlx::Transaction<'static, sqlx::Postgres>,
}

fn options(url: &str) -> Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| Error::user(toygres_domain::UserErrorCode::Invalid, "DATABASE_URL", format!("is not a PostgreSQL URL: {error}")))?;
    Ok(options.application_name("toygres").options([("search_path", SCHEMA)]))
}

/// Turns a text column back into its enum. The database's check constraints allow nothing else.
fn parsed<T: FromStr>(text: &str) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| Error::internal(error.to_string()))
}

fn reason(code: Option<String>, message: Option<String>) -> Result<Option<toygres_domain::instance::Reason>> {
    match (code, message) {
        (Some(code), Some(message)) => Ok(Some(toygres_domain::instance::Reason { code: parsed(&code)?, message })),
        _ => Ok(None),
    }
}
