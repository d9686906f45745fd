//! Settings of PostgreSQL that the platform makes, whatever the host: those that are the same in every instance, which an owner cannot
//! change because that takes a superuser, and those that follow from the size of an instance.

use crate::{instance::PostgresVersion, server_log};

/// Sessions of all roles together.
pub const MAX_CONNECTIONS: u16 = 100;

/// Sessions that only a superuser can open.
pub const SUPERUSER_RESERVED: u16 = 3;

/// Sessions that only the monitor can open: a kept one and a login of each of several servers of the control plane.
pub const MONITOR_RESERVED: u16 = 8;

/// A library that is preloaded if the installation has it. It belongs to PostgreSQL's contrib modules.
pub const STATISTICS_LIBRARY: &str = "pg_stat_statements";

/// The first version with `reserved_connections`. Before, the owner's role gets a limit instead: see [`owner_connections`].
const RESERVED_CONNECTIONS: u16 = 16;

/// The settings, each with its value as it is written in `postgresql.conf`.
#[must_use]
pub fn settings(version: PostgresVersion, has_statistics: bool) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("max_connections", MAX_CONNECTIONS.to_string()),
        ("superuser_reserved_connections", SUPERUSER_RESERVED.to_string()),
        ("password_encryption", "'scram-sha-256'".to_owned()),
        // Statements are not logged, because the log would contain the password of a failed `ALTER ROLE ... PASSWORD`.
        ("log_statement", "'none'".to_owned()),
        ("log_min_error_statement", "'panic'".to_owned()),
        // The platform reads the log: it has one form, in one language, and goes where the host reads it.
        ("log_line_prefix", format!("'{}'", server_log::LINE_PREFIX.replace('\t', "\\t"))),
        ("log_timezone", "'UTC'".to_owned()),
        ("lc_messages", "'C'".to_owned()),
        ("log_destination", "'stderr'".to_owned()),
        ("logging_collector", "off".to_owned()),
        ("log_error_verbosity", "'default'".to_owned()),
        ("log_min_messages", "'warning'".to_owned()),
    ];
    if version.0 >= RESERVED_CONNECTIONS {
        settings.push(("reserved_connections", MONITOR_RESERVED.to_string()));
    }
    if has_statistics {
        settings.push(("shared_preload_libraries", format!("'{STATISTICS_LIBRARY}'")));
    }
    settings
}

/// What an instance has of the processors and the memory of its host.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Thousandths of a processor.
    pub cpu_millis: i32,
    /// MiB.
    pub memory_mb: i32,
}

impl Size {
    /// The settings that follow from the memory. `most_buffers_mb` is the most that an instance may take for itself.
    ///
    /// A quarter of the memory for the server's own buffers and the rest for the cache of the operating system is what PostgreSQL's
    /// documentation recommends.
    #[must_use]
    pub fn memory_settings(self, most_buffers_mb: i64) -> [(&'static str, String); 4] {
        let memory = i64::from(self.memory_mb).max(64);
        [
            ("shared_buffers", format!("{}MB", (memory / 4).clamp(16, most_buffers_mb))),
            ("effective_cache_size", format!("{}MB", memory * 3 / 4)),
            ("work_mem", format!("{}kB", (memory * 1024 / 400).clamp(1024, 65_536))),
            ("maintenance_work_mem", format!("{}MB", (memory / 16).clamp(16, 512))),
        ]
    }

    /// The settings that follow from the processors.
    #[must_use]
    pub fn parallel_settings(self) -> [(&'static str, String); 3] {
        let cores = (i64::from(self.cpu_millis) + 999) / 1000;
        [
            ("max_parallel_workers", cores.clamp(0, 8).to_string()),
            ("max_parallel_workers_per_gather", (cores / 2).clamp(0, 4).to_string()),
            ("max_parallel_maintenance_workers", (cores / 2).clamp(0, 4).to_string()),
        ]
    }
}

/// Settings as lines of `postgresql.conf`.
#[must_use]
pub fn lines(settings: &[(&str, String)]) -> String {
    settings.iter().map(|(name, value)| format!("{name} = {value}\n")).collect()
}

/// The limit of the owner's role in a server with these settings: `None` if the server reserves connections itself. Before version 16
/// the owner cannot create other roles, so the limit is one for all clients.
#[must_use]
pub fn owner_connections(version: PostgresVersion, max_connections: u16, superuser_reserved: u16) -> Option<u16> {
    (version.0 < RESERVED_CONNECTIONS).then(|| max_connections.saturating_sub(superuser_reserved).saturating_sub(MONITOR_RESERVED).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_keeps_connections_for_the_platform() {
        for version in [15, 16, 17, 18].map(PostgresVersion) {
            let reserved = settings(version, true).iter().any(|(name, value)| *name == "reserved_connections" && value == "8");
            assert_ne!(reserved, owner_connections(version, MAX_CONNECTIONS, SUPERUSER_RESERVED) == Some(89), "{version}");
        }
        assert_eq!(owner_connections(PostgresVersion(15), 4, 3), Some(1));
    }
}
