//! The [`Runtime`] on Kubernetes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use async_trait::async_trait;
use futures::stream::BoxStream;
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{PersistentVolumeClaim, Pod, Service},
    networking::v1::NetworkPolicy,
};
use kube::Client;
use toygres_domain::{
    InstanceId,
    instance::{Exposure, PostgresVersion},
    runtime::{Deployment, Nudge, Observation, Removal, Runtime, RuntimeError},
};

use crate::{
    ConnectError, Settings, apply,
    build::names::{self, MANAGED_SELECTOR},
    cluster::Cluster,
    observe, remove, watch,
};

/// The host of instances in one namespace of a Kubernetes cluster.
pub struct KubernetesRuntime {
    cluster: Cluster,
    settings: Settings,
    busy: Mutex<HashMap<InstanceId, Weak<tokio::sync::Mutex<()>>>>,
}

impl KubernetesRuntime {
    /// Finds the cluster that the settings name and checks that it answers.
    ///
    /// # Errors
    /// A sentence that says which setting, file or connection does not work.
    pub async fn connect(mut settings: Settings) -> Result<Self, ConnectError> {
        let cluster = Cluster::connect(&mut settings).await?;
        Ok(Self::with(cluster, settings))
    }

    /// Uses a client that exists; `settings.cluster` says nothing here.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> Self {
        Self::with(Cluster::new(client, &settings.namespace), settings)
    }

    fn with(cluster: Cluster, mut settings: Settings) -> Self {
        settings.versions.sort_unstable_by(|one, other| other.cmp(one));
        Self { cluster, settings, busy: Mutex::default() }
    }

    /// Waits until no other verb of this server is at work on the instance. Other servers are kept off by the workflow
    /// engine, which runs an instance's activities one at a time.
    async fn exclusive(&self, id: InstanceId) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
            busy.retain(|_, lock| lock.strong_count() > 0);
            busy.get(&id).and_then(Weak::upgrade).unwrap_or_else(|| {
                let lock = Arc::default();
                busy.insert(id, Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }
}

#[async_trait]
impl Runtime for KubernetesRuntime {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn versions(&self) -> Vec<PostgresVersion> {
        self.settings.versions.clone()
    }

    fn offers(&self, _: &Exposure) -> bool {
        true
    }

    async fn deploy(&self, deployment: &Deployment) -> Result<(), RuntimeError> {
        let _exclusive = self.exclusive(deployment.id).await;
        apply::deploy(&self.cluster, &self.settings, deployment).await
    }

    async fn observe(&self, id: InstanceId) -> Result<Observation, RuntimeError> {
        let _exclusive = self.exclusive(id).await;
        observe::observe(&self.cluster, &self.settings, id).await
    }

    async fn remove(&self, id: InstanceId, keep_volumes: bool) -> Result<Removal, RuntimeError> {
        let _exclusive = self.exclusive(id).await;
        remove::remove(&self.cluster, id, keep_volumes).await
    }

    async fn list(&self) -> Result<Vec<InstanceId>, RuntimeError> {
        let (policies, sets, pods, claims, services) = tokio::try_join!(
            self.cluster.list_metadata::<NetworkPolicy>(MANAGED_SELECTOR),
            self.cluster.list_metadata::<StatefulSet>(MANAGED_SELECTOR),
            self.cluster.list_metadata::<Pod>(MANAGED_SELECTOR),
            self.cluster.list_metadata::<PersistentVolumeClaim>(MANAGED_SELECTOR),
            self.cluster.list_metadata::<Service>(MANAGED_SELECTOR),
        )?;
        let ids: BTreeSet<InstanceId> = [
            policies.iter().map(|object| &object.metadata).collect::<Vec<_>>(),
            sets.iter().map(|object| &object.metadata).collect(),
            pods.iter().map(|object| &object.metadata).collect(),
            // A kept claim is a volume that somebody asked for, not something of an instance that was forgotten.
            claims.iter().map(|object| &object.metadata).filter(|meta| !observe::is_kept(meta)).collect(),
            services.iter().map(|object| &object.metadata).collect(),
        ]
        .into_iter()
        .flatten()
        .filter_map(names::instance_of_labels)
        .collect();
        Ok(ids.into_iter().collect())
    }

    fn nudges(&self) -> BoxStream<'static, Nudge> {
        watch::nudges(&self.cluster)
    }
}
