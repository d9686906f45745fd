//! The [`Runtime`] on Kubernetes.

mod keyed_lock;
mod throttle;

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{PersistentVolumeClaim, Pod, Service},
    networking::v1::NetworkPolicy,
};
use kube::Client;
use toygres_domain::{
    InstanceId,
    address::Address,
    data::VolumeId,
    drift::{Drift, Expected, Inspection},
    instance::{Endpoint, Exposure, PostgresVersion},
    restoration::Restoration,
    runtime::{AddressProgress, Deployment, Host, Nudge, Observation, Progress, Reachability, Restart, Runtime, RuntimeError, Suspension},
    storage::VolumeSpace,
    upgrade::Upgrade,
    verification::{Verification, VerificationProgress},
};

use crate::{
    ConnectError, Settings, address, apply,
    build::names::{self, MANAGED_SELECTOR},
    cluster::Cluster,
    drift, observe, remove, resize, restart, restore, suspend, upgrade, verify, watch,
};
use keyed_lock::KeyedLock;
use throttle::Throttle;

/// The host of instances in one namespace of a Kubernetes cluster.
pub struct KubernetesRuntime {
    cluster: Cluster,
    settings: Settings,
    locks: KeyedLock,
    throttle: Arc<Throttle>,
}

impl KubernetesRuntime {
    /// Connects to the cluster of the settings and checks the permissions of the control plane.
    ///
    /// # Errors
    /// If a setting is invalid, or the cluster cannot be found or used.
    pub async fn connect(mut settings: Settings) -> Result<Self, ConnectError> {
        let cluster = Cluster::connect(&mut settings).await?;
        Ok(Self::with(cluster, settings))
    }

    /// Uses an existing client; `settings.cluster` is ignored.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> Self {
        Self::with(Cluster::new(client, &settings.namespace), settings)
    }

    fn with(cluster: Cluster, mut settings: Settings) -> Self {
        settings.versions.sort_unstable_by(|one, other| other.cmp(one));
        Self { cluster, settings, locks: KeyedLock::default(), throttle: Arc::default() }
    }
}

#[async_trait]
impl Runtime for KubernetesRuntime {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn host(&self) -> Host {
        // The control plane has no permission to read anything that identifies the cluster.
        let namespace = &self.settings.namespace;
        Host { id: format!("kubernetes/{namespace}"), description: format!("the namespace {namespace} of a Kubernetes cluster") }
    }

    fn versions(&self) -> Vec<PostgresVersion> {
        self.settings.versions.clone()
    }

    fn offers(&self, _: &Exposure) -> bool {
        true
    }

    async fn deploy(&self, deployment: &Deployment) -> Result<(), RuntimeError> {
        let _exclusive = self.locks.lock(deployment.id).await;
        apply::deploy(&self.cluster, &self.settings, deployment).await
    }

    fn restores(&self) -> Result<(), String> {
        self.settings.restore.available().map(drop)
    }

    async fn restore(&self, deployment: &Deployment, restoration: &Restoration) -> Result<Progress, RuntimeError> {
        let _exclusive = self.locks.lock(deployment.id).await;
        restore::restore(&self.cluster, &self.settings, deployment, restoration).await
    }

    fn verifies(&self, _: PostgresVersion) -> Result<(), String> {
        self.restores()
    }

    async fn verify(&self, verification: &Verification) -> Result<VerificationProgress, RuntimeError> {
        verify::verify(&self.cluster, &self.settings, verification).await
    }

    async fn observe(&self, id: InstanceId) -> Result<Observation, RuntimeError> {
        self.throttle.wait(id).await;
        let _exclusive = self.locks.lock(id).await;
        let observation = observe::observe(&self.cluster, &self.settings, id).await?;
        if matches!(observation, Observation::Pending(_)) {
            self.throttle.observed_pending(id);
        }
        Ok(observation)
    }

    async fn reachability(&self) -> Reachability {
        self.cluster.reachability().await
    }

    fn internal_endpoint(&self, address: &Address, endpoint: &Endpoint) -> Endpoint {
        observe::internal_endpoint(&self.settings, address, endpoint)
    }

    async fn volume(&self, id: InstanceId) -> Result<Option<VolumeId>, RuntimeError> {
        apply::volume(&self.cluster, id).await
    }

    async fn inspect(&self, expected: &[Expected]) -> Result<Vec<Inspection>, RuntimeError> {
        drift::inspect(&self.cluster, &self.settings, expected).await
    }

    async fn repair(&self, deployment: &Deployment) -> Result<Vec<Drift>, RuntimeError> {
        let _exclusive = self.locks.lock(deployment.id).await;
        drift::repair(&self.cluster, &self.settings, deployment).await
    }

    async fn install_tls(&self, deployment: &Deployment) -> Result<(), RuntimeError> {
        let _exclusive = self.locks.lock(deployment.id).await;
        apply::install_tls(&self.cluster, &self.settings, deployment).await
    }

    fn speaks_tls(&self, _: PostgresVersion) -> bool {
        true
    }

    fn server_names(&self, address: &Address) -> Vec<String> {
        names::server_names(address, &self.settings)
    }

    fn gives_addresses(&self) -> bool {
        true
    }

    async fn add_address(&self, deployment: &Deployment) -> Result<AddressProgress, RuntimeError> {
        let _exclusive = self.locks.lock(deployment.id).await;
        address::add(&self.cluster, &self.settings, deployment).await
    }

    async fn remove_other_addresses(&self, deployment: &Deployment) -> Result<Progress, RuntimeError> {
        let _exclusive = self.locks.lock(deployment.id).await;
        address::remove_others(&self.cluster, deployment).await
    }

    async fn remove(&self, id: InstanceId, keep_volumes: bool) -> Result<Progress, RuntimeError> {
        let _exclusive = self.locks.lock(id).await;
        remove::remove(&self.cluster, id, keep_volumes).await
    }

    async fn restart(&self, id: InstanceId, restart: &Restart) -> Result<Progress, RuntimeError> {
        let _exclusive = self.locks.lock(id).await;
        restart::restart(&self.cluster, id, restart).await
    }

    async fn suspend(&self, expected: &Expected, suspension: &Suspension) -> Result<Progress, RuntimeError> {
        let _exclusive = self.locks.lock(expected.id).await;
        suspend::suspend(&self.cluster, &self.settings, expected, suspension).await
    }

    async fn resize(&self, deployment: &Deployment, restart: &Restart) -> Result<Progress, RuntimeError> {
        let _exclusive = self.locks.lock(deployment.id).await;
        resize::resize(&self.cluster, &self.settings, deployment, restart).await
    }

    async fn update(&self, deployment: &Deployment, restart: &Restart) -> Result<Progress, RuntimeError> {
        // Another image is another template of the pod, as another size is.
        self.resize(deployment, restart).await
    }

    fn upgrades(&self, from: PostgresVersion, to: PostgresVersion) -> Result<(), String> {
        let debian = |version: PostgresVersion| version.release().map(|release| release.debian);
        if debian(from) == debian(to) {
            return Ok(());
        }
        Err(format!("the images of PostgreSQL {from} and {to} are of different releases of Debian, so the programs of one do not run in the other"))
    }

    async fn upgrade(&self, deployment: &Deployment, upgrade: &Upgrade) -> Result<Progress, RuntimeError> {
        let _exclusive = self.locks.lock(deployment.id).await;
        upgrade::upgrade(&self.cluster, &self.settings, deployment, upgrade).await
    }

    async fn revert_upgrade(&self, deployment: &Deployment, upgrade: &Upgrade) -> Result<Progress, RuntimeError> {
        let _exclusive = self.locks.lock(deployment.id).await;
        upgrade::revert(&self.cluster, &self.settings, deployment, upgrade).await
    }

    fn former_data(&self) -> Option<&'static str> {
        Some(upgrade::FORMER_DATA)
    }

    fn volume_space(&self, storage_gb: i32) -> Option<VolumeSpace> {
        Some(VolumeSpace::of_file_system(storage_gb))
    }

    async fn volume_gb(&self, id: InstanceId) -> Result<Option<i32>, RuntimeError> {
        resize::volume_gb(&self.cluster, id).await
    }

    async fn list(&self) -> Result<Vec<InstanceId>, RuntimeError> {
        let (policies, sets, pods, claims, services, jobs) = tokio::try_join!(
            self.cluster.list_metadata::<NetworkPolicy>(MANAGED_SELECTOR),
            self.cluster.list_metadata::<StatefulSet>(MANAGED_SELECTOR),
            self.cluster.list_metadata::<Pod>(MANAGED_SELECTOR),
            self.cluster.list_metadata::<PersistentVolumeClaim>(MANAGED_SELECTOR),
            self.cluster.list_metadata::<Service>(MANAGED_SELECTOR),
            restore::jobs(&self.cluster, MANAGED_SELECTOR),
        )?;
        let ids: BTreeSet<InstanceId> = [
            policies.iter().map(|object| &object.metadata).collect::<Vec<_>>(),
            sets.iter().map(|object| &object.metadata).collect(),
            pods.iter().map(|object| &object.metadata).collect(),
            // A kept claim is no leftover of an instance.
            claims.iter().map(|object| &object.metadata).filter(|meta| !observe::is_kept(meta)).collect(),
            services.iter().map(|object| &object.metadata).collect(),
            jobs.iter().map(|object| &object.metadata).collect(),
        ]
        .into_iter()
        .flatten()
        .filter_map(names::instance_of_labels)
        .collect();
        Ok(ids.into_iter().collect())
    }

    fn nudges(&self) -> BoxStream<'static, Nudge> {
        let throttle = Arc::clone(&self.throttle);
        throttle.start_watching();
        watch::nudges(&self.cluster).inspect(move |nudge| throttle.nudge(nudge.instance)).boxed()
    }
}
