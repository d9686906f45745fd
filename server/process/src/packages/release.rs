//! Releases of PostgreSQL, and the packages that have them.

use std::{fmt, str::FromStr};

use toygres_domain::instance::PostgresVersion;

/// A release of PostgreSQL, as `18.4`, or the newest one of a major version, as `18`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// The major version.
    pub major: PostgresVersion,
    minor: Option<u16>,
}

impl Release {
    /// The newest release of a major version.
    #[must_use]
    pub fn newest_of(major: PostgresVersion) -> Self {
        Self { major, minor: None }
    }

    /// Whether it is one release, and not the newest one.
    pub(super) fn is_exact(self) -> bool {
        self.minor.is_some()
    }

    /// Whether a version such as `18.4` is this release.
    pub(super) fn is(self, version: &str) -> bool {
        version.parse::<Self>().is_ok_and(|that| that.major == self.major && (self.minor.is_none() || self.minor == that.minor))
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (major, minor) = match text.split_once('.') {
            Some((major, minor)) => (major.parse(), minor.parse().map(Some)),
            None => (text.parse(), Ok(None)),
        };
        match (major, minor) {
            (Ok(major), Ok(minor)) => Ok(Self { major: PostgresVersion(major), minor }),
            _ => Err("it must be a major version or a release of PostgreSQL, for example 18 or 18.4".to_owned()),
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            Some(minor) => write!(f, "{}.{minor}", self.major),
            None => write!(f, "{}", self.major),
        }
    }
}

/// The newest of these versions of a package that has the release. The packages of a release such as `18.4.0-beta.17` differ in their
/// last numbers; the first ones, called alpha, were experiments.
pub(super) fn newest(versions: &[String], release: Release) -> Option<&str> {
    let numbers = |version: &str| version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect::<Vec<u32>>();
    let suits = |version: &&String| {
        let mut parts = version.splitn(3, '.');
        let name = parts.next().zip(parts.next()).map(|(major, minor)| format!("{major}.{minor}"));
        !version.contains("alpha") && name.is_some_and(|name| release.is(&name))
    };
    versions.iter().filter(suits).max_by_key(|version| numbers(version)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_package_of_a_release_is_chosen() {
        let versions: Vec<_> = ["18.4.0-beta.9", "18.4.0-beta.17", "18.3.0-beta.20", "18.10.0-beta.2", "18.11.0-alpha.1", "1.8.0", "17.4.0-beta.99"]
            .map(str::to_owned)
            .into();
        for (release, expected) in [("18", Some("18.10.0-beta.2")), ("18.4", Some("18.4.0-beta.17")), ("18.5", None), ("16", None)] {
            assert_eq!(newest(&versions, release.parse().unwrap()), expected, "{release}");
        }
    }

    #[test]
    fn releases_are_written_as_postgresql_writes_them() {
        for text in ["18", "18.4"] {
            assert_eq!(text.parse::<Release>().unwrap().to_string(), text);
        }
        for text in ["", "latest", "18.", "18.4.0", "-1", "18.x"] {
            assert!(text.parse::<Release>().is_err(), "{text}");
        }
    }
}
