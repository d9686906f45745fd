//! Parsing and checking of inputs. Every error is collected, so that a caller is told of all of them at once.

use std::collections::BTreeMap;

use toygres_domain::{Error, FieldError, InstanceId, Result, UserErrorCode, secret::Secret, storage::AutoGrowChoice};

use super::{
    limits::{self, IntRange},
    suspend_instance::IDLE_MINUTES,
};

/// Why an instance cannot require TLS.
pub(super) const WITHOUT_TLS: &str =
    "the PostgreSQL of this version was built without TLS here: install one that has it (the packages of the distributions do)";

/// The errors in the fields of one input.
#[derive(Debug, Default)]
pub(super) struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Adds an error.
    pub(super) fn add(&mut self, code: UserErrorCode, field: &str, message: impl Into<String>) {
        self.0.push(FieldError::new(code, field, message));
    }

    /// Adds errors that were found elsewhere.
    pub(super) fn extend(&mut self, errors: Vec<FieldError>) {
        self.0.extend(errors);
    }

    /// The parsed value; otherwise adds its error.
    pub(super) fn parsed<T>(&mut self, field: &str, parsed: Result<T, String>) -> Option<T> {
        parsed.map_err(|message| self.add(UserErrorCode::Invalid, field, message)).ok()
    }

    /// The value, or the default of the range; adds an error when it is outside the range.
    pub(super) fn in_range(&mut self, field: &str, unit: &str, value: Option<i32>, range: IntRange) -> Option<i32> {
        let value = value.or(range.default)?;
        if !range.contains(value) {
            self.add(UserErrorCode::OutOfRange, field, format!("must be {} to {} {unit}, not {value}", range.min, range.max));
        }
        Some(value)
    }

    /// The minutes after which an idle instance is suspended: `Some(None)` turns that off. Adds an error when they are outside the range.
    pub(super) fn idle_suspend_minutes(&mut self, minutes: Option<i32>) -> Option<Option<i32>> {
        match minutes? {
            0 => Some(None),
            minutes => Some(self.in_range("idleSuspendMinutes", "minutes, or 0 to turn it off", Some(minutes), IDLE_MINUTES)),
        }
    }

    /// The choice for the growth of a volume; adds an error for each part that is outside its range.
    pub(super) fn storage_auto_grow(&mut self, choice: Option<AutoGrowChoice>) -> AutoGrowChoice {
        let AutoGrowChoice { threshold_percent, max_gb } = choice.unwrap_or_default();
        if let Some(percent) = threshold_percent.filter(|percent| *percent != 0) {
            let unit = "percent, or 0 to turn it off";
            self.in_range("storageAutoGrow.thresholdPercent", unit, Some(percent), limits::STORAGE_AUTO_GROW_PERCENT);
        }
        if max_gb.is_some() {
            self.in_range("storageAutoGrow.maxGb", "GiB", max_gb, limits::STORAGE_GB);
        }
        AutoGrowChoice { threshold_percent, max_gb }
    }

    /// The labels; otherwise adds an error that says what labels look like.
    pub(super) fn labels(&mut self, field: &str, labels: Vec<(String, String)>) -> Option<BTreeMap<String, String>> {
        let parsed = parse_labels(labels);
        self.parsed(field, parsed)
    }

    /// The password, or a generated one; adds an error when it is not one that every client of PostgreSQL accepts.
    pub(super) fn password(&mut self, field: &str, password: Option<Secret>) -> Option<Secret> {
        match password {
            Some(password) => self.parsed(field, Secret::password(password.expose().to_owned())),
            None => Some(Secret::generate()),
        }
    }

    /// The idempotency key, if there is one; adds an error when it is empty or too long.
    pub(super) fn idempotency_key(&mut self, key: Option<String>) -> Option<String> {
        let range = limits::IDEMPOTENCY_KEY_BYTES;
        if key.as_ref().is_some_and(|key| !range.contains_length(key.len())) {
            let message = format!("must have {} to {} bytes; a random UUID is a good key", range.min, range.max);
            self.add(UserErrorCode::Invalid, "idempotencyKey", message);
        }
        key
    }

    /// The value, if it is there and there are no errors.
    pub(super) fn check<T>(self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Error::User(self.0)),
        }
    }
}

/// The id of an instance. A text that is not an id is the id of nothing.
pub(super) fn instance_id(text: &str) -> Result<InstanceId> {
    instance_id_at("id", text)
}

/// The id of an instance in another field than `id`.
pub(super) fn instance_id_at(field: &str, text: &str) -> Result<InstanceId> {
    text.parse().map_err(|_| no_instance(field, text))
}

pub(super) fn no_instance(field: &str, id: &str) -> Error {
    Error::user(UserErrorCode::NotFound, field, format!("no instance has the id {id}"))
}

fn parse_labels(labels: Vec<(String, String)>) -> Result<BTreeMap<String, String>, String> {
    let allowed = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
    let (keys, values) = (limits::LABEL_KEY_LENGTH, limits::LABEL_VALUE_LENGTH);
    if !limits::LABELS.contains_length(labels.len()) {
        return Err(format!("there may be at most {} labels", limits::LABELS.max));
    }
    let mut parsed = BTreeMap::new();
    for (key, value) in labels {
        if !keys.contains_length(key.len()) || !values.contains_length(value.len()) || !allowed(&key) || !allowed(&value) {
            return Err(format!("keys have {} to {} and values up to {} letters, digits or any of - _ . /", keys.min, keys.max, values.max));
        }
        if parsed.contains_key(&key) {
            return Err(format!("the key '{key}' occurs twice"));
        }
        parsed.insert(key, value);
    }
    Ok(parsed)
}
