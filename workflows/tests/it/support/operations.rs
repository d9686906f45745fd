//! The operations for the suite in [`crate::saga`]: an example of every kind.

use std::time::Duration;

use toygres_domain::{
    InstanceId, OperationId, Result,
    operation::{OnFailure, OperationKind, OperationStatus, Params, create, delete, repair, resize, restart, resume, set_parameters, suspend},
};
use toygres_store::{Accepted, NewInstance, Subject};

use super::{DEADLINE, FailureKind, Fault, Harness, fails};

/// The state of the instance before an operation.
enum Before {
    /// There is no instance: the operation creates it.
    Absent,
    Running,
    /// The health check has ended.
    Suspended,
}

/// An example of an operation of this kind. A new kind only needs an arm here.
fn sample(kind: OperationKind) -> (Before, Params) {
    match kind {
        OperationKind::Create => (Before::Absent, Params::Create(create::Params {})),
        OperationKind::Delete => (Before::Running, Params::Delete(delete::Params::default())),
        OperationKind::Repair => (Before::Running, Params::Repair(repair::Params {})),
        OperationKind::Suspend => (Before::Running, suspension()),
        OperationKind::Resume => (Before::Suspended, Params::Resume(resume::Params {})),
        OperationKind::Resize => {
            (Before::Running, Params::Resize(resize::Params { cpu_millis: Some(200), memory_mb: Some(256), storage_gb: Some(2) }))
        }
        // One that the server reads, and one that it has to be restarted for.
        OperationKind::SetParameters => {
            let changes = [("work_mem", "8MB"), ("max_connections", "50")].map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
            (Before::Running, Params::SetParameters(set_parameters::Params { changes: changes.into(), allow_restart: true }))
        }
        OperationKind::Restart => (Before::Running, Params::Restart(restart::Params { timeout_seconds: 60 })),
    }
}

fn suspension() -> Params {
    Params::Suspend(suspend::Params { timeout_seconds: 60, idle_minutes: None })
}

/// An operation that can be accepted, on a separate instance.
pub struct Example {
    pub kind: OperationKind,
    pub instance: InstanceId,
    pub params: Params,
    number: i64,
    new: Option<NewInstance>,
}

impl Example {
    pub async fn prepare(harness: &Harness, kind: OperationKind) -> Self {
        let (before, params) = sample(kind);
        let mut new = harness.new_instance();
        // Long, because many instances run concurrently and their health is not tested.
        new.spec.health_check.interval_seconds = 30;
        match before {
            Before::Absent => Self { kind, instance: new.id, params, number: 1, new: Some(new) },
            Before::Running => {
                let instance = harness.run(new).await;
                harness.hooks.forget_calls(instance);
                Self { kind, instance, params, number: 2, new: None }
            }
            Before::Suspended => {
                let instance = harness.run(new).await;
                let suspended = harness.accept(Subject::Existing(instance), suspension()).await;
                harness.assert_settled("it is suspended", &suspended).await;
                harness.hooks.forget_calls(instance);
                Self { kind, instance, params, number: 3, new: None }
            }
        }
    }

    /// The id that the operation will have.
    pub fn id(&self) -> OperationId {
        OperationId::new(self.kind, self.instance, self.number)
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

/// The recorded calls of the workflow of a kind of operation.
#[derive(Clone, Debug)]
pub struct Plan {
    pub kind: OperationKind,
    /// The activities of a success, in order. The last one writes the outcome.
    pub steps: Vec<String>,
    /// The activities of the compensation; empty if the operation must not fail.
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

    /// The activity that writes the success.
    pub fn last(&self) -> &str {
        self.steps.last().expect("an operation has steps")
    }

    /// The fault that makes the operation fail after all steps except the last.
    pub fn failure(&self) -> Fault {
        fails(&self.steps[self.steps.len() - 2], FailureKind::Failed).for_good()
    }
}

/// The labels of the calls, each once, in the order of their first call.
fn called(harness: &Harness, id: InstanceId) -> Vec<String> {
    let mut labels = Vec::new();
    for call in harness.hooks.calls(id) {
        if !call.is_background() && !labels.contains(&call.label) {
            labels.push(call.label);
        }
    }
    labels
}
