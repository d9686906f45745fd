//! The record of one operation.

use chrono::{DateTime, Utc};

use super::{Cancellation, InstanceAfter, OperationKind, Params, Step, StepName, StepStatus, set_parameters};
use crate::{
    InstanceId, OperationId,
    instance::{Instance, InstanceSpec, InstanceState, Reason, text_enum},
};

/// One accepted request and its progress.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `<kind>-<instance>-<n>`.
    pub id: OperationId,
    /// What it does, and with which parameters.
    pub params: Params,
    /// The instance it works on.
    pub instance: InstanceId,
    /// The state that the instance had before, if it existed.
    pub former_state: Option<InstanceState>,
    /// How far it is.
    pub status: OperationStatus,
    /// Which run of the workflow engine carries it out, from 1.
    pub run: i32,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Why it failed or was cancelled.
    pub error: Option<Reason>,
    /// Whether somebody asked to cancel it.
    pub cancel_requested: bool,
    /// Who requested it: the name of a caller's token, or why the control plane did. `None` for a caller without a token.
    pub requested_by: Option<String>,
    /// When it fails if it is not finished; `None` if it continues until it succeeds.
    pub deadline: Option<DateTime<Utc>>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When a workflow took it up.
    pub started_at: Option<DateTime<Utc>>,
    /// When the workflow engine was given the present run.
    pub dispatched_at: Option<DateTime<Utc>>,
    /// When it finished.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Operation {
    /// What it does.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        self.params.kind()
    }

    /// The workflow engine's id of the present run.
    #[must_use]
    pub fn engine_id(&self) -> String {
        self.id.engine_id(self.run)
    }

    /// The step of this name, if the operation has one.
    #[must_use]
    pub fn step(&self, name: StepName) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// What the instance is to be deployed with now: what the operation makes of `spec`, that of the instance, until it is reverted.
    #[must_use]
    pub fn target(&self, spec: &InstanceSpec) -> InstanceSpec {
        match &self.params {
            _ if self.is_reverting() => spec.clone(),
            // Its next start is the restart.
            Params::SetParameters(params) if self.keeps_stopped() => {
                Params::SetParameters(set_parameters::Params { allow_restart: true, ..params.clone() }).target(spec)
            }
            params => params.target(spec),
        }
    }

    /// Whether the instance is suspended before it and after it. Its server is not started meanwhile, except by an upgrade, which lets no
    /// client in then.
    #[must_use]
    pub fn keeps_stopped(&self) -> bool {
        self.former_state == Some(InstanceState::Suspended) && self.kind().policy().success == InstanceAfter::Former
    }

    /// Whether it has failed, and what ran before is being put back. Nothing leads forward any more.
    #[must_use]
    pub fn is_reverting(&self) -> bool {
        self.has_begun(StepName::RollBack)
    }

    /// Whether this step has begun.
    #[must_use]
    pub fn has_begun(&self, name: StepName) -> bool {
        self.step(name).is_some_and(|step| step.attempt > 0 || step.status != StepStatus::Pending)
    }

    /// Whether this step is done, or was found not to be needed.
    #[must_use]
    pub fn has_ended(&self, name: StepName) -> bool {
        self.step(name).is_some_and(|step| matches!(step.status, StepStatus::Succeeded | StepStatus::Skipped))
    }

    /// Whether a request to cancel it would be accepted now.
    #[must_use]
    pub fn can_cancel(&self) -> bool {
        !self.status.is_terminal()
            && match self.kind().policy().cancellation {
                Cancellation::ByWorkflow => true,
                Cancellation::ByWorkflowBefore(name) => !self.has_begun(name),
                Cancellation::Before(name) => {
                    // A state that belongs to another operation, which this one ended, cannot be given back.
                    let mut effects = self.kind().policy().steps.iter().skip_while(|step| **step != name);
                    self.former_state.is_some_and(|state| !state.is_transitional()) && !effects.any(|step| self.has_begun(*step))
                }
            }
    }

    /// Whether a request to try it again would be accepted now: it did not succeed, it is the latest operation of `instance`,
    /// and the state of `instance` allows another of its kind.
    #[must_use]
    pub fn can_retry(&self, instance: &Instance) -> bool {
        matches!(self.status, OperationStatus::Failed | OperationStatus::Cancelled)
            && self.id.number() == Some(instance.operation_count)
            && self.kind().policy().from.contains(&instance.state)
    }
}

text_enum! {
    /// How far an operation is.
    pub enum OperationStatus {
        /// Accepted; no workflow has taken it up yet.
        Pending,
        /// A workflow carries it out.
        Running,
        /// Done.
        Succeeded,
        /// It did not work; the error says why.
        Failed,
        /// It was cancelled, by a caller or by a later operation.
        Cancelled,
    }
}

impl OperationStatus {
    /// Whether nothing will change any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}
