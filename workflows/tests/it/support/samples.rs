//! A sample of every kind of operation, for the suite in [`crate::saga`].

use std::fmt;

use toygres_domain::{
    InstanceId,
    backup::{ArchiveId, BackupId},
    database_user::DatabaseAccess,
    instance::PostgresVersion,
    name::SqlName,
    operation::{
        OperationKind, Params, create, create_backup, create_database, create_database_user, delete, drop_database, drop_database_user, repair,
        resize, restart, resume, rotate_password, set_parameters, suspend, upgrade,
    },
    restoration::{DataSource, Restoration, RestoreTarget},
};
use toygres_store::NewInstance;

/// The state of the instance before an operation.
pub enum Before {
    /// There is no instance: the operation creates it.
    Absent,
    Running,
    /// The health check has ended.
    Suspended,
    /// It has a user besides its owner.
    WithUser,
    /// It has another database.
    WithDatabase,
    /// It has an archive, which a worker owns that takes base backups at once.
    Archived,
    /// It has a base backup too, so that its archive is closed before it is removed.
    BackedUp,
    /// Its host has an update for it.
    Outdated,
}

/// How an operation of a kind is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// On an instance as [`sample`] needs it.
    Usual,
    /// On a suspended instance, although the kind is possible while it runs too.
    Suspended,
    /// Of an upgrade: within the major version.
    Minor,
}

/// What the suite runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub kind: OperationKind,
    pub variant: Variant,
}

impl Sample {
    /// Every kind, and updates within a major version. Those on suspended instances are in [`Plan::suspended`].
    pub fn all() -> Vec<Self> {
        let minor = Self { kind: OperationKind::Upgrade, variant: Variant::Minor };
        OperationKind::ALL.iter().map(Self::from).chain([minor]).collect()
    }

    /// The state of the instance before it, and its parameters.
    pub fn on(self, new: &NewInstance) -> (Before, Params) {
        let (before, params) = sample(self.kind, new);
        match (self.variant, params) {
            (Variant::Usual, params) => (before, params),
            (Variant::Suspended, params) => (Before::Suspended, params),
            (Variant::Minor, Params::Upgrade(params)) => {
                let version = new.spec.postgres_version;
                (Before::Outdated, Params::Upgrade(upgrade::Params { version, minor: true, ..params }))
            }
            (Variant::Minor, params) => panic!("{params:?} is no upgrade"),
        }
    }
}

impl From<&OperationKind> for Sample {
    fn from(kind: &OperationKind) -> Self {
        Self { kind: *kind, variant: Variant::Usual }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.variant {
            Variant::Usual => "",
            Variant::Suspended => " while suspended",
            Variant::Minor => " within the major version",
        };
        write!(f, "{}{how}", self.kind)
    }
}

/// An example of an operation of this kind, with names of its own. A new kind only needs an arm here.
fn sample(kind: OperationKind, new: &NewInstance) -> (Before, Params) {
    let owner = &new.spec.username;
    let name: SqlName = format!("{owner}_more").try_into().expect("it is a name");
    match kind {
        OperationKind::CreateDatabaseUser => {
            let (access, database) = (DatabaseAccess::ReadOnly, Some(new.spec.database.clone()));
            (Before::Running, Params::CreateDatabaseUser(create_database_user::Params { name, access, database }))
        }
        OperationKind::DropDatabaseUser => {
            (Before::WithUser, Params::DropDatabaseUser(drop_database_user::Params { name, reassign_to: owner.clone() }))
        }
        OperationKind::CreateDatabase => (Before::Running, Params::CreateDatabase(create_database::Params { name, owner: owner.clone() })),
        OperationKind::DropDatabase => (Before::WithDatabase, Params::DropDatabase(drop_database::Params { name, force: true })),
        OperationKind::CreateBackup => (Before::Archived, Params::CreateBackup(create_backup::Params { backup: BackupId::generate() })),
        OperationKind::Restore => {
            let (source, archive) = (InstanceId::generate(), ArchiveId::generate());
            let restoration = Restoration { source, archive, target: RestoreTarget::Latest, known: None, avoid: Vec::new(), clones: false };
            (Before::Absent, Params::Restore(DataSource::Archive(restoration)))
        }
        OperationKind::Upgrade => {
            let version = PostgresVersion(new.spec.postgres_version.0 + 1);
            (Before::Running, Params::Upgrade(upgrade::Params { version, check_only: false, minor: false, drop_logical_slots: false }))
        }
        OperationKind::Create => (Before::Absent, Params::Create(create::Params {})),
        OperationKind::Delete => (Before::BackedUp, Params::Delete(delete::Params { close_archive: true, ..delete::Params::default() })),
        OperationKind::Repair => (Before::Running, Params::Repair(repair::Params {})),
        OperationKind::Suspend => (Before::Running, suspension()),
        OperationKind::Resume => (Before::Suspended, Params::Resume(resume::Params {})),
        OperationKind::Resize => {
            (Before::Running, Params::Resize(resize::Params { cpu_millis: Some(200), memory_mb: Some(256), storage_gb: Some(2), automatic: false }))
        }
        // One that the server reads, and one that it has to be restarted for.
        OperationKind::SetParameters => {
            let changes = [("work_mem", "8MB"), ("max_connections", "50")].map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
            (Before::Running, Params::SetParameters(set_parameters::Params { changes: changes.into(), allow_restart: true }))
        }
        OperationKind::Restart => (Before::Running, Params::Restart(restart::Params { timeout_seconds: 60 })),
        OperationKind::RotatePassword => (Before::Running, Params::RotatePassword(rotate_password::Params { terminate_sessions: true })),
    }
}

pub fn suspension() -> Params {
    Params::Suspend(suspend::Params { timeout_seconds: 60, idle_minutes: None })
}
