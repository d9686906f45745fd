//! The tables of parameters, one per major version. `scripts/generate-parameters` makes them from `pg_settings` of real servers, and a
//! test compares them with those.
//!
//! A line has the columns of [`Parameter`], separated by tabs, or a name and the reason why it cannot be set.

use std::{collections::BTreeMap, sync::LazyLock};

use super::value::{Unit, number};
use crate::instance::PostgresVersion;

/// The rules of what cannot be set, one per line: a name (with `*` at its end for any that begins like it) or `category:` and a category
/// of PostgreSQL, and the reason.
const EXCLUDED: &str = include_str!("excluded.tsv");

/// One parameter that can be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// As PostgreSQL writes it.
    pub name: String,
    /// What its values are.
    pub kind: ParameterType,
    /// Whether a new value takes effect at a restart of the server only.
    pub needs_restart: bool,
    /// The value that PostgreSQL has built in, in the unit; empty if it has none.
    pub default: String,
    /// The chapter of PostgreSQL's documentation.
    pub category: String,
    /// One sentence.
    pub description: String,
}

/// The values of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterType {
    /// `on` or `off`.
    Bool,
    /// A whole number.
    Integer(Range),
    /// A number.
    Real(Range),
    /// One of these.
    Enum(Vec<String>),
    /// Any text, which the server checks.
    String,
}

/// The numbers that a parameter can have, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// What the numbers count; values can be given in another unit of the same kind.
    pub unit: Option<Unit>,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

struct Table {
    parameters: Vec<Parameter>,
    excluded: BTreeMap<&'static str, &'static str>,
}

static TABLES: LazyLock<BTreeMap<u16, Table>> = LazyLock::new(|| {
    [(15, include_str!("15.tsv")), (16, include_str!("16.tsv")), (17, include_str!("17.tsv")), (18, include_str!("18.tsv"))]
        .into_iter()
        .map(|(version, text)| (version, Table::parse(text)))
        .collect()
});

/// The parameters that can be set in this version, by name; none for a version that is not on offer.
#[must_use]
pub fn parameters(version: PostgresVersion) -> &'static [Parameter] {
    TABLES.get(&version.0).map_or(&[], |table| &table.parameters)
}

/// The parameter with this name, in any case.
#[must_use]
pub fn find(version: PostgresVersion, name: &str) -> Option<&'static Parameter> {
    parameters(version).iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
}

/// Why a parameter that PostgreSQL has cannot be set; `None` if there is no such parameter, or it can be set.
#[must_use]
pub fn why_excluded(version: PostgresVersion, name: &str) -> Option<&'static str> {
    TABLES.get(&version.0)?.excluded.get(name.to_ascii_lowercase().as_str()).copied()
}

/// The rule that excludes a parameter of PostgreSQL: the reason.
#[must_use]
pub fn exclusion(name: &str, category: &str) -> Option<&'static str> {
    let rules = EXCLUDED.lines().filter_map(|line| line.split_once('\t'));
    let applies = |rule: &str| match (rule.strip_prefix("category:"), rule.strip_suffix('*')) {
        (Some(excluded), _) => excluded == category,
        (None, Some(prefix)) => name.starts_with(prefix),
        (None, None) => rule == name,
    };
    rules.into_iter().find_map(|(rule, reason)| applies(rule).then_some(reason))
}

impl Table {
    fn parse(text: &'static str) -> Self {
        let mut table = Self { parameters: Vec::new(), excluded: BTreeMap::new() };
        for line in text.lines() {
            match line.split('\t').collect::<Vec<_>>().as_slice() {
                [name, reason] => drop(table.excluded.insert(name, reason)),
                columns => table.parameters.extend(Parameter::parse(columns)),
            }
        }
        table
    }
}

impl Parameter {
    /// Whether a server that has this value reports this setting in `pg_settings`. What it does not report as it was given counts as the
    /// same: words that mean the same, texts, and numbers below zero, which leave the choice to the server.
    #[must_use]
    pub fn is_setting(&self, value: &str, setting: &str) -> bool {
        match self.kind {
            ParameterType::Bool => (setting == "on") == matches!(value.to_ascii_lowercase().as_bytes(), [b'1' | b't' | b'y', ..] | [b'o', b'n', ..]),
            ParameterType::Integer(range) | ParameterType::Real(range) => {
                let integer = matches!(self.kind, ParameterType::Integer(_));
                match (number(value, range.unit, integer), setting.parse::<f64>()) {
                    // Fractions are rounded when they are reported.
                    (Ok(value), Ok(setting)) => value < 0.0 || (value - setting).abs() <= 1e-4 * value.abs(),
                    _ => false,
                }
            }
            ParameterType::Enum(_) | ParameterType::String => true,
        }
    }

    /// Name, type, unit, smallest and largest value, values of an enum (separated by `,`), default, `restart` or nothing, category,
    /// description. A test finds lines that are none.
    fn parse(columns: &[&str]) -> Option<Self> {
        let [name, kind, unit, min, max, values, default, restart, category, description] = columns else { return None };
        let range =
            || Some(Range { unit: if unit.is_empty() { None } else { Some(Unit::base(unit)?) }, min: min.parse().ok()?, max: max.parse().ok()? });
        let kind = match *kind {
            "bool" => ParameterType::Bool,
            "integer" => ParameterType::Integer(range()?),
            "real" => ParameterType::Real(range()?),
            "enum" => ParameterType::Enum(values.split(',').map(str::to_owned).collect()),
            "string" => ParameterType::String,
            _ => return None,
        };
        Some(Self {
            name: (*name).to_owned(),
            kind,
            needs_restart: *restart == "restart",
            default: (*default).to_owned(),
            category: (*category).to_owned(),
            description: (*description).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_on_offer_has_a_table_without_what_the_platform_owns() {
        for version in PostgresVersion::offered() {
            let table = &TABLES[&version.0];
            let text = [include_str!("15.tsv"), include_str!("16.tsv"), include_str!("17.tsv"), include_str!("18.tsv")][usize::from(version.0 - 15)];
            assert_eq!(table.parameters.len() + table.excluded.len(), text.lines().count(), "{version}: every line is read");
            assert!(table.parameters.len() > 180, "{version}");
            for name in ["work_mem", "shared_buffers", "max_connections", "shared_preload_libraries", "DateStyle", "pg_stat_statements.max"] {
                assert!(find(version, name).is_some(), "{version}: {name}");
            }
            for name in [
                "port",
                "hba_file",
                "ssl",
                "data_directory",
                "archive_command",
                "wal_level",
                "fsync",
                "log_statement",
                "max_wal_size",
                "dynamic_library_path",
            ] {
                assert!(find(version, name).is_none() && why_excluded(version, name).is_some(), "{version}: {name}");
            }
        }
    }

    #[test]
    fn a_setting_is_compared_by_what_it_means() {
        let is = |name: &str, value: &str, setting: &str| find(PostgresVersion(17), name).unwrap().is_setting(value, setting);
        assert!(is("work_mem", "64MB", "65536") && is("shared_buffers", "16MB", "2048") && is("jit", "Yes", "on") && is("jit", "of", "off"));
        assert!(is("wal_buffers", "-1", "512") && is("cpu_tuple_cost", "0.0123456789", "0.0123457") && is("wal_compression", "on", "pglz"));
        assert!(!is("work_mem", "64MB", "4096") && !is("jit", "on", "off") && !is("random_page_cost", "1.1", "4"));
    }

    #[test]
    fn a_rule_has_a_reason_and_excludes_something() {
        for line in EXCLUDED.lines() {
            let (rule, reason) = line.split_once('\t').unwrap();
            assert!(!reason.is_empty() && !reason.contains('\t'), "{line}");
            let used =
                |name: &str| rule.starts_with("category:") || name == rule || rule.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix));
            assert!(TABLES.values().any(|table| table.excluded.iter().any(|(name, why)| used(name) && *why == reason)), "{line}");
        }
    }
}
