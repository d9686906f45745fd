//! The settings with which PostgreSQL recovers a restored data directory.

use std::{fmt::Write as _, path::Path};

use chrono::{DateTime, Utc};
use toygres_domain::wal::{Lsn, Timeline};

use crate::{BackupError, listing::StandbySettings};

/// Where recovery stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Before the first transaction that ended after this time.
    Time(DateTime<Utc>),
    /// After the record at this position.
    Lsn(Lsn),
    /// As soon as the base backup is consistent.
    Consistent,
    /// At the end of the WAL. A target that no record lies behind means this: PostgreSQL fails if it does not reach its target.
    EndOfWal,
}

/// The settings of a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverySettings {
    /// Where it stops.
    pub stop: Stop,
    /// The timeline that it follows.
    pub timeline: Timeline,
    /// What settings must be at least.
    pub standby: StandbySettings,
}

const FILE: &str = "postgresql.auto.conf";
const BEGIN: &str = "# Recovery, written by toygres: removed when it has ended.\n";
const END: &str = "# End of the settings of the recovery.\n";

impl RecoverySettings {
    /// The settings, as `postgresql.conf` has them, without quotes. Those of the command line take precedence over files, so a server that
    /// gets settings there must get the higher of both.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let Self { stop, timeline, standby } = self;
        let mut settings = vec![
            // All the WAL that is needed lies in pg_wal.
            ("restore_command", "false".to_owned()),
            ("recovery_target_timeline", timeline.to_string()),
            ("recovery_target_action", "promote".to_owned()),
            // Nothing of the source is used, whatever its owner has set.
            ("primary_conninfo", String::new()),
            ("primary_slot_name", String::new()),
            ("archive_mode", "off".to_owned()),
            ("archive_cleanup_command", String::new()),
            ("recovery_end_command", String::new()),
            ("recovery_target", String::new()),
            ("recovery_target_name", String::new()),
            ("recovery_target_xid", String::new()),
            ("recovery_target_time", String::new()),
            ("recovery_target_lsn", String::new()),
            ("recovery_target_inclusive", "on".to_owned()),
        ];
        let target = match stop {
            Stop::Time(time) => Some(("recovery_target_time", time.format("%Y-%m-%d %H:%M:%S%.6f+00").to_string())),
            Stop::Lsn(lsn) => Some(("recovery_target_lsn", lsn.to_string())),
            Stop::Consistent => Some(("recovery_target", "immediate".to_owned())),
            Stop::EndOfWal => None,
        };
        // Two targets are refused, also when one is empty and comes later, so each is named once.
        if let Some(target) = target {
            settings.retain(|(name, _)| *name != target.0);
            settings.push(target);
        }
        settings.extend(standby.named().into_iter().filter(|(_, value)| *value > 0).map(|(name, value)| (name, value.to_string())));
        settings
    }

    /// Writes them into a data directory.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, data: &Path) -> Result<(), BackupError> {
        Self::remove(data)?;
        let mut text = read(data)?;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(BEGIN);
        for (name, value) in self.settings() {
            let _ = writeln!(text, "{name} = '{}'", value.replace('\'', "''"));
        }
        text.push_str(END);
        write(data, &text)?;
        std::fs::write(data.join("recovery.signal"), "").map_err(BackupError::io("writing recovery.signal"))
    }

    /// Removes them, once recovery has ended. What was set before is in force again.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn remove(data: &Path) -> Result<(), BackupError> {
        let text = read(data)?;
        let Some((before, rest)) = text.split_once(BEGIN) else { return Ok(()) };
        let after = rest.split_once(END).map_or("", |(_, after)| after);
        write(data, &format!("{before}{after}"))
    }
}

fn read(data: &Path) -> Result<String, BackupError> {
    match std::fs::read(data.join(FILE)) {
        Ok(content) => String::from_utf8(content).map_err(|_| BackupError::Damaged(format!("{FILE} is not in UTF-8"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(BackupError::io(format!("reading {FILE}"))(error)),
    }
}

fn write(data: &Path, text: &str) -> Result<(), BackupError> {
    std::fs::write(data.join(FILE), text).map_err(BackupError::io(format!("writing {FILE}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE), "work_mem = '8MB'").unwrap();
        let standby = StandbySettings { max_connections: 150, ..StandbySettings::default() };
        let time = "2026-11-29T05:44:31.5Z".parse().unwrap();
        let settings = RecoverySettings { stop: Stop::Time(time), timeline: Timeline(2), standby };
        settings.write(directory.path()).unwrap();
        settings.write(directory.path()).unwrap();
        let text = std::fs::read_to_string(directory.path().join(FILE)).unwrap();
        assert_eq!(text.matches("recovery_target_time = '2026-11-29 05:44:31.500000+00'\n").count(), 1, "{text}");
        assert!(text.contains("max_connections = '150'\n") && !text.contains("max_wal_senders"), "{text}");
        RecoverySettings::remove(directory.path()).unwrap();
        assert_eq!(std::fs::read_to_string(directory.path().join(FILE)).unwrap(), "work_mem = '8MB'\n");
    }
}
