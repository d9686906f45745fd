//! Names that people choose: of instances, roles and databases. Each is parsed once, at the edge.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::roles::RESERVED_PREFIX;

/// The name of an instance: a DNS label (RFC 1123: lower-case letters, digits and hyphens, 1 to 63 characters, starting
/// with a letter and not ending with a hyphen), because it becomes the name of the service that clients connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceName(String);

impl FromStr for InstanceName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let label = !text.is_empty()
            && text.len() <= 63
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-');
        if label {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, starting with a letter and not ending with a hyphen".to_owned())
        }
    }
}

/// The name of a PostgreSQL role or database that needs no quoting and clashes with nothing PostgreSQL keeps for itself:
/// lower-case letters, digits and underscores, starting with a letter or underscore, at most 63 bytes
/// (`NAMEDATALEN - 1`), neither `pg_...` nor a reserved word. People cannot choose one that starts with [`RESERVED_PREFIX`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SqlName(String);

/// The reserved key words of PostgreSQL 14 to 18 (appendix C of its manual: "reserved", "reserved (can be function or
/// type)"), which cannot name a role or a database without quotes.
const RESERVED_WORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

impl SqlName {
    fn parse(text: &str, taken: &[&str]) -> Result<Self, String> {
        let plain = !text.is_empty()
            && text.len() <= 63
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && !text.starts_with(|c: char| c.is_ascii_digit());
        if !plain {
            return Err(
                "must be 1 to 63 lower-case letters, digits or underscores, not starting with a digit, so that it needs no quoting".to_owned()
            );
        }
        if text.starts_with("pg_") || taken.contains(&text) || RESERVED_WORDS.contains(&text) {
            return Err(format!("'{text}' is reserved by PostgreSQL; choose another name"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Parses the name of a login role. `postgres`, `public` and `none` are taken by PostgreSQL.
    ///
    /// # Errors
    /// A sentence that says what the name must look like.
    pub fn role(text: &str) -> Result<Self, String> {
        Self::parse(text, &["postgres", "public", "none"])?.not_reserved()
    }

    /// Parses the name of a database. `template0` and `template1` are taken by PostgreSQL; `postgres` exists already.
    ///
    /// # Errors
    /// A sentence that says what the name must look like.
    pub fn database(text: &str) -> Result<Self, String> {
        Self::parse(text, &["postgres", "template0", "template1"])?.not_reserved()
    }

    /// Refuses the names of the platform.
    fn not_reserved(self) -> Result<Self, String> {
        if self.0.starts_with(RESERVED_PREFIX) {
            return Err(format!("names that start with '{RESERVED_PREFIX}' are reserved for the control plane; choose another name"));
        }
        Ok(self)
    }
}

macro_rules! text_newtype {
    ($($name:ident),*) => {$(
        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    )*};
}
text_newtype!(InstanceName, SqlName);

impl TryFrom<String> for InstanceName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl TryFrom<String> for SqlName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text, &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_names_are_dns_labels() {
        for good in ["a", "orders", "a-1", "x".repeat(63).as_str()] {
            assert!(good.parse::<InstanceName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "1a", "A", "a_b", "a.b", "ä", "x".repeat(64).as_str()] {
            assert!(bad.parse::<InstanceName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn roles_need_no_quotes_and_clash_with_nothing() {
        for good in ["app", "_x", "a1", "app_owner"] {
            assert!(SqlName::role(good).is_ok(), "{good}");
        }
        for bad in ["", "postgres", "pg_read_all_data", "user", "select", "App", "a-b", "1a", "a b", "a\"b", "public"] {
            assert!(SqlName::role(bad).is_err(), "{bad}");
        }
        for bad in ["template1", "postgres", "pg_data", "toygres", "toygres_monitor", "toygres2"] {
            assert!(SqlName::database(bad).is_err(), "{bad}");
        }
        let reserved = SqlName::role("toygres_replication").unwrap_err();
        assert!(reserved.contains("reserved for the control plane"), "{reserved}");
        assert!(SqlName::try_from("toygres_app".to_owned()).is_ok(), "an earlier release took it");
    }
}
