//! The invariants at the end of every operation.

use std::time::Instant;

use toygres_domain::{
    InstanceId, OperationId,
    event::{Event, EventKind},
    health::HealthCheck,
    instance::{HealthStatus, InstanceState, ReasonCode},
    operation::{Cancellation, InstanceAfter, OnFailure, Operation, OperationStatus, StepStatus},
};
use toygres_postgres::{Target, passwords};
use toygres_store::PageRequest;

use super::{Harness, eventually, fake_runtime::size_of, waiting::TIMEOUT, with_retry};

/// Whether a cancellation ended the operation immediately, before it had an effect.
fn is_reverted(operation: &Operation) -> bool {
    operation.status == OperationStatus::Cancelled && matches!(operation.kind().policy().cancellation, Cancellation::Before(_))
}

/// The state of the instance that the policy defines for this outcome of the operation.
fn state_after(operation: &Operation) -> InstanceState {
    let policy = operation.kind().policy();
    let after = match (operation.status, policy.failure) {
        (OperationStatus::Succeeded, _) => policy.success,
        _ if is_reverted(operation) => InstanceAfter::Former,
        (_, OnFailure::End(after)) => after,
        (_, OnFailure::KeepTrying) => panic!("{operation:?} never fails"),
    };
    match after {
        InstanceAfter::State(state) => state,
        InstanceAfter::Former => operation.former_state.expect("the instance had a state before"),
    }
}

impl Harness {
    /// Asserts the invariants at the end of the latest operation of an instance: the state is that of the policy, the reason is
    /// stored, the runtime has objects if and only if the instance is running or suspended, its server is kept stopped if it is
    /// suspended, and no workflow is left except one HealthCheck of a running instance.
    pub async fn assert_settled(&self, case: &str, id: &OperationId) -> Operation {
        let operation = self.finished(id).await;
        let instance = self.instance(operation.instance).await;
        let expected = state_after(&operation);
        assert_eq!(instance.state, expected, "{case}: {operation:?}");
        let succeeded = operation.status == OperationStatus::Succeeded;
        assert_eq!(operation.error.is_none(), succeeded, "{case}: an operation that did not succeed says why: {operation:?}");
        // The reason is taken from the event, because the next health check of a running instance may remove it from the row.
        let mut changes = self.events(instance.id).await.into_iter().filter(|event| event.kind == EventKind::StateChanged);
        let last = changes.next_back().expect("the operation, or one before it, changed the state");
        assert_eq!(last.to.as_deref(), Some(expected.as_str()), "{case}: {last:?}");
        if operation.kind().policy().during.is_none() {
            assert_eq!(instance.reason, None, "{case}: the operation left the instance alone");
        } else if is_reverted(&operation) {
            let has_reason = matches!(expected, InstanceState::Failed | InstanceState::Suspended);
            assert_eq!(last.reason.is_some(), has_reason, "{case}: it has the reason it had before: {last:?}");
        } else if expected == InstanceState::Suspended && succeeded {
            assert_eq!(last.reason.as_ref().map(|reason| reason.code), Some(ReasonCode::Suspended), "{case}: it says why nobody can connect");
        } else {
            assert_eq!(last.reason, operation.error, "{case}: the reason is kept");
        }
        if expected == InstanceState::Failed {
            assert_eq!(instance.reason, last.reason, "{case}: the reason is kept");
        }
        for step in &operation.steps {
            let ended = matches!(step.status, StepStatus::Succeeded | StepStatus::Failed | StepStatus::Skipped);
            assert!(ended, "{case}: {step:?} of an operation that is finished");
            assert!(!succeeded || step.error.is_none(), "{case}: {step:?}");
        }
        // The reason includes what could not be cleaned up, or put back.
        if !last.reason.as_ref().is_some_and(|reason| reason.message.contains("failed too")) {
            let exists = matches!(expected, InstanceState::Running | InstanceState::Suspended);
            assert_eq!(self.runtime.exists(instance.id), exists, "{case}: {operation:?}");
            assert_eq!(self.runtime.is_suspended(instance.id), expected == InstanceState::Suspended, "{case}: {operation:?}");
            let size = self.runtime.size(instance.id);
            let version = self.runtime.version(instance.id);
            let expected = (instance.spec.postgres_version, true);
            assert!(version.is_none_or(|version| version == expected), "{case}: it runs as its row says, not {version:?}: {operation:?}");
            assert!(size.is_none_or(|size| size == size_of(&instance.spec)), "{case}: it runs as its row says, not with {size:?}: {operation:?}");
        }
        if expected == InstanceState::Deleted {
            assert_eq!(instance.connection_string, None, "{case}");
            assert!(self.store.credentials(instance.id).await.is_err(), "{case}: the passwords are deleted");
        }
        self.assert_workflows(case, instance.id).await;
        operation
    }

    /// Asserts that only the HealthCheck that the row names is running if the instance is running, and otherwise none.
    pub async fn assert_workflows(&self, case: &str, id: InstanceId) {
        let named = self.instance(id).await;
        let expected: Vec<String> = named.health_check_orchestration_id.filter(|_| named.state == InstanceState::Running).into_iter().collect();
        let started = Instant::now();
        loop {
            let live = self.live(id).await;
            if live == expected {
                return;
            }
            assert!(started.elapsed() < TIMEOUT, "{case}: live workflows are {live:?}, and should be {expected:?}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Asserts that the instance was never unhealthy, and that no check failed.
    pub async fn assert_no_outage(&self, case: &str, id: InstanceId) {
        self.assert_never_unhealthy(case, id).await;
        let failed = self.samples(id).await.into_iter().find(|sample| sample.status != HealthStatus::Healthy);
        assert!(failed.is_none(), "{case}: {failed:?}");
    }

    /// Asserts that the instance was never unhealthy. Single checks may have failed.
    pub async fn assert_never_unhealthy(&self, case: &str, id: InstanceId) {
        let unhealthy = self
            .events(id)
            .await
            .into_iter()
            .find(|event| event.kind == EventKind::HealthChanged && event.to.as_deref() == Some(HealthStatus::Unhealthy.as_str()));
        assert!(unhealthy.is_none(), "{case}: {unhealthy:?}");
    }

    /// Asserts that the server has the parameters that the row says, and none else, if there is a server.
    pub async fn assert_configured(&self, case: &str, id: InstanceId) {
        if self.runtime.exists(id) {
            assert_eq!(self.runtime.configured(id), self.instance(id).await.spec.parameters.values, "{case}: the new configuration or the former");
        }
    }

    /// Repeats every activity of the instance's operations after their end, and asserts that nothing changes.
    pub async fn assert_late_calls_change_nothing(&self, case: &str, id: InstanceId, operation: &OperationId) {
        self.hooks.clear(id);
        let (before, restarts) = (self.operation(operation).await, self.runtime.restarts(id).len());
        let (exists, instance) = (self.runtime.exists(id), self.instance(id).await);
        for call in self.hooks.calls(id) {
            if !call.is_background() {
                let _ = call.run().await;
            }
        }
        let (after, now) = (self.operation(operation).await, self.instance(id).await);
        assert_eq!((after.status, after.run, after.steps), (before.status, before.run, before.steps), "{case}: the record is closed");
        assert_eq!((now.state, now.endpoint, self.runtime.exists(id)), (instance.state, instance.endpoint, exists), "{case}");
        assert_eq!(self.runtime.restarts(id).len(), restarts, "{case}: nothing is restarted");
    }

    /// Asserts that the owner of a running instance logs in with the password that callers are told, and with no other that is stored.
    pub async fn assert_password(&self, case: &str, id: InstanceId) {
        let instance = self.instance(id).await;
        if instance.state != InstanceState::Running {
            return;
        }
        let (credentials, other) = with_retry(|| self.store.credentials_to_check(id)).await.expect("there are passwords");
        let told = with_retry(|| self.store.passwords(std::slice::from_ref(&id))).await.expect("there are passwords");
        assert_eq!(told, [(id, credentials.owner.clone())], "{case}");
        let log_in = |password| async {
            let target = Target::of_owner(self.database.endpoint(), &instance.spec, password);
            passwords::confirm(&target, TIMEOUT).await.map_err(|reason| reason.code)
        };
        assert_eq!(log_in(credentials.owner).await, Ok(()), "{case}: the password that callers are told");
        if let Some(other) = other {
            assert_eq!(log_in(other).await, Err(ReasonCode::AuthenticationFailed), "{case}: the other password");
        }
    }

    /// All events of an instance.
    pub async fn events(&self, id: InstanceId) -> Vec<Event> {
        eventually("the events are read", || async { self.store.events_after(self.store.event_horizon().await.ok()?, Some(id), 10_000).await.ok() })
            .await
    }

    /// The latest health checks of an instance, the newest first.
    pub async fn samples(&self, id: InstanceId) -> Vec<HealthCheck> {
        eventually("the samples are read", || async { self.store.health_checks(id, &PageRequest::first(500)).await.ok() }).await.items
    }
}
