//! The rules of one kind of operation, as data.

use super::{Step, StepName};
use crate::instance::InstanceState;

/// The rules of one kind of operation. The store applies them when an operation is accepted, cancelled and finished.
#[derive(Debug)]
pub struct Policy {
    /// The steps, in order: the plan that clients see from the start. A step that is not planned is added when it begins.
    pub steps: &'static [StepName],
    /// The states of the instance in which the operation is accepted. A creation that makes a new instance needs none; its
    /// states are those in which it can be retried.
    pub from: &'static [InstanceState],
    /// The state of the instance while the operation runs; `None` leaves the state alone.
    pub during: Option<InstanceState>,
    /// The state of the instance after a success.
    pub success: InstanceAfter,
    /// What a failure leads to.
    pub failure: OnFailure,
    /// Until when, and how, it can be cancelled.
    pub cancellation: Cancellation,
    /// Whether it ends every other operation of the instance.
    pub supersedes: bool,
    /// Whether it excludes other excluding operations of the same instance.
    pub excludes: bool,
    /// Whether deletion protection refuses it.
    pub refused_when_protected: bool,
}

/// The state of an instance after an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceAfter {
    /// This one.
    State(InstanceState),
    /// The one it had before.
    Former,
}

/// What a failure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The operation ends as failed, and the instance is in this state, with the reason.
    End(InstanceAfter),
    /// The operation goes on, with the reason visible, until it succeeds. It has no deadline.
    KeepTrying,
}

/// Until when, and how, an operation can be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancellation {
    /// At any time. The workflow is told; it cleans up and ends the operation.
    ByWorkflow,
    /// Until this step has begun. The workflow is told; it puts back what it has changed, and ends the operation.
    ByWorkflowBefore(StepName),
    /// Until this step has begun. The operation ends at once, and the instance has the state it had before.
    Before(StepName),
}

impl Cancellation {
    /// Whether the workflow is told, which then ends the operation.
    #[must_use]
    pub fn is_by_workflow(self) -> bool {
        matches!(self, Self::ByWorkflow | Self::ByWorkflowBefore(_))
    }
}

impl Policy {
    /// The steps that a new operation begins with.
    #[must_use]
    pub fn plan(&self) -> Vec<Step> {
        self.steps.iter().map(|name| Step::planned(*name)).collect()
    }

    /// Whether the operation has a deadline.
    #[must_use]
    pub fn expires(&self) -> bool {
        self.failure != OnFailure::KeepTrying
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::OperationKind;

    #[test]
    fn the_policies_make_sense() {
        for kind in OperationKind::ALL {
            let policy = kind.policy();
            assert!(!policy.steps.is_empty(), "{kind} has no steps");
            assert!(!policy.from.contains(&InstanceState::Deleted), "{kind}: nothing leads back from deletion");
            if let Some(during) = policy.during {
                assert!(policy.excludes, "{kind} changes the state, so it must exclude others that do");
                assert!(policy.from.iter().all(|from| *from != during || policy.supersedes), "{kind} is accepted while it runs");
            }
            if policy.during.is_none() {
                assert_eq!(policy.success, InstanceAfter::Former, "{kind} leaves the state alone");
            }
            if let Cancellation::Before(step) | Cancellation::ByWorkflowBefore(step) = policy.cancellation {
                assert!(policy.steps.contains(&step), "{kind} can be cancelled until a step that it does not have");
            }
        }
    }

    #[test]
    fn every_transitional_state_belongs_to_a_kind() {
        for state in InstanceState::ALL.iter().filter(|state| state.is_transitional()) {
            assert!(OperationKind::ALL.iter().any(|kind| kind.policy().during == Some(*state)), "no operation leads to {state}");
        }
        for kind in OperationKind::ALL {
            assert!(kind.policy().during.is_none_or(InstanceState::is_transitional), "{kind} runs in a state that is not transitional");
        }
    }
}
