//! The major versions of PostgreSQL on offer. This table is the only place that lists them.

use crate::instance::PostgresVersion;

/// One major version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// The version.
    pub version: PostgresVersion,
    /// The release of Debian that its official image is based on. Without it in the tag, an image moves to the next release of Debian some
    /// day, with other versions of the collations that indexes were built with.
    pub debian: &'static str,
}

/// The versions on offer, newest first: those that PostgreSQL still supports. An instance of another one keeps running.
pub const RELEASES: &[Release] = &[
    Release { version: PostgresVersion(18), debian: "trixie" },
    Release { version: PostgresVersion(17), debian: "trixie" },
    Release { version: PostgresVersion(16), debian: "trixie" },
    Release { version: PostgresVersion(15), debian: "trixie" },
];

impl PostgresVersion {
    /// The versions on offer, newest first.
    pub fn offered() -> impl Iterator<Item = Self> {
        RELEASES.iter().map(|release| release.version)
    }

    /// Its line in the table; `None` if it is not on offer.
    #[must_use]
    pub fn release(self) -> Option<&'static Release> {
        RELEASES.iter().find(|release| release.version == self)
    }

    /// The options of `initdb` for Unicode characters and a collation that does not change with the libraries of the system, which would
    /// corrupt indexes: from version 17 on PostgreSQL's own.
    #[must_use]
    pub fn locale_options(self) -> &'static [&'static str] {
        if self.0 >= 17 {
            &["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        } else {
            &["--encoding=UTF8", "--locale=C.UTF-8"]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(RELEASES.is_sorted_by(|newer, older| newer.version > older.version), "newest first, each once");
        assert!(PostgresVersion::offered().all(|version| version.release().is_some_and(|release| !release.debian.is_empty())));
        assert_eq!(PostgresVersion(14).release(), None, "its support ended in November 2026");
    }
}
