//! What packages of PostgreSQL may lack.

use toygres_domain::{parameter::PRELOADABLE, server_settings::STATISTICS_LIBRARY};

use super::Installation;

/// A part of PostgreSQL that an installation lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPart {
    /// A program, an extension, or `TLS`.
    pub name: &'static str,
    /// What is not possible without it.
    pub needed_for: &'static str,
}

impl Installation {
    /// The parts that it lacks.
    #[must_use]
    pub fn missing_parts(&self) -> Vec<MissingPart> {
        let program = |name, needed_for| (!self.has_program(name)).then_some(MissingPart { name, needed_for });
        let library = |name, needed_for| (!self.has_library(name)).then_some(MissingPart { name, needed_for });
        let preloadable = PRELOADABLE.iter().filter(|name| **name != STATISTICS_LIBRARY);
        [
            program("pg_upgrade", "upgrades of instances to this version"),
            program("pg_verifybackup", "checks of a base backup by hand"),
            (!self.tls).then_some(MissingPart { name: "TLS", needed_for: "encrypted connections" }),
            library("amcheck", "verification of backups"),
            library(STATISTICS_LIBRARY, "statistics of queries"),
        ]
        .into_iter()
        .chain(preloadable.map(|name| library(name, "shared_preload_libraries")))
        .flatten()
        .collect()
    }

    /// Whether it has this program.
    #[must_use]
    pub fn has_program(&self, name: &str) -> bool {
        self.program(name).is_file()
    }
}
