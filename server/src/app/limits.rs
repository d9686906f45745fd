//! The limits of inputs: use cases check them, and `controlPlane.limits` publishes them.

use toygres_domain::{metric, secret::MAX_PASSWORD_BYTES, storage::AutoGrow};

/// A range of whole numbers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntRange {
    /// The smallest value.
    pub min: i32,
    /// The largest value.
    pub max: i32,
    /// The value of an input that is omitted, if there is a fixed one.
    pub default: Option<i32>,
}

impl IntRange {
    pub(super) const fn new(min: i32, max: i32) -> Self {
        Self { min, max, default: None }
    }

    pub(crate) const fn default(self, default: i32) -> Self {
        Self { default: Some(default), ..self }
    }

    /// Whether a value is in the range.
    #[must_use]
    pub fn contains(self, value: i32) -> bool {
        (self.min..=self.max).contains(&value)
    }

    /// Whether a length is in the range.
    #[must_use]
    pub fn contains_length(self, length: usize) -> bool {
        i32::try_from(length).is_ok_and(|length| self.contains(length))
    }
}

/// GiB of a volume. In 1 GiB, a new cluster (60 MB with its three databases), the WAL (128 MB) and what replication slots may retain
/// (256 MB, see [`toygres_domain::volume::WalLimits`]) leave half to the data; clouds offer no smaller volumes. 64 TiB is the largest
/// disk that AKS offers.
pub const STORAGE_GB: IntRange = IntRange::new(1, 65_536).default(10);
/// Percent of a volume that are used when it grows by itself. Above, too little is left for what is written meanwhile.
pub const STORAGE_AUTO_GROW_PERCENT: IntRange = IntRange::new(50, 95).default(AutoGrow::DEFAULT_PERCENT);
/// Thousandths of a core.
pub const CPU_MILLIS: IntRange = IntRange::new(100, 128_000).default(500);
/// MiB. PostgreSQL itself starts with less than 128, but then has nothing left for queries.
pub const MEMORY_MB: IntRange = IntRange::new(128, 1_048_576).default(512);
/// Seconds from one health check to the next. The default is a setting of the server.
pub const HEALTH_CHECK_INTERVAL_SECONDS: IntRange = IntRange::new(1, 3600);
/// Seconds that a health check may take. The default is a setting of the server.
pub const HEALTH_CHECK_TIMEOUT_SECONDS: IntRange = IntRange::new(1, 60);
/// Hours from one base backup to the next. The default is a setting of the server.
pub const BACKUP_INTERVAL_HOURS: IntRange = IntRange::new(1, 8760);
/// Days for which every point in time stays restorable. The default is a setting of the server.
pub const BACKUP_RETENTION_DAYS: IntRange = IntRange::new(0, 3650);
/// Characters of an instance name. [`toygres_domain::name::InstanceName`] checks them.
pub const NAME_LENGTH: IntRange = IntRange::new(1, 63);
/// Bytes of a password. [`toygres_domain::secret::Secret::password`] checks them.
pub const PASSWORD_BYTES: IntRange = IntRange::new(8, MAX_PASSWORD_BYTES as i32);
/// Labels of one instance.
pub const LABELS: IntRange = IntRange::new(0, 32);
/// Characters of the key of a label.
pub const LABEL_KEY_LENGTH: IntRange = IntRange::new(1, 63);
/// Characters of the value of a label.
pub const LABEL_VALUE_LENGTH: IntRange = IntRange::new(0, 63);
/// Parameters in one request.
pub const PARAMETERS: IntRange = IntRange::new(0, 200);
/// Bytes of an idempotency key.
pub const IDEMPOTENCY_KEY_BYTES: IntRange = IntRange::new(1, 255);
/// Characters of the name of an API token.
pub const TOKEN_NAME_LENGTH: IntRange = IntRange::new(1, 100);
/// Days after which an API token expires, unless it is created to never expire.
pub const TOKEN_EXPIRES_IN_DAYS: IntRange = IntRange::new(1, 3650).default(90);
/// Sessions of an instance in one answer. Its server has 89 for clients.
pub const ACTIVITY_SESSIONS: IntRange = IntRange::new(1, 200).default(100);
/// Statements with their statistics in one answer.
pub const TOP_QUERIES: IntRange = IntRange::new(1, 100).default(20);
/// Entries of a log that a subscription begins with.
pub const LOG_TAIL: IntRange = IntRange::new(0, 10_000).default(100);
/// Seconds of one point of a metric. More than an hour has to be whole hours.
pub const METRIC_STEP_SECONDS: IntRange = IntRange::new(metric::STEP_SECONDS.0, metric::STEP_SECONDS.1);
/// Points of one metric in one answer.
pub const METRIC_POINTS: IntRange = IntRange::new(1, metric::MAX_POINTS as i32);
/// Webhooks of a control plane. Each reads the event log by itself.
pub const WEBHOOKS: IntRange = IntRange::new(0, 50);
/// Bytes of the URL of a webhook.
pub const WEBHOOK_URL_LENGTH: IntRange = IntRange::new(1, 2048);
/// Characters of the description of a webhook.
pub const WEBHOOK_DESCRIPTION_LENGTH: IntRange = IntRange::new(0, 200);
/// Entries of one page of a list.
pub const PAGE_SIZE: IntRange = IntRange::new(0, 500).default(50);

#[cfg(test)]
mod tests {
    use toygres_domain::{name::InstanceName, secret::Secret};

    use super::*;

    #[test]
    fn the_limits_of_names_and_passwords_are_those_of_their_types() {
        let text = |length: i32| "a".repeat(usize::try_from(length).unwrap());
        for (length, accepted) in [(NAME_LENGTH.min - 1, false), (NAME_LENGTH.min, true), (NAME_LENGTH.max, true), (NAME_LENGTH.max + 1, false)] {
            assert_eq!(text(length).parse::<InstanceName>().is_ok(), accepted, "a name of {length}");
        }
        for (length, accepted) in
            [(PASSWORD_BYTES.min - 1, false), (PASSWORD_BYTES.min, true), (PASSWORD_BYTES.max, true), (PASSWORD_BYTES.max + 1, false)]
        {
            assert_eq!(Secret::password(text(length)).is_ok(), accepted, "a password of {length}");
        }
    }
}
