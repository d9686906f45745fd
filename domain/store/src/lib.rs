//! The metadata database, and the only crate with SQL for it. Each aggregate has one file, and row types are private to it.

mod accept;
mod activity;
mod addresses;
mod api_tokens;
mod archives;
mod authorities;
mod backups;
mod certificates;
pub mod changes;
mod clock;
mod closing;
mod credentials;
mod database_users;
mod databases;
mod errors;
mod events;
mod finish;
mod health_checks;
mod host;
mod housekeeping;
mod instance_metrics;
mod instances;
mod notices;
mod operations;
mod page;
mod partitions;
mod probers;
mod recovery;
mod repairs;
mod reseal;
mod rotations;
mod runs;
mod steps;
mod storage;
#[cfg(feature = "test-support")]
pub mod testing;
mod upgrades;
mod verifications;
mod volumes;
mod webhook_deliveries;
mod webhooks;

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};

pub use accept::{Accepted, Request, Subject};
pub use archives::{ArchiveReport, OwnedArchive};
pub use authorities::{NewAuthority, Published};
pub use backups::{BackupPosition, BackupUpdate, LatestBackups};
pub use certificates::{InstanceCertificate, Presented};
pub use clock::{HEARTBEAT, Heartbeat};
pub use finish::{Outcome, Reached};
pub use health_checks::{HealthSample, SuccessfulCheck};
pub use housekeeping::{InstanceCount, OperationCount, RetentionLag, TableSize};
pub use instance_metrics::LatestReading;
pub use instances::{InstanceOrder, InstanceOrderField, InstancePosition, InstanceUpdate, NewInstance};
pub use operations::OperationFilter;
pub use page::{Page, PageRequest};
pub use partitions::{DroppedPartitions, PartitionedTable};
pub use probers::UnobservedInstance;
pub use reseal::Resealed;
pub use runs::{KnownInstance, RunningInstance, Work};
pub use storage::{Measured, StorageMeasurement, StorageTotals};
pub use webhook_deliveries::{FailedDelivery, WebhookTarget, WebhookTotals};
pub use webhooks::{CreatedWebhook, NewWebhook, WebhookUpdate};

use errors::Classify;
use toygres_domain::{
    Error, Result,
    instance::{Reason, ReasonCode},
    secret::SecretKeys,
};

/// What to do when a newer release has changed a schema of the database.
pub const NEWER_SCHEMA: &str = "start that release or a newer one; docs/UPGRADING.md says how to go back";

/// The schema that holds the metadata.
pub const SCHEMA: &str = "toygres";

/// The idle time after which a connection is tested before it is used.
const UNTESTED: Duration = Duration::from_secs(1);

pub(crate) static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// A handle to the metadata database; clones share one pool.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    options: PgConnectOptions,
    keys: SecretKeys,
    clock: clock::Clock,
}

impl Store {
    /// Creates a handle that connects when it is first used, so that a server can start before its database.
    ///
    /// # Errors
    /// [`Error::User`] when `url` is not a PostgreSQL URL.
    pub fn open(url: &str, max_connections: u32, keys: SecretKeys) -> Result<Self> {
        let options = options(url)?;
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            // Short, because an error is more useful to a caller than a long wait for an unavailable database.
            .acquire_timeout(Duration::from_secs(3))
            // A connection that was used recently is not tested, because that costs a round trip per query.
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
        Ok(Self { pool, options, keys, clock: clock::Clock::default() })
    }

    /// A table of another program, if the database does not hold our schema yet.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is unavailable.
    pub async fn foreign_table(&self) -> Result<Option<String>> {
        let table = sqlx::query_scalar(
            "SELECT namespace.nspname || '.' || class.relname
             FROM pg_catalog.pg_class class JOIN pg_catalog.pg_namespace namespace ON namespace.oid = class.relnamespace
             WHERE to_regnamespace($1) IS NULL AND class.relkind IN ('r', 'p')
               AND namespace.nspname <> 'information_schema' AND namespace.nspname !~ '^pg_'
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend depend WHERE depend.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                               AND depend.objid = class.oid AND depend.deptype = 'e')
             ORDER BY 1 LIMIT 1",
        );
        table.bind(SCHEMA).fetch_optional(&self.pool).await.classify()
    }

    /// Brings the schema up to date. A lock in the database lets only one server do it at a time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is unavailable, [`Error::Internal`] when it was migrated by a newer version.
    pub async fn migrate(&self) -> Result<()> {
        // A separate pool, because migrations may take longer than the time-out of requests.
        let pool =
            PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(10)).connect_with(self.options.clone()).await.classify()?;
        let exists = sqlx::query_scalar!(r#"SELECT to_regnamespace($1) IS NOT NULL AS "exists!""#, SCHEMA).fetch_one(&pool).await.classify()?;
        if !exists {
            // `CREATE SCHEMA IF NOT EXISTS` requires the privilege to create schemas even if the schema exists, and two servers can
            // race here.
            sqlx::query("CREATE SCHEMA IF NOT EXISTS toygres").execute(&pool).await.classify()?;
        }
        let outcome = MIGRATIONS.run(&pool).await;
        pool.close().await;
        outcome.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => errors::classified(error),
            sqlx::migrate::MigrateError::VersionMissing(version) => {
                let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
                Error::internal(format!("a newer release has migrated it (to {version}; this release has {newest}): {NEWER_SCHEMA}"))
            }
            other => Error::internal(other),
        })
    }

    /// Checks whether the database responds.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query_scalar!(r#"SELECT 1 AS "one!""#).fetch_one(&self.pool).await.classify()?;
        Ok(())
    }

    /// Digests of an input, which identify it without storing it: see [`SecretKeys::digests`].
    #[must_use]
    pub fn digests(&self, input: &[u8]) -> Vec<Vec<u8>> {
        self.keys.digests(input)
    }

    /// The same store for a single reader that retries errors. It has its own connection, which is not tested before each use; this
    /// saves a round trip in the latency of every event.
    #[must_use]
    pub fn for_reader(&self) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(3))
            .connect_lazy_with(self.options.clone());
        Self { pool, ..self.clone() }
    }

    /// Begins a transaction on a separate task, so that it is never interrupted: if a caller is cancelled between BEGIN and its
    /// response, sqlx 0.8 returns the connection to the pool without knowing that it is in a transaction. Later writes on it are
    /// lost, and after a first error every statement fails.
    async fn begin(&self) -> Result<Transaction<'static, Postgres>> {
        let pool = self.pool.clone();
        tokio::spawn(async move { pool.begin().await }).await.map_err(Error::internal)?.classify()
    }

    /// The options for a separate connection, such as that of a listener.
    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Acquires the lock on the runtime objects of one instance, which excludes all other servers until the guard is dropped, so
    /// that a late deployment and a removal cannot overlap.
    pub async fn lock_instance(&self, id: toygres_domain::InstanceId) -> Result<InstanceLock> {
        let mut transaction = self.begin().await?;
        sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 7096810442))", id.to_string())
            .fetch_one(&mut *transaction)
            .await
            .classify()?;
        Ok(InstanceLock { _transaction: transaction })
    }

    /// Runs a query on the tables of another schema of this database, which belongs to another crate, and returns its only column.
    /// The statement must be built from constants, never from input.
    pub async fn select_foreign(&self, statement: String) -> Result<Vec<String>> {
        sqlx::query_scalar(&statement).fetch_all(&self.pool).await.classify()
    }

    /// Runs a statement on another schema of this database, as [`Self::select_foreign`] does.
    pub async fn execute_foreign(&self, statement: String) -> Result<()> {
        sqlx::query(&statement).execute(&self.pool).await.classify()?;
        Ok(())
    }

    /// Waits until no connection is in use, and closes them.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// The guard of [`Store::lock_instance`].
#[derive(Debug)]
pub struct InstanceLock {
    _transaction: sqlx::Transaction<'static, sqlx::Postgres>,
}

fn options(url: &str) -> Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| Error::user(toygres_domain::UserErrorCode::Invalid, "DATABASE_URL", format!("is not a PostgreSQL URL: {error}")))?;
    Ok(options.application_name("toygres").options([("search_path", SCHEMA)]))
}

/// Converts a text column to its enum. The check constraints of the database allow no other values.
fn parsed<T: FromStr>(text: &str) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| Error::internal(error.to_string()))
}

fn reason(code: Option<String>, message: Option<String>) -> Option<Reason> {
    code.zip(message).map(|(code, message)| Reason { code: ReasonCode::of_any_release(&code), message })
}
