//! `Limits`.

use async_graphql::SimpleObject;
use toygres_domain::{backup::BackupPolicy, instance::HealthCheckPolicy};

use crate::app::{limits, maintenance, restart_instance, suspend_instance};

/// A range of whole numbers, both ends included.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct IntRange {
    /// The smallest value.
    min: i32,
    /// The largest value.
    max: i32,
    /// The value of an input that is omitted. Null if it has no fixed default.
    default: Option<i32>,
}

impl From<limits::IntRange> for IntRange {
    fn from(range: limits::IntRange) -> Self {
        let limits::IntRange { min, max, default } = range;
        Self { min, max, default }
    }
}

/// Declares the fields of [`Limits`] together with their ranges, which may depend on the defaults of health checks and of backups.
macro_rules! limits {
    (|$defaults:ident, $backups:ident| $($(#[$meta:meta])* $field:ident: $range:expr),* $(,)?) => {
        /// The limits of inputs, so that clients need not repeat them.
        #[derive(Clone, Copy, Debug, SimpleObject)]
        pub struct Limits { $($(#[$meta])* $field: IntRange),* }

        impl Limits {
            /// The limits of a server with these defaults of health checks and of backups.
            pub fn new($defaults: HealthCheckPolicy, $backups: BackupPolicy) -> Self {
                Self { $($field: $range.into()),* }
            }
        }
    };
}

limits! { |health_check, backups|
    /// The size of a volume in GiB.
    storage_gb: limits::STORAGE_GB,
    /// The percent of a volume that are used when it grows by itself. 0, which turns that off, is accepted too.
    storage_auto_grow_percent: limits::STORAGE_AUTO_GROW_PERCENT,
    /// The CPU of an instance in millicores.
    cpu_millis: limits::CPU_MILLIS,
    /// The memory of an instance in MiB.
    memory_mb: limits::MEMORY_MB,
    /// The seconds from one health check to the next.
    health_check_interval_seconds: limits::HEALTH_CHECK_INTERVAL_SECONDS.default(health_check.interval_seconds),
    /// The seconds that one health check may take.
    health_check_timeout_seconds: limits::HEALTH_CHECK_TIMEOUT_SECONDS.default(health_check.timeout_seconds),
    /// The seconds that a server may take to shut down gracefully before it is stopped immediately.
    restart_timeout_seconds: restart_instance::TIMEOUT_SECONDS,
    /// The seconds that a server may take to shut down gracefully for a suspension before it is stopped immediately.
    suspend_timeout_seconds: suspend_instance::TIMEOUT_SECONDS,
    /// The minutes without a session of a client after which an instance is suspended. 0, which turns that off, is accepted too.
    idle_suspend_minutes: suspend_instance::IDLE_MINUTES,
    /// The minutes of a maintenance window. 0, which turns it off, is accepted too.
    maintenance_window_minutes: maintenance::WINDOW_MINUTES,
    /// The hours from one base backup to the next.
    backup_interval_hours: limits::BACKUP_INTERVAL_HOURS.default(backups.interval_hours),
    /// The days for which every point in time stays restorable.
    backup_retention_days: limits::BACKUP_RETENTION_DAYS.default(backups.retention_days),
    /// The length of an instance name in characters.
    name_length: limits::NAME_LENGTH,
    /// The length of a password in bytes.
    password_bytes: limits::PASSWORD_BYTES,
    /// The number of labels of one instance.
    labels: limits::LABELS,
    /// The length of a label's key in characters.
    label_key_length: limits::LABEL_KEY_LENGTH,
    /// The length of a label's value in characters.
    label_value_length: limits::LABEL_VALUE_LENGTH,
    /// The number of parameters in one request.
    parameters: limits::PARAMETERS,
    /// The length of an idempotency key in bytes.
    idempotency_key_bytes: limits::IDEMPOTENCY_KEY_BYTES,
    /// The length of an API token's name in characters.
    token_name_length: limits::TOKEN_NAME_LENGTH,
    /// The days after which an API token expires.
    token_expires_in_days: limits::TOKEN_EXPIRES_IN_DAYS,
    /// The number of sessions in one answer.
    activity_sessions: limits::ACTIVITY_SESSIONS,
    /// The number of statements with their statistics in one answer.
    top_queries: limits::TOP_QUERIES,
    /// The seconds of one point of a metric. More than an hour has to be whole hours.
    metric_step_seconds: limits::METRIC_STEP_SECONDS,
    /// The number of points of one metric in one answer.
    metric_points: limits::METRIC_POINTS,
    /// The number of webhooks.
    webhooks: limits::WEBHOOKS,
    /// The length of a webhook's URL in bytes.
    webhook_url_length: limits::WEBHOOK_URL_LENGTH,
    /// The length of a webhook's description in characters.
    webhook_description_length: limits::WEBHOOK_DESCRIPTION_LENGTH,
    /// The number of entries in one page of a list.
    page_size: limits::PAGE_SIZE,
}
