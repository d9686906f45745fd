//! `Limits`.

use async_graphql::SimpleObject;
use toygres_domain::instance::HealthCheckPolicy;

use crate::app::limits;

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

/// The limits of inputs, so that clients need not repeat them.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct Limits {
    /// The size of a volume in GiB.
    storage_gb: IntRange,
    /// The CPU of an instance in thousandths of a core.
    cpu_millis: IntRange,
    /// The memory of an instance in MiB.
    memory_mb: IntRange,
    /// The seconds from one health check to the next.
    health_check_interval_seconds: IntRange,
    /// The seconds that one health check may take.
    health_check_timeout_seconds: IntRange,
    /// The seconds that a server may take to shut down gracefully before it is stopped immediately.
    restart_timeout_seconds: IntRange,
    /// The length of an instance name in characters.
    name_length: IntRange,
    /// The length of a password in bytes.
    password_bytes: IntRange,
    /// The number of labels of one instance.
    labels: IntRange,
    /// The length of a label's key in characters.
    label_key_length: IntRange,
    /// The length of a label's value in characters.
    label_value_length: IntRange,
    /// The length of an idempotency key in bytes.
    idempotency_key_bytes: IntRange,
    /// The length of an API token's name in characters.
    token_name_length: IntRange,
    /// The days after which an API token expires.
    token_expires_in_days: IntRange,
    /// The number of entries in one page of a list.
    page_size: IntRange,
}

impl Limits {
    /// The limits of a server with these defaults of health checks.
    pub fn new(health_check: HealthCheckPolicy) -> Self {
        let (interval, timeout) = limits::health_check(health_check);
        Self {
            storage_gb: limits::STORAGE_GB.into(),
            cpu_millis: limits::CPU_MILLIS.into(),
            memory_mb: limits::MEMORY_MB.into(),
            health_check_interval_seconds: interval.into(),
            health_check_timeout_seconds: timeout.into(),
            restart_timeout_seconds: limits::RESTART_TIMEOUT_SECONDS.into(),
            name_length: limits::NAME_LENGTH.into(),
            password_bytes: limits::PASSWORD_BYTES.into(),
            labels: limits::LABELS.into(),
            label_key_length: limits::LABEL_KEY_LENGTH.into(),
            label_value_length: limits::LABEL_VALUE_LENGTH.into(),
            idempotency_key_bytes: limits::IDEMPOTENCY_KEY_BYTES.into(),
            token_name_length: limits::TOKEN_NAME_LENGTH.into(),
            token_expires_in_days: limits::TOKEN_EXPIRES_IN_DAYS.into(),
            page_size: limits::PAGE_SIZE.into(),
        }
    }
}
