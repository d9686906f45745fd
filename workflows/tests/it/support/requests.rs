//! The actions of callers: requests for operations, and reads of instances and operations.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use toygres_domain::{
    InstanceId, OperationId, Result,
    backup::Archive,
    instance::{Exposure, HealthCheckPolicy, Instance, InstanceSpec, PostgresVersion},
    operation::{Operation, OperationStatus, Params, create, delete},
    secret::Secret,
    upgrade::AvailableUpdate,
};
use toygres_store::{Accepted, NewInstance, Request, Subject};

use super::{Harness, eventually, with_retry};

/// The deadline of operations that should succeed.
pub const DEADLINE: Duration = Duration::from_secs(300);
pub const PASSWORD: &str = "right-password";

pub fn request(deadline: Duration) -> Request {
    Request { idempotency: None, revision: None, requested_by: None, deadline, password: None }
}

impl Harness {
    pub fn new_instance(&self) -> NewInstance {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        NewInstance {
            id: InstanceId::generate(),
            name: format!("case-{}", NUMBER.fetch_add(1, Ordering::Relaxed)).parse().unwrap(),
            spec: InstanceSpec {
                postgres_version: PostgresVersion(17),
                storage_gb: 1,
                cpu_millis: 100,
                memory_mb: 128,
                username: format!("{}_app", self.database.name()).try_into().unwrap(),
                database: self.database.name().to_owned().try_into().unwrap(),
                exposure: Exposure::Cluster,
                require_tls: false,
                health_check: HealthCheckPolicy { interval_seconds: 1, timeout_seconds: 5 },
                parameters: Default::default(),
            },
            password: Secret::new(PASSWORD.to_owned()),
            labels: Default::default(),
            deletion_protected: false,
            idle_suspend_minutes: None,
            maintenance_window: None,
            storage_auto_grow: None,
            backups: Default::default(),
        }
    }

    pub async fn try_accept(&self, subject: Subject<'_>, params: &Params, deadline: Duration) -> Result<Accepted> {
        let request = request(deadline);
        with_retry(|| self.store.accept(subject, params, &request)).await
    }

    pub async fn accept(&self, subject: Subject<'_>, params: Params) -> OperationId {
        self.try_accept(subject, &params, DEADLINE).await.expect("the operation is accepted").operation.id
    }

    pub async fn create(&self, new: &NewInstance) -> OperationId {
        self.accept(Subject::New(new), Params::Create(create::Params {})).await
    }

    pub async fn delete(&self, id: InstanceId) -> OperationId {
        self.accept(Subject::Existing(id), Params::Delete(delete::Params::default())).await
    }

    /// Creates a running instance.
    pub async fn running(&self) -> InstanceId {
        self.run(self.new_instance()).await
    }

    /// Creates this instance and waits until it is running.
    pub async fn run(&self, new: NewInstance) -> InstanceId {
        let operation = self.create(&new).await;
        let finished = self.finished(&operation).await;
        assert_eq!(finished.status, OperationStatus::Succeeded, "{finished:?}");
        new.id
    }

    /// Has the host of a running instance offer an update of it, and waits until that is known.
    pub async fn offer_update(&self, id: InstanceId) {
        let update = AvailableUpdate { from: "17.1".to_owned(), to: "17.2".to_owned() };
        self.runtime.script(id, |script| script.update = Some(update.clone()));
        self.runtime.report_change(id);
        eventually("the update is found", || async { (self.instance(id).await.update_available.as_ref() == Some(&update)).then_some(()) }).await;
    }

    pub async fn instance(&self, id: InstanceId) -> Instance {
        with_retry(|| self.store.instance(id)).await.unwrap().expect("the row is kept")
    }

    pub async fn archive(&self, id: InstanceId) -> Archive {
        with_retry(|| self.store.archives_of(std::slice::from_ref(&id))).await.unwrap().remove(&id).expect("it is kept")
    }

    pub async fn operation(&self, id: &OperationId) -> Operation {
        with_retry(|| self.store.operation(id)).await.unwrap().expect("the row is kept")
    }

    /// Waits for the end of the operation.
    pub async fn finished(&self, id: &OperationId) -> Operation {
        eventually(&format!("{id} is finished"), || async {
            self.store.operation(id).await.ok().flatten().filter(|operation| operation.status.is_terminal())
        })
        .await
    }

    /// Waits until a step of the operation has this error, or waits for this.
    pub async fn shows(&self, id: &OperationId, message: &str) {
        eventually(&format!("{id} shows '{message}'"), || async {
            let steps = self.operation(id).await.steps;
            steps.iter().any(|step| step.error.as_ref().is_some_and(|error| error.message.contains(message))).then_some(())
        })
        .await;
    }

    /// Sets the deadline of the operation to the present, if it has one.
    pub async fn expire(&self, id: &OperationId) {
        self.database.run(&format!("UPDATE toygres.operations SET deadline = clock_timestamp() WHERE id = '{id}' AND deadline IS NOT NULL")).await;
    }
}
