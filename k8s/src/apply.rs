//! Brings the objects of an instance about, from any half-done state, by server-side apply.

mod claim;

pub(crate) use claim::change_claim;

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
    core::{ObjectMeta, Status},
};
use serde::{Serialize, de::DeserializeOwned};
use toygres_domain::{
    instance::ReasonCode,
    runtime::{Deployment, RuntimeError},
};

use crate::{
    Settings,
    build::{self, names},
    cluster::{Cluster, call},
};

/// Who owns the fields that Toygres sets.
pub(crate) const FIELD_MANAGER: &str = "toygres";

/// Makes or repairs the instance. Each step can be repeated; [`build::Objects`] says why they come in this order.
pub(crate) async fn deploy(cluster: &Cluster, settings: &Settings, deployment: &Deployment) -> Result<(), RuntimeError> {
    let version = deployment.spec.postgres_version;
    if !settings.versions.contains(&version) {
        return Err(RuntimeError::permanent(ReasonCode::PostgresMissing, format!("PostgreSQL {version} is not on offer in this cluster")));
    }
    let objects = build::objects(deployment, settings);
    let first = apply(cluster, &objects.network_policy).await?;
    apply_client_service(cluster, objects.client_service).await?;
    apply_secret(cluster, &objects.secret).await?;
    apply(cluster, &objects.headless_service).await?;
    claim::prepare(cluster, deployment.id, deployment.spec.storage_gb).await?;
    apply_stateful_set(cluster, &objects.stateful_set).await?;
    refuse_if_removed(cluster, &first).await
}

/// Does not pass for a deployment what a removal overtook: a server that was thought dead may end a deployment long after
/// another server has removed the instance. What it made anew is found by [`list`](toygres_domain::runtime::Runtime::list).
async fn refuse_if_removed(cluster: &Cluster, first: &NetworkPolicy) -> Result<(), RuntimeError> {
    let name = first.name_any();
    let policies = cluster.api::<NetworkPolicy>();
    let present = call(&format!("look for the NetworkPolicy {name}"), policies.get_metadata_opt(&name)).await?;
    if present.is_some_and(|present| present.metadata.uid == first.metadata.uid) {
        return Ok(());
    }
    Err(RuntimeError::temporary(ReasonCode::Superseded, "The instance was removed while it was being deployed"))
}

/// Applies an object whose name comes from the id: whatever has it is ours, so other managers' changes to our fields are
/// taken back.
async fn apply<K>(cluster: &Cluster, object: &K) -> Result<K, RuntimeError>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned,
    K::DynamicType: Default,
{
    let (kind, name) = (K::kind(&K::DynamicType::default()).into_owned(), object.name_any());
    let applied = call(&format!("apply the {kind} {name}"), try_apply(cluster, object)).await?;
    refuse_doomed(&kind, applied.meta())?;
    Ok(applied)
}

async fn try_apply<K>(cluster: &Cluster, object: &K) -> kube::Result<K>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned,
    K::DynamicType: Default,
{
    cluster.api::<K>().patch(&object.name_any(), &params(), &Patch::Apply(object)).await
}

/// Applies the Secret, and asks for its metadata alone in return: the password need not travel back.
async fn apply_secret(cluster: &Cluster, secret: &Secret) -> Result<(), RuntimeError> {
    let name = secret.name_any();
    let applied = call(&format!("apply the Secret {name}"), cluster.api::<Secret>().patch_metadata(&name, &params(), &Patch::Apply(secret))).await?;
    refuse_doomed("Secret", &applied.metadata)
}

/// Applies the Service that carries the instance's name, unless the name belongs to something else in the namespace.
async fn apply_client_service(cluster: &Cluster, mut service: Service) -> Result<(), RuntimeError> {
    let name = service.name_any();
    if let Some(present) = call(&format!("look for a Service {name}"), cluster.api::<Service>().get_opt(&name)).await? {
        refuse_doomed("Service", &present.metadata)?;
        if names::instance_of_labels(&present.metadata) != names::instance_of_labels(&service.metadata) {
            return Err(RuntimeError::permanent(
                ReasonCode::AdmissionRefused,
                format!("The name is taken by a Service {name} in the namespace that does not belong to this instance"),
            ));
        }
        // The one that was looked at, and no other that took its place since.
        service.metadata.uid = present.metadata.uid;
    }
    apply(cluster, &service).await.map(drop)
}

/// Applies the StatefulSet. Fields that cannot be changed (the size in the claim template, for one) are changed by making the
/// set anew around its running pod, which the new set adopts.
async fn apply_stateful_set(cluster: &Cluster, set: &StatefulSet) -> Result<(), RuntimeError> {
    match try_apply(cluster, set).await {
        Err(kube::Error::Api(status)) if changes_what_is_fixed(&status) => {
            abandon(cluster, &set.name_any()).await?;
            apply(cluster, set).await.map(drop)
        }
        Err(error) => Err(crate::errors::runtime_error(&format!("apply the StatefulSet {}", set.name_any()), &error)),
        Ok(applied) => refuse_doomed("StatefulSet", &applied.metadata),
    }
}

fn changes_what_is_fixed(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 422
        && causes.clone().any(|cause| cause.field == "spec" && cause.message.contains("updates to statefulset spec"))
        // Only fixed fields: what is wrong in itself would be wrong in a new set too.
        && causes.clone().count() == 1
}

/// Deletes the set but not its pod, and waits until it is gone, which takes the garbage collector a moment.
async fn abandon(cluster: &Cluster, name: &str) -> Result<(), RuntimeError> {
    let sets = cluster.api::<StatefulSet>();
    for _ in 0..100 {
        let Some(present) = call(&format!("look at the StatefulSet {name}"), sets.get_opt(name)).await? else { return Ok(()) };
        if present.metadata.deletion_timestamp.is_none() {
            cluster.delete::<StatefulSet>(name, present.metadata.uid, DeleteParams::orphan()).await?;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(RuntimeError::temporary(ReasonCode::RuntimeUnavailable, format!("The StatefulSet {name} is still being replaced")))
}

/// Refuses to build on an object that is going away: it would be gone after the answer.
fn refuse_doomed(kind: &str, meta: &ObjectMeta) -> Result<(), RuntimeError> {
    if meta.deletion_timestamp.is_none() {
        return Ok(());
    }
    let name = meta.name.as_deref().unwrap_or_default();
    Err(RuntimeError::temporary(ReasonCode::RemovalIncomplete, format!("The {kind} {name} of an earlier attempt is still being removed")))
}

fn params() -> PatchParams {
    PatchParams::apply(FIELD_MANAGER).force()
}
