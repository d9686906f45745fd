//! Control planes over the data directory of a test: a runtime and what runs in the background.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    InstanceId, OperationId,
    instance::Endpoint,
    operation::OperationKind,
    runtime::{Deployment, Nudge, Observation, Progress, Restart, Runtime, RuntimeError},
};
use toygres_process::{Embedded, HostLock, ProcessConfig, ProcessRuntime, Role};

use crate::home::{Home, TIMEOUT};

/// A runtime and its supervisor.
pub struct ControlPlane {
    pub runtime: ProcessRuntime,
    shutdown: CancellationToken,
    supervisor: JoinHandle<()>,
}

/// The embedded metadata database and its supervisor.
pub struct MetadataDatabase {
    pub database: Embedded,
    shutdown: CancellationToken,
    supervisor: JoinHandle<()>,
}

impl Home {
    pub fn host(&self) -> ControlPlane {
        let lock = self.data.try_host().unwrap().expect("nobody else is the host");
        self.control_plane(Role::Host(Arc::new(lock)))
    }

    pub fn guest(&self) -> ControlPlane {
        self.control_plane(Role::Guest)
    }

    pub fn control_plane(&self, role: Role) -> ControlPlane {
        let config = ProcessConfig {
            data: self.data.clone(),
            binaries: self.binaries.clone(),
            account: self.account.clone(),
            backups: None,
            min_free_disk_mb: 0,
        };
        let (runtime, shutdown) = (ProcessRuntime::open(config), CancellationToken::new());
        let supervisor = tokio::spawn({
            let (runtime, shutdown) = (runtime.clone(), shutdown.clone());
            async move { runtime.supervise(role, shutdown).await }
        });
        ControlPlane { runtime, shutdown, supervisor }
    }

    pub async fn embedded(&self, host: &HostLock) -> MetadataDatabase {
        let database = Embedded::start(&self.data, &self.binaries, &self.account, host).await.unwrap();
        let shutdown = CancellationToken::new();
        let supervisor = tokio::spawn({
            let (database, shutdown) = (database.clone(), shutdown.clone());
            async move { database.supervise(shutdown).await }
        });
        MetadataDatabase { database, shutdown, supervisor }
    }
}

impl ControlPlane {
    /// Deploys and waits until the instance is ready.
    pub async fn deploy(&self, deployment: &Deployment) -> Endpoint {
        let begin = Instant::now();
        self.runtime.deploy(deployment).await.unwrap();
        let deployed = begin.elapsed();
        let endpoint = self.ready(deployment.id).await;
        eprintln!("measured: deploy {deployed:?}, ready after {:?}", begin.elapsed());
        endpoint
    }

    pub async fn ready(&self, id: InstanceId) -> Endpoint {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let observation = self.runtime.observe(id).await.unwrap();
            if let Observation::Ready(endpoint) = observation {
                return endpoint;
            }
            assert!(Instant::now() < deadline, "not ready: {observation:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Restarts until it is done.
    pub async fn restart(&self, id: InstanceId, restart: &Restart) -> Result<(), RuntimeError> {
        let deadline = Instant::now() + TIMEOUT;
        while let Progress::InProgress(reason) = self.runtime.restart(id, restart).await? {
            assert!(Instant::now() < deadline, "not restarted: {reason:?}");
        }
        Ok(())
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        self.supervisor.await.unwrap();
    }

    /// Ends as `kill -9` does: nothing is stopped.
    pub async fn crash(self) {
        self.supervisor.abort();
        let _ = self.supervisor.await;
    }
}

impl MetadataDatabase {
    pub fn url(&self) -> &str {
        self.database.url()
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        self.supervisor.await.unwrap();
        self.database.stop().await.unwrap();
    }

    /// Ends as `kill -9` does: the database goes on.
    pub async fn crash(self) {
        self.supervisor.abort();
        let _ = self.supervisor.await;
    }
}

/// The restart of the `n`th operation of an instance.
pub fn restart_of(id: InstanceId, n: i64, timeout: Duration) -> Restart {
    Restart { operation: OperationId::new(OperationKind::Restart, id, n), timeout }
}

/// The next nudge that tells of a death of the instance.
pub async fn next_death(nudges: &mut (impl Stream<Item = Nudge> + Unpin), id: InstanceId) -> Nudge {
    let death = async {
        loop {
            let nudge = nudges.next().await.expect("nudges do not end");
            if nudge.instance == id && nudge.death.is_some() {
                return nudge;
            }
        }
    };
    tokio::time::timeout(TIMEOUT, death).await.expect("a death is reported")
}
