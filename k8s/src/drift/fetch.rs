//! Reads the objects of instances for the comparison.

use std::collections::HashMap;

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{PersistentVolumeClaim, Secret, Service},
        networking::v1::NetworkPolicy,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use toygres_domain::{
    InstanceId,
    drift::{Expected, Inspection},
    instance::ReasonCode,
    runtime::RuntimeError,
};

use super::{Actual, SecretMetadata, inspection};
use crate::{
    Settings,
    build::names::{self, MANAGED_SELECTOR},
    cluster::Cluster,
};

/// Up to this number of instances, the objects of each are read on their own.
const FEW: usize = 4;

/// Inspects instances; those to which nothing happened are omitted.
pub(crate) async fn inspect(cluster: &Cluster, settings: &Settings, expected: &[Expected]) -> Result<Vec<Inspection>, RuntimeError> {
    let mut found = Vec::new();
    if expected.len() <= FEW {
        for expected in expected {
            found.push(inspection(expected, &actual(cluster, expected.id).await?, settings));
        }
    } else {
        let mut all = list(cluster, MANAGED_SELECTOR).await?;
        for expected in expected {
            let actual = all.remove(&expected.id).unwrap_or_else(|| Actual { secret: absent(&all), ..Actual::default() });
            found.push(inspection(expected, &actual, settings));
        }
    }
    found.retain(|inspection| !inspection.is_empty());
    Ok(found)
}

/// The objects of one instance.
pub(super) async fn actual(cluster: &Cluster, id: InstanceId) -> Result<Actual, RuntimeError> {
    let mut listed = list(cluster, &names::selector(id)).await?;
    Ok(listed.remove(&id).unwrap_or_else(|| Actual { secret: absent(&listed), ..Actual::default() }))
}

/// An instance without a single object has no Secret either, if they may be listed.
fn absent(others: &Listed) -> SecretMetadata {
    if others.secrets_known { SecretMetadata::Absent } else { SecretMetadata::Unknown }
}

struct Listed {
    instances: HashMap<InstanceId, Actual>,
    secrets_known: bool,
}

impl Listed {
    fn remove(&mut self, id: &InstanceId) -> Option<Actual> {
        self.instances.remove(id)
    }

    fn of(&mut self, meta: &ObjectMeta) -> Option<&mut Actual> {
        let id = names::instance_of_labels(meta)?;
        let secret = absent(self);
        Some(self.instances.entry(id).or_insert_with(|| Actual { secret, ..Actual::default() }))
    }
}

async fn list(cluster: &Cluster, selector: &str) -> Result<Listed, RuntimeError> {
    let secrets = async {
        match cluster.list_metadata::<Secret>(selector).await {
            // The Role of an earlier release.
            Err(error) if error.reason.code == ReasonCode::Forbidden => Ok(None),
            other => other.map(Some),
        }
    };
    let (sets, services, policies, secrets, claims) = tokio::try_join!(
        cluster.list::<StatefulSet>(selector),
        cluster.list::<Service>(selector),
        cluster.list::<NetworkPolicy>(selector),
        secrets,
        cluster.list::<PersistentVolumeClaim>(selector),
    )?;
    let mut listed = Listed { instances: HashMap::new(), secrets_known: secrets.is_some() };
    for secret in secrets.into_iter().flatten().filter(|secret| is_named_after_its_instance(&secret.metadata)) {
        if let Some(actual) = listed.of(&secret.metadata) {
            actual.secret = SecretMetadata::Present(Box::new(secret.metadata));
        }
    }
    for set in sets.into_iter().filter(|set| is_named_after_its_instance(&set.metadata)) {
        if let Some(actual) = listed.of(&set.metadata) {
            actual.stateful_set = Some(set);
        }
    }
    for policy in policies.into_iter().filter(|policy| is_named_after_its_instance(&policy.metadata)) {
        if let Some(actual) = listed.of(&policy.metadata) {
            actual.network_policy = Some(policy);
        }
    }
    for service in services {
        if let Some(actual) = listed.of(&service.metadata) {
            actual.services.push(service);
        }
    }
    for claim in claims {
        if let Some(actual) = listed.of(&claim.metadata) {
            actual.claims.push(claim);
        }
    }
    Ok(listed)
}

/// An object with the labels of an instance and another name is none of ours.
fn is_named_after_its_instance(meta: &ObjectMeta) -> bool {
    names::instance_of_labels(meta).is_some_and(|id| meta.name == Some(names::object(id)))
}
