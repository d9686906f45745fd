//! Asking for an instance: every input is parsed here, and every mistake named at once.

use std::{collections::BTreeMap, ops::RangeInclusive};

use toygres_domain::{
    Error, FieldError, InstanceId, Result, UserErrorCode,
    instance::{Exposure, HealthCheckPolicy, InstanceSpec, PostgresVersion},
    name::{InstanceName, SqlName},
    secret::Secret,
};
use toygres_store::{Accepted, NewInstance};

use super::App;

/// GiB. 64 TiB is the largest disk that AKS offers.
const STORAGE_GB: RangeInclusive<i32> = 1..=65_536;
/// Thousandths of a core.
const CPU_MILLIS: RangeInclusive<i32> = 100..=128_000;
/// MiB. PostgreSQL itself starts with less than 128, but then has nothing left for queries.
const MEMORY_MB: RangeInclusive<i32> = 128..=1_048_576;
/// Seconds between health checks.
const INTERVAL_SECONDS: RangeInclusive<i32> = 1..=3600;
/// Seconds that a health check may take.
const TIMEOUT_SECONDS: RangeInclusive<i32> = 1..=60;
/// Labels of one instance.
const MAX_LABELS: usize = 32;

/// What a caller sent, unchecked. `Debug` shows it whole, for the digest of the idempotency key, and is never logged.
#[derive(Clone, Debug)]
pub struct CreateInstance {
    /// See [`InstanceName`].
    pub name: String,
    /// See [`SqlName::role`]; `app` when left out.
    pub username: Option<String>,
    /// Generated when left out.
    pub password: Option<String>,
    /// See [`SqlName::database`]; like the username when left out.
    pub database: Option<String>,
    /// GiB; 10 when left out.
    pub storage_gb: Option<i32>,
    /// The newest that the runtime offers when left out.
    pub postgres_version: Option<String>,
    /// 500 when left out.
    pub cpu_millis: Option<i32>,
    /// 512 when left out.
    pub memory_mb: Option<i32>,
    /// Free labels.
    pub labels: Vec<(String, String)>,
    /// Off when left out.
    pub deletion_protected: Option<bool>,
    /// Inside only, when left out.
    pub exposure: Option<(ExposureKind, Vec<String>, Option<String>)>,
    /// As the platform is configured, when left out.
    pub health_check: HealthCheckSettings,
}

/// Who can reach an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExposureKind {
    /// Clients beside it.
    Cluster,
    /// Clients outside.
    LoadBalancer,
}

/// How the health is checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct HealthCheckSettings {
    /// Seconds from one check to the next.
    pub interval_seconds: Option<i32>,
    /// Seconds that one check may take.
    pub timeout_seconds: Option<i32>,
}

impl App {
    /// Accepts a new instance; a workflow makes it.
    ///
    /// # Errors
    /// [`Error::User`] with every mistake in the input.
    pub async fn create_instance(&self, input: CreateInstance, idempotency_key: Option<String>, requested_by: Option<String>) -> Result<Accepted> {
        let request = self.checked_request(idempotency_key, &input, requested_by)?;
        let new = self.parse(input)?;
        self.store.create_instance(&new, &request).await
    }

    fn parse(&self, input: CreateInstance) -> Result<NewInstance> {
        let mut mistakes = Mistakes::default();
        let name = mistakes.keep("name", input.name.parse::<InstanceName>());
        let username = input.username.unwrap_or_else(|| "app".to_owned());
        let database = match input.database {
            Some(database) => mistakes.keep("database", SqlName::database(&database)),
            None => SqlName::database(&username).ok(),
        };
        let username = mistakes.keep("username", SqlName::role(&username));
        let password = match input.password {
            Some(password) => mistakes.keep("password", Secret::password(password)),
            None => Some(Secret::generate()),
        };
        let postgres_version = self.version(input.postgres_version.as_deref(), &mut mistakes);
        let storage_gb = mistakes.within("storageGb", "GiB", input.storage_gb.unwrap_or(10), &STORAGE_GB);
        let cpu_millis = mistakes.within("cpuMillis", "thousandths of a core", input.cpu_millis.unwrap_or(500), &CPU_MILLIS);
        let memory_mb = mistakes.within("memoryMb", "MiB", input.memory_mb.unwrap_or(512), &MEMORY_MB);
        let interval_seconds = mistakes.within(
            "healthCheck.intervalSeconds",
            "seconds",
            input.health_check.interval_seconds.unwrap_or(self.health_check.interval_seconds),
            &INTERVAL_SECONDS,
        );
        let timeout_seconds = mistakes.within(
            "healthCheck.timeoutSeconds",
            "seconds",
            input.health_check.timeout_seconds.unwrap_or(self.health_check.timeout_seconds),
            &TIMEOUT_SECONDS,
        );
        let labels = mistakes.keep("labels", labels(input.labels));
        let exposure = input.exposure.map_or(Some(Exposure::Cluster), |(kind, ranges, label)| exposure(kind, ranges, label, &mut mistakes));
        if exposure.as_ref().is_some_and(|exposure| !self.runtime.offers(exposure)) {
            mistakes.add(UserErrorCode::Invalid, "exposure.type", format!("the runtime '{}' offers CLUSTER only", self.runtime.name()));
        }

        let parsed = (|| {
            Some(NewInstance {
                id: InstanceId::generate(),
                name: name?,
                spec: InstanceSpec {
                    postgres_version: postgres_version?,
                    storage_gb,
                    cpu_millis,
                    memory_mb,
                    username: username?,
                    database: database?,
                    exposure: exposure?,
                    health_check: HealthCheckPolicy { interval_seconds, timeout_seconds },
                },
                password: password?,
                labels: labels?,
                deletion_protected: input.deletion_protected.unwrap_or(false),
            })
        })();
        match parsed {
            Some(new) if mistakes.0.is_empty() => Ok(new),
            _ => Err(Error::User(mistakes.0)),
        }
    }

    fn version(&self, wanted: Option<&str>, mistakes: &mut Mistakes) -> Option<PostgresVersion> {
        let versions = self.runtime.versions();
        let found = match wanted {
            None => versions.first().copied(),
            Some(wanted) => versions.iter().copied().find(|version| version.to_string() == wanted),
        };
        if found.is_none() {
            let offered = versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let wanted = wanted.unwrap_or_default();
            mistakes.add(UserErrorCode::UnsupportedVersion, "postgresVersion", format!("'{wanted}' is not offered here; choose one of: {offered}"));
        }
        found
    }
}

/// Checks the labels that a caller sent.
///
/// # Errors
/// A sentence that says what labels look like.
pub(crate) fn labels(labels: Vec<(String, String)>) -> Result<BTreeMap<String, String>, String> {
    let fits = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    if labels.len() > MAX_LABELS {
        return Err(format!("there may be {MAX_LABELS} labels at the most"));
    }
    let mut all = BTreeMap::new();
    for (key, value) in labels {
        if key.is_empty() || key.len() > 63 || value.len() > 63 || !fits(&key) || !fits(&value) {
            return Err("keys have 1 to 63 and values up to 63 letters, digits or any of - _ . /".to_owned());
        }
        if all.contains_key(&key) {
            return Err(format!("the key '{key}' comes twice"));
        }
        all.insert(key, value);
    }
    Ok(all)
}

/// Checks a caller's idempotency key.
///
/// # Errors
/// [`Error::User`] that says what a key looks like.
pub(crate) fn check_idempotency_key(key: &str) -> Result<()> {
    if key.is_empty() || key.len() > 255 {
        return Err(Error::user(UserErrorCode::Invalid, "idempotencyKey", "must have 1 to 255 bytes; a random UUID is a good key"));
    }
    Ok(())
}

fn exposure(kind: ExposureKind, source_ranges: Vec<String>, dns_label: Option<String>, mistakes: &mut Mistakes) -> Option<Exposure> {
    match kind {
        ExposureKind::Cluster => {
            if !source_ranges.is_empty() || dns_label.is_some() {
                mistakes.add(UserErrorCode::Invalid, "exposure", "sourceRanges and dnsLabel go with the type LOAD_BALANCER only");
            }
            Some(Exposure::Cluster)
        }
        ExposureKind::LoadBalancer => {
            for range in &source_ranges {
                if !is_cidr(range) {
                    mistakes.add(
                        UserErrorCode::Invalid,
                        "exposure.sourceRanges",
                        format!("'{range}' is no address range; write for example 203.0.113.0/24"),
                    );
                }
            }
            if let Some(label) = &dns_label
                && label.parse::<InstanceName>().is_err()
            {
                mistakes.add(
                    UserErrorCode::Invalid,
                    "exposure.dnsLabel",
                    "must be a DNS label: lower-case letters, digits or hyphens, starting with a letter",
                );
            }
            Some(Exposure::LoadBalancer { source_ranges, dns_label })
        }
    }
}

fn is_cidr(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, bits)| match (address.parse::<std::net::IpAddr>(), bits.parse::<u8>()) {
        (Ok(std::net::IpAddr::V4(_)), Ok(bits)) => bits <= 32,
        (Ok(std::net::IpAddr::V6(_)), Ok(bits)) => bits <= 128,
        _ => false,
    })
}

/// Collects mistakes, so that a caller hears of all of them at once.
#[derive(Default)]
struct Mistakes(Vec<FieldError>);

impl Mistakes {
    fn add(&mut self, code: UserErrorCode, field: &str, message: impl Into<String>) {
        self.0.push(FieldError::new(code, field, message));
    }

    fn keep<T>(&mut self, field: &str, parsed: Result<T, String>) -> Option<T> {
        parsed.map_err(|message| self.add(UserErrorCode::Invalid, field, message)).ok()
    }

    fn within(&mut self, field: &str, unit: &str, value: i32, range: &RangeInclusive<i32>) -> i32 {
        if !range.contains(&value) {
            self.add(UserErrorCode::OutOfRange, field, format!("must be {} to {} {unit}, not {value}", range.start(), range.end()));
        }
        value
    }
}
