//! The steps of an operation, as clients see them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::instance::{Reason, text_enum};

/// One step of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which step.
    pub name: StepName,
    /// How far it is.
    pub status: StepStatus,
    /// How often it was begun. Polling something that is in progress is no new attempt.
    pub attempt: i32,
    /// When it began first.
    pub started_at: Option<DateTime<Utc>>,
    /// When it finished, or, while it runs, when an attempt failed that will be repeated.
    pub finished_at: Option<DateTime<Utc>>,
    /// The last error, or what the step waits for.
    pub error: Option<Reason>,
    /// What it found, a sentence each, where that differs from one time to another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

impl Step {
    /// A step that has not begun.
    #[must_use]
    pub fn planned(name: StepName) -> Self {
        Self { name, status: StepStatus::Pending, attempt: 0, started_at: None, finished_at: None, error: None, findings: Vec::new() }
    }

    /// Begins an attempt.
    pub fn begin(&mut self) {
        self.status = StepStatus::Running;
        self.attempt += 1;
        self.started_at.get_or_insert_with(Utc::now);
        self.finished_at = None;
    }

    /// Continues the present attempt, or begins one if none is in progress.
    pub fn resume(&mut self) {
        if self.status != StepStatus::Running || self.finished_at.is_some() {
            self.begin();
        }
    }
}

text_enum! {
    /// The steps that operations consist of.
    pub enum StepName {
        /// Create the objects of the instance in the runtime, or repair them.
        DeployPostgres,
        /// Wait until the runtime reports that the instance is ready.
        GetInstanceStatus,
        /// Make the roles and the database of a new instance, find out how clients connect, and log in once.
        GenerateConnectionString,
        /// Write the result to the metadata.
        UpdateMetadata,
        /// Stop the workflows that still work on the instance.
        StopWorkflows,
        /// Remove the objects of the instance and wait until they are gone.
        DeletePostgres,
        /// Remove what a failed creation made.
        CleanUp,
        /// Stop the server, and start it again.
        RestartPostgres,
        /// Put back what differs from what was deployed.
        RepairPostgres,
        /// Stop the server, and keep it stopped.
        StopPostgres,
        /// Start the server of a suspended instance. For an upgrade, without letting clients in.
        StartPostgres,
        /// Grow the volume, and change the CPU and the memory of the server.
        ResizePostgres,
        /// Wait until the server has read the settings that follow from its size.
        LoadConfiguration,
        /// Put back what ran before, after a failure, and wait until it is ready.
        RollBack,
        /// Give the server a changed configuration, which it reads if it need not be restarted for it.
        ApplyConfiguration,
        /// Ask the server whether it has the changed configuration.
        VerifyConfiguration,
        /// Give the owner's role the new password.
        SetPassword,
        /// Log in with the new password, and end other sessions of the role if that was asked for.
        ConfirmPassword,
        /// Put the former password back.
        RestorePassword,
        /// Make the role of the user, with what it is granted.
        CreateDatabaseUser,
        /// Reassign what the user owns, and drop its role.
        DropDatabaseUser,
        /// Make the database.
        CreateDatabase,
        /// Drop the database.
        DropDatabase,
        /// Wait until the base backup, and the WAL that it needs, are in the store.
        TakeBackup,
        /// Stop the server, and wait until everything that it has committed is in the store. After a few minutes the deletion goes on without.
        CloseArchive,
        /// Fetch the data from the store, or copy it from the source, replay the WAL, and remove the passwords of the source.
        RestoreData,
        /// Find out whether the instance can be upgraded.
        CheckUpgrade,
        /// Stop the server, upgrade its data to the new version next to the former, start the new server without letting clients in, and log in.
        UpgradePostgres,
        /// Decide for the new version, and let clients in. The former data is removed.
        ConfirmUpgrade,
        /// Collect the statistics of every database that the planner needs.
        AnalyzeDatabases,
    }
}

text_enum! {
    /// How far a step is.
    pub enum StepStatus {
        /// Not begun.
        Pending,
        /// In progress.
        Running,
        /// Done.
        Succeeded,
        /// It did not work.
        Failed,
        /// Not needed.
        Skipped,
    }
}
