//! An operation: one accepted mutation that takes time, and the record of how it goes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    InstanceId, OperationId,
    instance::{Reason, text_enum},
};

/// One accepted mutation and how far it got.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its identity.
    pub id: OperationId,
    /// What it does.
    pub kind: OperationKind,
    /// The instance it works on.
    pub instance: InstanceId,
    /// How it stands.
    pub status: OperationStatus,
    /// Which run of the engine carries it out, from 1.
    pub run: i32,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// Why it failed or was cancelled.
    pub error: Option<Reason>,
    /// Whether somebody asked to cancel it.
    pub cancel_requested: bool,
    /// Whether a deletion keeps the volumes.
    pub keep_volumes: bool,
    /// When it ends at the latest.
    pub deadline: DateTime<Utc>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When a workflow took it up.
    pub started_at: Option<DateTime<Utc>>,
    /// When the engine was given the present run.
    pub dispatched_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Operation {
    /// The engine's id of the present run.
    #[must_use]
    pub fn engine_id(&self) -> String {
        self.id.engine_id(self.run)
    }
}

text_enum! {
    /// What an operation does.
    pub enum OperationKind {
        /// Makes an instance.
        Create => "create",
        /// Removes an instance.
        Delete => "delete",
    }
}

impl OperationKind {
    /// The steps of this kind of operation, in order: the plan that a client sees from the first moment.
    #[must_use]
    pub fn plan(self) -> Vec<Step> {
        let names: &[StepName] = match self {
            Self::Create => &[StepName::DeployPostgres, StepName::GetInstanceStatus, StepName::GenerateConnectionString, StepName::UpdateMetadata],
            Self::Delete => &[StepName::StopWorkflows, StepName::DeletePostgres, StepName::UpdateMetadata],
        };
        names.iter().map(|name| Step::planned(*name)).collect()
    }
}

text_enum! {
    /// How an operation stands.
    pub enum OperationStatus {
        /// Accepted; no workflow yet.
        Pending => "pending",
        /// A workflow carries it out.
        Running => "running",
        /// Done.
        Succeeded => "succeeded",
        /// It did not work out; the error says why.
        Failed => "failed",
        /// It was cancelled, by a caller or by a later operation.
        Cancelled => "cancelled",
    }
}

impl OperationStatus {
    /// Whether nothing will change any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// One step of an operation, as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which step.
    pub name: StepName,
    /// How it stands.
    pub status: StepStatus,
    /// How often it was begun. Looking again at something under way is no new attempt.
    pub attempt: i32,
    /// When it was begun first.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, or, while it runs, when an attempt failed that will be repeated.
    pub finished_at: Option<DateTime<Utc>>,
    /// What went wrong last, or what it waits for.
    pub error: Option<Reason>,
}

impl Step {
    /// A step that has not begun.
    #[must_use]
    pub fn planned(name: StepName) -> Self {
        Self { name, status: StepStatus::Pending, attempt: 0, started_at: None, finished_at: None, error: None }
    }
}

text_enum! {
    /// The steps that operations are made of.
    pub enum StepName {
        /// Make or repair the instance's objects in the runtime.
        DeployPostgres => "deploy_postgres",
        /// Wait until the runtime says that it is ready.
        GetInstanceStatus => "get_instance_status",
        /// Find out how clients connect, and try it.
        GenerateConnectionString => "generate_connection_string",
        /// Write the result to the metadata.
        UpdateMetadata => "update_metadata",
        /// End the workflows that still work on the instance.
        StopWorkflows => "stop_workflows",
        /// Remove the instance's objects and wait until they are gone.
        DeletePostgres => "delete_postgres",
        /// Remove what a failed creation had made.
        CleanUp => "clean_up",
    }
}

text_enum! {
    /// How a step stands.
    pub enum StepStatus {
        /// Not begun.
        Pending => "pending",
        /// Under way.
        Running => "running",
        /// Done.
        Succeeded => "succeeded",
        /// Given up.
        Failed => "failed",
        /// Not needed any more.
        Skipped => "skipped",
    }
}
