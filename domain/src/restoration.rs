//! Restorations: what an instance is made from instead of nothing, and what makes it an instance of its own.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    InstanceId,
    backup::{ArchiveId, BackupId},
    instance::text_enum,
    name::SqlName,
    roles::SUPERUSER,
    scram,
    secret::Secret,
    wal::Lsn,
};

/// What a new instance gets its data from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub enum DataSource {
    /// An archive.
    Archive(Restoration),
    /// The data of another instance of the same host, as it is when it is copied.
    Instance {
        /// That instance.
        source: InstanceId,
        /// How it was copied; `None` until it is.
        method: Option<RestoreMethod>,
    },
}

impl DataSource {
    /// The instance whose data it is.
    #[must_use]
    pub fn instance(&self) -> InstanceId {
        match self {
            Self::Archive(restoration) => restoration.source,
            Self::Instance { source, method: _ } => *source,
        }
    }

    /// Whether the new instance is a clone of the other one as it is now.
    #[must_use]
    pub fn clones(&self) -> bool {
        match self {
            Self::Archive(restoration) => restoration.clones,
            Self::Instance { source: _, method: _ } => true,
        }
    }

    /// How the data gets into the new instance; `None` if that is not known yet.
    #[must_use]
    pub fn method(&self) -> Option<RestoreMethod> {
        match self {
            Self::Archive(_) => Some(RestoreMethod::Archive),
            Self::Instance { source: _, method } => *method,
        }
    }
}

text_enum! {
    /// How the data of a restored instance got there.
    pub enum RestoreMethod {
        /// From the archive of its source.
        Archive,
        /// The files of its source were cloned: both share the blocks that neither has changed since.
        Reflink,
        /// The files of its source were copied.
        Copy,
    }
}

/// What the metadata database keeps of a [`DataSource`]. A release that knows archives only can read it: to that one, a copy comes from an
/// archive that does not exist.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    restoration: Restoration,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    copied: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<RestoreMethod>,
}

impl From<DataSource> for Stored {
    fn from(from: DataSource) -> Self {
        match from {
            DataSource::Archive(restoration) => Self { restoration, copied: false, method: None },
            DataSource::Instance { source, method } => {
                let (archive, target) = (ArchiveId(Uuid::nil()), RestoreTarget::Latest);
                let restoration = Restoration { source, archive, target, known: None, avoid: Vec::new(), clones: false };
                Self { restoration, copied: true, method }
            }
        }
    }
}

impl From<Stored> for DataSource {
    fn from(Stored { restoration, copied, method }: Stored) -> Self {
        if copied { Self::Instance { source: restoration.source, method } } else { Self::Archive(restoration) }
    }
}

/// The point to restore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreTarget {
    /// Everything that is in the archive.
    #[default]
    Latest,
    /// A time, by the clock of the server of the source: what was committed by then, and nothing later.
    Time(DateTime<Utc>),
    /// A position in the WAL.
    Lsn(Lsn),
    /// The end of the base backup in this directory of the store.
    Backup(BackupId),
}

/// A point in an archive that an instance is restored from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restoration {
    /// The instance that was backed up.
    pub source: InstanceId,
    /// Its archive.
    pub archive: ArchiveId,
    /// The point to restore.
    pub target: RestoreTarget,
    /// What is known of the archive when the restoration begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownCoverage>,
    /// Base backups, by their directories, that are not restored from unless the target names one: their verification has failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<BackupId>,
    /// Whether it makes a clone of the source as it is now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clones: bool,
}

/// What the worker that follows an instance knows, and the store may not say: that nothing was committed for a while, and how far the archive
/// goes if nothing of it is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownCoverage {
    /// Whatever was committed by this time, by the clock of the server, lies before this position.
    pub at: DateTime<Utc>,
    /// The position, up to which the WAL is in the store.
    pub durable: Lsn,
}

/// Settings of `postgres --single`, which recovers a restored data directory and runs [`finishing_statements`]: a process that no client can
/// connect to. Settings on the command line take precedence over those in the data directory.
pub const RECOVERY_SETTINGS: [&str; 10] = [
    // The first error of a statement ends the program, instead of being skipped.
    "exit_on_error=on",
    "log_min_error_statement=panic",
    // Nobody reads meanwhile, so the values of `max_connections` and its siblings need not be those of the source.
    "hot_standby=off",
    // Its timer is not set up outside of the server: the program would end when it fires.
    "log_startup_progress_interval=0",
    "logging_collector=off",
    "archive_mode=off",
    "ssl=off",
    "shared_preload_libraries=",
    // A copy of a server that takes no writes has its `postgresql.auto.conf`.
    "default_transaction_read_only=off",
    // All files are synced together afterwards, by `initdb --sync-only`; what was interrupted before is begun anew.
    "fsync=off",
];

/// SQL that makes a recovered cluster independent of its source, one statement per line, for the superuser in the database `postgres` before
/// any client can connect: nobody can log in with a password of the source, and nothing is replicated from where the source does. The
/// superuser and the owner get their passwords. They are verifiers, from which no password follows.
///
/// The catalog of subscriptions is changed directly, because `ALTER SUBSCRIPTION` works in the database of the subscription only.
#[must_use]
pub fn finishing_statements(owner: &SqlName, owner_password: &Secret, superuser_password: &Secret) -> String {
    let roles = "SELECT rolname FROM pg_catalog.pg_authid WHERE rolpassword IS NOT NULL";
    let forget = "EXECUTE pg_catalog.format('ALTER ROLE %I PASSWORD NULL', role.rolname)";
    format!(
        "DO $$ DECLARE role record; BEGIN FOR role IN {roles} LOOP {forget}; END LOOP; END $$\n\
         UPDATE pg_catalog.pg_subscription SET subenabled = false, subslotname = NULL\n\
         ALTER ROLE {SUPERUSER} PASSWORD '{}'\n\
         ALTER ROLE \"{owner}\" PASSWORD '{}'\n",
        scram::verifier(superuser_password),
        scram::verifier(owner_password)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_one_line() {
        let secret = Secret::new("secret".to_owned());
        let statements = finishing_statements(&SqlName::role("app").unwrap(), &secret, &secret);
        assert_eq!(statements.lines().count(), 4, "{statements}");
        assert!(statements.contains("ALTER ROLE \"app\" PASSWORD 'SCRAM-SHA-256$4096:"), "{statements}");
        assert!(statements.contains("ALTER ROLE toygres PASSWORD 'SCRAM-SHA-256$4096:") && !statements.contains("secret"), "{statements}");
    }

    #[test]
    fn a_source_of_data_is_read_as_it_is_written_and_by_a_release_without_copies() {
        let source = InstanceId::generate();
        let (archive, target) = (ArchiveId::generate(), RestoreTarget::Latest);
        let archive = Restoration { source, archive, target, known: None, avoid: Vec::new(), clones: false };
        let text = |from: &DataSource| serde_json::to_string(from).unwrap();
        // Nothing is added to what comes from an archive.
        assert_eq!(text(&DataSource::Archive(archive.clone())), serde_json::to_string(&archive).unwrap());
        for method in [None, Some(RestoreMethod::Reflink)] {
            let copy = DataSource::Instance { source, method };
            assert_eq!(serde_json::from_str::<DataSource>(&text(&copy)).unwrap(), copy);
            assert_eq!(serde_json::from_str::<Restoration>(&text(&copy)).unwrap().source, source);
        }
        let clone = DataSource::Archive(Restoration { clones: true, ..archive.clone() });
        assert!(clone.clones() && DataSource::Instance { source, method: None }.clones());
        assert_eq!(serde_json::from_str::<DataSource>(&text(&clone)).unwrap(), clone);
        let archive = DataSource::Archive(archive);
        assert!(!archive.clones());
        assert_eq!(serde_json::from_str::<DataSource>(&text(&archive)).unwrap(), archive);
    }

    #[test]
    fn targets_are_read_as_they_are_written() {
        let time = "2026-11-29T10:15:00Z".parse().unwrap();
        for (target, text) in [
            (RestoreTarget::Latest, r#""latest""#),
            (RestoreTarget::Time(time), r#"{"time":"2026-11-29T10:15:00Z"}"#),
            (RestoreTarget::Lsn(Lsn(0x0300_0028)), r#"{"lsn":"0/3000028"}"#),
        ] {
            assert_eq!(serde_json::to_string(&target).unwrap(), text);
            assert_eq!(serde_json::from_str::<RestoreTarget>(text).unwrap(), target);
        }
    }
}
