//! Parameters of `postgresql.conf` that the owner of an instance can set.
//!
//! Which ones these are is a table per major version, made from `pg_settings` of real servers: see [`catalog`]. What the platform depends on
//! is not among them, for the reasons in `parameter/excluded.tsv`.

pub mod catalog;
mod check;
mod configuration;
mod value;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use check::{Change, ChangeError, Changes, ErrorField, check};
pub use configuration::{MARKER, configuration, marker};

use crate::{instance::PostgresVersion, server_settings::STATISTICS_LIBRARY};

/// The parameter with the list of libraries that the server loads when it starts.
pub const PRELOAD: &str = "shared_preload_libraries";

/// What [`PRELOAD`] can list. All of them belong to PostgreSQL's contrib modules.
pub const PRELOADABLE: &[&str] = &[STATISTICS_LIBRARY, "auto_explain", "pg_prewarm"];

/// The parameters that the owner of an instance has set.
///
/// A value that needs a restart is not in the configuration of the server until a restart that can be rolled back: otherwise a crash could
/// end with a server that does not start any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// What the configuration of the server has: names and values.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// What the next restart changes; `None` is the default of the parameter.
    #[serde(default)]
    pub pending: BTreeMap<String, Option<String>>,
}

impl Parameters {
    /// These parameters after a change. Without `allow_restart`, what needs a restart is pending afterwards; with it, nothing is.
    #[must_use]
    pub fn changed(&self, version: PostgresVersion, changes: &Changes, allow_restart: bool) -> Self {
        let mut next = self.clone();
        for (name, value) in changes {
            next.pending.remove(name);
            if !needs_restart(version, name) {
                next.set(name, value.as_ref());
            } else if next.values.get(name) != value.as_ref() {
                next.pending.insert(name.clone(), value.clone());
            }
        }
        if allow_restart { next.restarted() } else { next }
    }

    /// These parameters after a restart.
    #[must_use]
    pub fn restarted(&self) -> Self {
        let mut next = Self { values: self.values.clone(), pending: BTreeMap::new() };
        for (name, value) in &self.pending {
            next.set(name, value.as_ref());
        }
        next
    }

    /// Whether a server with the configuration `former` has to be restarted for this one.
    #[must_use]
    pub fn needs_restart(&self, version: PostgresVersion, former: &Self) -> bool {
        let names = self.values.keys().chain(former.values.keys());
        names.into_iter().any(|name| self.values.get(name) != former.values.get(name) && needs_restart(version, name))
    }

    fn set(&mut self, name: &str, value: Option<&String>) {
        match value {
            Some(value) => self.values.insert(name.to_owned(), value.clone()),
            None => self.values.remove(name),
        };
    }
}

/// A parameter that is not in the table may need one.
fn needs_restart(version: PostgresVersion, name: &str) -> bool {
    catalog::find(version, name).is_none_or(|parameter| parameter.needs_restart)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V17: PostgresVersion = PostgresVersion(17);

    fn parameters(values: &[(&str, &str)], pending: &[(&str, Option<&str>)]) -> Parameters {
        Parameters { values: values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(), pending: changes(pending) }
    }

    fn changes(changes: &[(&str, Option<&str>)]) -> Changes {
        changes.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect()
    }

    #[test]
    fn what_needs_a_restart_is_pending_until_there_is_one() {
        let former = parameters(&[("work_mem", "8MB"), ("max_connections", "50")], &[]);
        let change = changes(&[("work_mem", None), ("jit", Some("off")), ("max_connections", Some("60")), ("huge_pages", Some("off"))]);
        let pending = former.changed(V17, &change, false);
        assert_eq!(
            pending,
            parameters(&[("jit", "off"), ("max_connections", "50")], &[("huge_pages", Some("off")), ("max_connections", Some("60"))])
        );
        assert!(!pending.needs_restart(V17, &former));
        let restarted = parameters(&[("huge_pages", "off"), ("jit", "off"), ("max_connections", "60")], &[]);
        assert_eq!(pending.restarted(), restarted);
        assert_eq!(former.changed(V17, &change, true), restarted);
        assert!(restarted.needs_restart(V17, &former));
        assert_eq!(pending.changed(V17, &Changes::new(), true), restarted, "nothing new, and a restart");
    }

    #[test]
    fn what_is_pending_can_be_taken_back() {
        let pending = parameters(&[("max_connections", "50")], &[("max_connections", Some("60"))]);
        assert_eq!(pending.changed(V17, &changes(&[("max_connections", Some("50"))]), false), parameters(&[("max_connections", "50")], &[]));
        let reset = pending.changed(V17, &changes(&[("max_connections", None)]), false);
        assert_eq!(reset, parameters(&[("max_connections", "50")], &[("max_connections", None)]));
        assert_eq!(reset.restarted(), Parameters::default());
    }
}
