//! The operations that the suite in [`crate::saga`] is applied to: every kind, and what it needs to know of each.

use std::time::Duration;

use toygres_domain::{
    InstanceId, OperationId, Result,
    operation::{OnFailure, OperationKind, OperationStatus, Params, create, delete, restart},
};
use toygres_store::{Accepted, NewInstance, Subject};

use super::{DEADLINE, FailureKind, Fault, Harness, fails};

/// The state of the instance before an operation.
enum Before {
    /// There is none: the operation creates it.
    Absent,
    Running,
}

/// How an operation of this kind is tried. A new kind needs an arm here, and nothing else.
fn sample(kind: OperationKind) -> (Before, Params) {
    match kind {
        OperationKind::Create => (Before::Absent, Params::Create(create::Params {})),
        OperationKind::Delete => (Before::Running, Params::Delete(delete::Params::default())),
        OperationKind::Restart => (Before::Running, Params::Restart(restart::Params { timeout_seconds: 60 })),
    }
}

/// An operation that can be accepted now, on an instance of its own.
pub struct Example {
    pub kind: OperationKind,
    pub instance: InstanceId,
    pub params: Params,
    new: Option<NewInstance>,
}

impl Example {
    pub async fn prepare(harness: &Harness, kind: OperationKind) -> Self {
        let (before, params) = sample(kind);
        let mut new = harness.new_instance();
        // Many run at the same time, and their health is not what is tested.
        new.spec.health_check.interval_seconds = 30;
        match before {
            Before::Absent => Self { kind, instance: new.id, params, new: Some(new) },
            Before::Running => {
                let instance = harness.run(new).await;
                harness.hooks.forget_calls(instance);
                Self { kind, instance, params, new: None }
            }
        }
    }

    /// The id that the operation will have.
    pub fn id(&self) -> OperationId {
        OperationId::new(self.kind, self.instance, if self.new.is_some() { 1 } else { 2 })
    }

    pub fn is_creation(&self) -> bool {
        self.new.is_some()
    }

    pub async fn accept(&self, harness: &Harness) -> OperationId {
        self.try_accept(harness, DEADLINE).await.expect("the operation is accepted").operation.id
    }

    pub async fn try_accept(&self, harness: &Harness, deadline: Duration) -> Result<Accepted> {
        let subject = self.new.as_ref().map_or(Subject::Existing(self.instance), Subject::New);
        harness.try_accept(subject, &self.params, deadline).await
    }
}

/// What the workflow of a kind of operation calls, as recorded.
#[derive(Clone, Debug)]
pub struct Plan {
    pub kind: OperationKind,
    /// The activities of a success, in order. The last one writes the end.
    pub steps: Vec<String>,
    /// The activities that follow a failure; none if the operation never fails.
    pub compensation: Vec<String>,
}

impl Plan {
    /// Records every kind of operation.
    pub async fn all(harness: &Harness) -> Vec<Self> {
        futures::future::join_all(OperationKind::ALL.iter().map(|kind| Self::record(harness, *kind))).await
    }

    async fn record(harness: &Harness, kind: OperationKind) -> Self {
        let example = Example::prepare(harness, kind).await;
        let operation = example.accept(harness).await;
        assert_eq!(harness.finished(&operation).await.status, OperationStatus::Succeeded, "{kind}");
        let mut plan = Self { kind, steps: called(harness, example.instance), compensation: Vec::new() };
        if plan.can_fail() {
            let example = Example::prepare(harness, kind).await;
            harness.hooks.inject(example.instance, [plan.failure()]);
            let operation = example.accept(harness).await;
            assert_eq!(harness.finished(&operation).await.status, OperationStatus::Failed, "{kind}");
            plan.compensation = called(harness, example.instance);
            plan.compensation.retain(|step| !plan.steps.contains(step));
        }
        plan
    }

    pub fn can_fail(&self) -> bool {
        self.kind.policy().failure != OnFailure::KeepTrying
    }

    /// The activity that writes the end of a success.
    pub fn last(&self) -> &str {
        self.steps.last().expect("an operation has steps")
    }

    /// The fault that makes the operation fail when it has done all but the last step.
    pub fn failure(&self) -> Fault {
        fails(&self.steps[self.steps.len() - 2], FailureKind::Failed).for_good()
    }
}

/// The labels of the calls so far, each once, in the order in which they came first.
fn called(harness: &Harness, id: InstanceId) -> Vec<String> {
    let mut labels = Vec::new();
    for call in harness.hooks.calls(id) {
        if !call.is_background() && !labels.contains(&call.label) {
            labels.push(call.label);
        }
    }
    labels
}
