//! Creates and repairs the objects of an instance by server-side apply, from any intermediate state.

mod claim;

pub(crate) use claim::{capacity_gb, change_claim, is_requested, refuse_terminating_data, try_change_claim, verify as verify_claim, volume};

use std::{fmt::Debug, time::Duration};

use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::StatefulSet,
        core::v1::{Secret, Service},
        networking::v1::NetworkPolicy,
    },
};
use kube::{
    Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
    core::ObjectMeta,
};
use serde::{Serialize, de::DeserializeOwned};
use toygres_domain::{
    instance::{PostgresVersion, ReasonCode},
    runtime::{Deployment, RuntimeError},
};

use crate::{
    Settings,
    build::{self, names},
    cluster::{Cluster, call},
    restart::{Restarts, create_with_record},
    wording::is_immutable_field,
};

/// The field manager that owns the fields of a deployment.
pub(crate) const FIELD_MANAGER: &str = "toygres";

/// Creates or repairs the instance. Each step can be repeated; [`build::Objects`] gives the reason for their order.
pub(crate) async fn deploy(cluster: &Cluster, settings: &Settings, deployment: &Deployment) -> Result<(), RuntimeError> {
    // One that has run before keeps running.
    if !deployment.data.exists() {
        refuse_version(settings, deployment.spec.postgres_version)?;
    }
    // Before anything else: without its data the instance must not even look as if it were there.
    claim::verify(cluster, deployment.id, &deployment.data).await?;
    let objects = build::objects(deployment, settings);
    let first = apply(cluster, &objects.network_policy).await?;
    apply_client_service(cluster, objects.client_service).await?;
    apply_secret(cluster, &objects.secret).await?;
    apply(cluster, &objects.headless_service).await?;
    claim::prepare(cluster, deployment.id, deployment.spec.storage_gb).await?;
    apply_stateful_set(cluster, &objects.stateful_set).await?;
    refuse_if_removed(cluster, &first).await
}

/// Refuses to create an instance of a version that is not offered.
pub(crate) fn refuse_version(settings: &Settings, version: PostgresVersion) -> Result<(), RuntimeError> {
    if settings.versions.contains(&version) {
        return Ok(());
    }
    Err(RuntimeError::permanent(ReasonCode::PostgresMissing, format!("PostgreSQL {version} is not offered in this cluster")))
}

/// Puts a renewed certificate into the Secret, from where the kubelet brings it into the pod.
pub(crate) async fn install_tls(cluster: &Cluster, settings: &Settings, deployment: &Deployment) -> Result<(), RuntimeError> {
    claim::verify(cluster, deployment.id, &deployment.data).await?;
    apply_secret(cluster, &build::objects(deployment, settings).secret).await
}

/// Refuses to report success if the instance was removed meanwhile: a control plane that was suspended may resume a deployment
/// long after another one has removed the instance. [`list`](toygres_domain::runtime::Runtime::list) finds what it created.
pub(crate) async fn refuse_if_removed(cluster: &Cluster, first: &NetworkPolicy) -> Result<(), RuntimeError> {
    let name = first.name_any();
    let policies = cluster.api::<NetworkPolicy>();
    let present = call(&format!("get the NetworkPolicy {name}"), policies.get_metadata_opt(&name)).await?;
    if present.is_some_and(|present| present.metadata.uid == first.metadata.uid) {
        return Ok(());
    }
    Err(RuntimeError::temporary(ReasonCode::Superseded, "The instance was removed while it was being deployed"))
}

/// Applies an object whose name is derived from the id. An object of that name is always ours, so changes of our fields by other
/// managers are reverted.
pub(crate) async fn apply<K>(cluster: &Cluster, object: &K) -> Result<K, RuntimeError>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned,
    K::DynamicType: Default,
{
    apply_as(cluster, FIELD_MANAGER, object).await
}

/// Applies an object as another owner of its fields.
pub(crate) async fn apply_as<K>(cluster: &Cluster, manager: &str, object: &K) -> Result<K, RuntimeError>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned,
    K::DynamicType: Default,
{
    let (kind, name) = (K::kind(&K::DynamicType::default()).into_owned(), object.name_any());
    let applied = call(&format!("apply the {kind} {name}"), try_apply(cluster, manager, object)).await?;
    refuse_terminating(&kind, applied.meta())?;
    Ok(applied)
}

async fn try_apply<K>(cluster: &Cluster, manager: &str, object: &K) -> kube::Result<K>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned,
    K::DynamicType: Default,
{
    cluster.api::<K>().patch(&object.name_any(), &params(manager), &Patch::Apply(object)).await
}

/// Applies the Secret and requests only its metadata in return, so that the response does not contain the password.
pub(crate) async fn apply_secret(cluster: &Cluster, secret: &Secret) -> Result<(), RuntimeError> {
    let name = secret.name_any();
    let applied =
        call(&format!("apply the Secret {name}"), cluster.api::<Secret>().patch_metadata(&name, &params(FIELD_MANAGER), &Patch::Apply(secret)))
            .await?;
    refuse_terminating("Secret", &applied.metadata)
}

/// Applies the Service with the instance's name, unless another Service has that name.
pub(crate) async fn apply_client_service(cluster: &Cluster, mut service: Service) -> Result<Service, RuntimeError> {
    let name = service.name_any();
    if let Some(present) = call(&format!("get the Service {name}"), cluster.api::<Service>().get_opt(&name)).await? {
        refuse_terminating("Service", &present.metadata)?;
        if names::instance_of_labels(&present.metadata) != names::instance_of_labels(&service.metadata) {
            return Err(RuntimeError::permanent(
                ReasonCode::AdmissionRefused,
                format!("The name is taken by a Service {name} in the namespace that does not belong to this instance"),
            ));
        }
        // The apply fails if another Service has replaced the one that was checked.
        service.metadata.uid = present.metadata.uid;
    }
    apply(cluster, &service).await
}

/// Applies the StatefulSet. To change an immutable field (for example the size in the claim template), the StatefulSet is deleted
/// without its running pod and created again; the new one adopts the pod, and has the same record of planned restarts from the start.
pub(crate) async fn apply_stateful_set(cluster: &Cluster, set: &StatefulSet) -> Result<(), RuntimeError> {
    match try_apply(cluster, FIELD_MANAGER, set).await {
        Err(kube::Error::Api(status)) if is_immutable_field(&status) => {
            let restarts = delete_without_pod(cluster, &set.name_any()).await?;
            create_with_record(cluster, set, restarts).await
        }
        Err(error) => Err(crate::errors::runtime_error(&format!("apply the StatefulSet {}", set.name_any()), &error)),
        Ok(applied) => refuse_terminating("StatefulSet", &applied.metadata),
    }
}

/// Deletes the StatefulSet but not its pod, and waits until the garbage collector has removed it. Returns its planned restarts.
async fn delete_without_pod(cluster: &Cluster, name: &str) -> Result<Restarts, RuntimeError> {
    let sets = cluster.api::<StatefulSet>();
    let mut restarts = Restarts::default();
    for _ in 0..100 {
        let Some(present) = call(&format!("get the StatefulSet {name}"), sets.get_opt(name)).await? else { return Ok(restarts) };
        restarts = Restarts::of(&present.metadata);
        if present.metadata.deletion_timestamp.is_none() {
            cluster.delete::<StatefulSet>(name, present.metadata.uid, DeleteParams::orphan()).await?;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(RuntimeError::temporary(ReasonCode::RuntimeUnavailable, format!("The StatefulSet {name} is still being replaced")))
}

/// Refuses to continue with an object that is being deleted.
pub(crate) fn refuse_terminating(kind: &str, meta: &ObjectMeta) -> Result<(), RuntimeError> {
    if meta.deletion_timestamp.is_none() {
        return Ok(());
    }
    let name = meta.name.as_deref().unwrap_or_default();
    Err(RuntimeError::temporary(ReasonCode::RemovalIncomplete, format!("The {kind} {name} of an earlier attempt is still being deleted")))
}

fn params(manager: &str) -> PatchParams {
    PatchParams::apply(manager).force()
}
