//! The check of a change before anything is done. The server has the last word on texts.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    PRELOAD, PRELOADABLE,
    catalog::{self, Parameter, ParameterType, Range},
    value,
};
use crate::{
    UserErrorCode,
    instance::InstanceSpec,
    server_settings::{MAX_CONNECTIONS, MONITOR_RESERVED, STATISTICS_LIBRARY, SUPERUSER_RESERVED},
};

/// What a change does: the names as PostgreSQL writes them, and the new values; `None` is the default.
pub type Changes = BTreeMap<String, Option<String>>;

/// Bytes of a value.
const MAX_VALUE_BYTES: usize = 4096;

/// Connections that are left to the clients of an instance.
const MIN_CLIENT_CONNECTIONS: u16 = 5;

/// What counts processes, or places for them. The server makes room for all of them when it starts, and does not start if there are more than it
/// can count in all, or than the host has memory for.
const PROCESSES: &[&str] =
    &["autovacuum_max_workers", "autovacuum_worker_slots", "max_logical_replication_workers", "max_prepared_transactions", "max_worker_processes"];

/// Numbers of locks, for which the server makes room when it starts: so many for every connection and background worker.
const LOCKS: &[&str] = &["max_locks_per_transaction", "max_pred_locks_per_transaction"];

/// Bytes of shared memory for each of them and connection. PostgreSQL 15 takes 400 for a lock and 260 for a predicate lock, and beside 100
/// connections it makes room for those of 22 other processes.
const LOCK_BYTES: f64 = 500.0;

/// The default of both.
const DEFAULT_LOCKS: f64 = 64.0;

/// A quarter of `MAX_BACKENDS`, so that all that is counted there together stays below it.
const MOST_PROCESSES: f64 = 65_535.0;

/// One requested change, unchecked.
#[derive(Clone, Debug)]
pub struct Change {
    /// The name, in any case.
    pub name: String,
    /// The value; `None` for the default.
    pub value: Option<String>,
}

/// What is wrong with one of the changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeError {
    /// Its position in the list.
    pub index: usize,
    /// What of it.
    pub field: ErrorField,
    /// The kind of mistake.
    pub code: UserErrorCode,
    /// One sentence: what is wrong and what would be right.
    pub message: String,
}

/// Which part of a change is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorField {
    /// The name.
    Name,
    /// The value.
    Value,
}

/// Checks changes of an instance whose server can load `libraries`.
///
/// # Errors
/// All mistakes.
pub fn check(spec: &InstanceSpec, libraries: &[&str], changes: &[Change]) -> Result<Changes, Vec<ChangeError>> {
    let (mut checked, mut errors) = (Changes::new(), Vec::new());
    for (index, Change { name, value }) in changes.iter().enumerate() {
        let parameter = match find(spec, name) {
            Ok(parameter) if !checked.contains_key(&parameter.name) => parameter,
            Ok(parameter) => {
                let message = format!("{} occurs twice", parameter.name);
                errors.push(ChangeError { index, field: ErrorField::Name, code: UserErrorCode::Invalid, message });
                continue;
            }
            Err(message) => {
                errors.push(ChangeError { index, field: ErrorField::Name, code: UserErrorCode::Invalid, message });
                continue;
            }
        };
        let value = value.as_ref().map(|value| checked_value(spec, libraries, parameter, value)).transpose();
        let value = value.unwrap_or_else(|(code, message)| {
            errors.push(ChangeError { index, field: ErrorField::Value, code, message: format!("{} {message}", parameter.name) });
            None
        });
        checked.insert(parameter.name.clone(), value);
    }
    if errors.is_empty() { Ok(checked) } else { Err(errors) }
}

fn find(spec: &InstanceSpec, name: &str) -> Result<&'static Parameter, String> {
    let version = spec.postgres_version;
    catalog::find(version, name).ok_or_else(|| {
        let name: String = name.chars().take(63).collect();
        match catalog::why_excluded(version, &name) {
            Some(reason) => format!("{name} cannot be set: {reason}"),
            None => format!("PostgreSQL {version} has no parameter '{name}'; controlPlane.parameters lists those that can be set"),
        }
    })
}

type ValueError = (UserErrorCode, String);

/// The value as it is stored, or why it is wrong.
fn checked_value(spec: &InstanceSpec, libraries: &[&str], parameter: &Parameter, value: &str) -> Result<String, ValueError> {
    if value.len() > MAX_VALUE_BYTES || value.contains('\0') {
        return Err((UserErrorCode::Invalid, format!("must have at most {MAX_VALUE_BYTES} bytes, none of them zero")));
    }
    let shown: String = value.chars().take(100).collect();
    match &parameter.kind {
        _ if parameter.name == PRELOAD => preloaded(libraries, value).map_err(|message| (UserErrorCode::Invalid, message)),
        ParameterType::Bool if is_boolean(value) => Ok(value.trim().to_owned()),
        ParameterType::Bool => Err((UserErrorCode::Invalid, format!("must be on or off, not '{shown}'"))),
        ParameterType::Enum(values) => {
            let found = values.iter().find(|known| known.eq_ignore_ascii_case(value.trim()));
            found.cloned().ok_or_else(|| (UserErrorCode::Invalid, format!("must be one of {}, not '{shown}'", values.join(", "))))
        }
        ParameterType::Integer(range) => checked_number(spec, parameter, *range, true, value),
        ParameterType::Real(range) => checked_number(spec, parameter, *range, false, value),
        ParameterType::String => Ok(value.to_owned()),
    }
}

fn checked_number(spec: &InstanceSpec, parameter: &Parameter, built_in: Range, integer: bool, value: &str) -> Result<String, ValueError> {
    let number = value::number(value, built_in.unit, integer).map_err(|message| (UserErrorCode::Invalid, message))?;
    let (range, why) = bounds(spec, parameter, built_in);
    if number < range.min || number > range.max {
        let text = |bound| value::text(bound, range.unit);
        return Err((UserErrorCode::OutOfRange, format!("must be {} to {}{why}, not {}", text(range.min), text(range.max), value.trim())));
    }
    Ok(value.trim().to_owned())
}

/// The range of a parameter in this instance, and what makes it narrower than PostgreSQL's.
fn bounds(spec: &InstanceSpec, parameter: &Parameter, built_in: Range) -> (Range, &'static str) {
    let memory_mb = f64::from(spec.memory_mb);
    if parameter.name == "max_connections" {
        let min = SUPERUSER_RESERVED + MONITOR_RESERVED + MIN_CLIENT_CONNECTIONS;
        let max = (memory_mb / 2.0).max(MAX_CONNECTIONS.into()).min(MOST_PROCESSES).min(built_in.max);
        return (Range { min: min.into(), max, ..built_in }, " (those of the platform included; each takes memory)");
    }
    if PROCESSES.contains(&parameter.name.as_str()) {
        let max = (memory_mb / 2.0).max(MAX_CONNECTIONS.into()).min(MOST_PROCESSES).min(built_in.max);
        return (Range { max, ..built_in }, " (each takes memory)");
    }
    if LOCKS.contains(&parameter.name.as_str()) {
        let values = spec.parameters.restarted().values;
        let connections = values.get("max_connections").and_then(|value| value.parse().ok()).unwrap_or(f64::from(MAX_CONNECTIONS));
        let half = memory_mb / 2.0 * f64::from(1 << 20);
        let max = (half / (LOCK_BYTES * connections)).floor().max(DEFAULT_LOCKS).min(built_in.max);
        return (Range { max, ..built_in }, " (each takes memory for every connection)");
    }
    // What one server can take of it at a time, in one go.
    let is_memory = parameter.category == "Resource Usage / Memory" || parameter.name == "wal_buffers";
    match built_in.unit.and_then(|unit| unit.in_mebibytes(memory_mb / 2.0)).filter(|half| is_memory && *half < built_in.max) {
        Some(half) => (Range { max: half, ..built_in }, " (half of the instance's memory)"),
        None => (built_in, ""),
    }
}

/// The libraries of a list, without the one that is always loaded.
fn preloaded(available: &[&str], list: &str) -> Result<String, String> {
    let names: Vec<_> = list.split(',').map(|name| name.trim().trim_matches(['"', '\'']).trim()).filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = names.iter().find(|name| !PRELOADABLE.contains(name)) {
        let shown: String = unknown.chars().take(63).collect();
        return Err(format!("can list {}, not '{shown}'", PRELOADABLE.join(", ")));
    }
    if let Some(missing) = names.iter().find(|name| !available.contains(name)) {
        return Err(format!("cannot list {missing}: this installation of PostgreSQL does not have it"));
    }
    let names: BTreeSet<_> = names.into_iter().filter(|name| *name != STATISTICS_LIBRARY).collect();
    Ok(names.into_iter().collect::<Vec<_>>().join(", "))
}

/// `parse_bool` of PostgreSQL: prefixes count as far as they are unique.
fn is_boolean(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    let prefix_of = |word: &str, least: usize| value.len() >= least && word.starts_with(&value);
    matches!(value.as_str(), "0" | "1")
        || prefix_of("true", 1)
        || prefix_of("false", 1)
        || prefix_of("yes", 1)
        || prefix_of("no", 1)
        || prefix_of("on", 2)
        || prefix_of("off", 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::tests::spec;

    fn changes(changes: &[(&str, &str)]) -> Vec<Change> {
        changes.iter().map(|(name, value)| Change { name: (*name).to_owned(), value: Some((*value).to_owned()) }).collect()
    }

    fn refusal(name: &str, value: &str) -> String {
        let errors = check(&spec(), PRELOADABLE, &changes(&[(name, value)])).unwrap_err();
        errors.into_iter().map(|error| error.message).collect()
    }

    fn accepted(name: &str, value: &str) -> String {
        check(&spec(), PRELOADABLE, &changes(&[(name, value)])).unwrap().into_values().next().unwrap().unwrap()
    }

    #[test]
    fn every_mistake_is_told_at_once_and_where_it_is() {
        let list = [("work_mem", "much"), ("jit", "off"), ("fsync", "off"), ("max_connections", "0"), ("JIT", "on"), ("work_men", "1MB")];
        let errors = check(&spec(), PRELOADABLE, &changes(&list)).unwrap_err();
        let places: Vec<_> = errors.iter().map(|error| (error.index, error.field, error.code)).collect();
        use {ErrorField::*, UserErrorCode::*};
        assert_eq!(places, [(0, Value, Invalid), (2, Name, Invalid), (3, Value, OutOfRange), (4, Name, Invalid), (5, Name, Invalid)]);
        assert_eq!(errors[1].message, "fsync cannot be set: without it a crash of the machine destroys the data");
        assert_eq!(errors[2].message, "max_connections must be 16 to 512 (those of the platform included; each takes memory), not 0");
    }

    #[test]
    fn numbers_have_units_and_ranges() {
        assert_eq!(refusal("shared_buffers", "1TB"), "shared_buffers must be 128kB to 512MB (half of the instance's memory), not 1TB");
        assert_eq!(accepted("shared_buffers", " 512MB "), "512MB");
        assert!(refusal("shared_buffers", "513MB").contains("128kB to 512MB"));
        assert!(refusal("work_mem", "much").contains("one of the units B, kB, MB, GB, TB or without one for kB"), "{}", refusal("work_mem", "much"));
        assert_eq!(refusal("autovacuum_max_workers", "200000"), "autovacuum_max_workers must be 1 to 512 (each takes memory), not 200000");
        assert_eq!(refusal("max_worker_processes", "513"), "max_worker_processes must be 0 to 512 (each takes memory), not 513");
        assert_eq!(accepted("max_prepared_transactions", "512"), "512");
        let refused = "must be 10 to 10737 (each takes memory for every connection), not 10738";
        assert_eq!(refusal("max_locks_per_transaction", "10738"), format!("max_locks_per_transaction {refused}"));
        assert_eq!(refusal("max_pred_locks_per_transaction", "10738"), format!("max_pred_locks_per_transaction {refused}"));
        assert_eq!(accepted("max_locks_per_transaction", "10737"), "10737");
        assert!(refusal("random_page_cost", "-1").contains("must be 0 to "));
        assert_eq!(accepted("statement_timeout", "1.5min"), "1.5min");
        assert_eq!(accepted("wal_buffers", "-1"), "-1");
    }

    #[test]
    fn words_are_those_of_postgresql() {
        for word in ["on", "off", "of", "TRUE", "f", "y", "no", "1", "0"] {
            accepted("jit", word);
        }
        for word in ["o", "", "offf", "2", "yess"] {
            assert!(refusal("jit", word).contains("must be on or off"), "{word:?}");
        }
        assert_eq!(accepted("huge_pages", "TRY"), "try");
        assert_eq!(refusal("huge_pages", "maybe"), "huge_pages must be one of off, on, try, not 'maybe'");
        assert_eq!(accepted("TIMEZONE", "Europe/Berlin"), "Europe/Berlin");
        assert!(refusal("TimeZone", "a\0b").contains("none of them zero"));
    }

    #[test]
    fn only_libraries_that_are_there_are_preloaded() {
        assert_eq!(accepted(PRELOAD, "\"pg_prewarm\" , auto_explain,pg_stat_statements"), "auto_explain, pg_prewarm");
        for empty in ["", "\"\"", " , "] {
            assert_eq!(accepted(PRELOAD, empty), "");
        }
        assert!(refusal(PRELOAD, "pg_stat_statments").contains("can list pg_stat_statements, auto_explain, pg_prewarm, not 'pg_stat_statments'"));
        let errors = check(&spec(), &[STATISTICS_LIBRARY], &changes(&[(PRELOAD, "auto_explain")])).unwrap_err();
        assert!(errors[0].message.contains("does not have it"));
    }
}
