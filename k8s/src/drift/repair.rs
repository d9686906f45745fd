//! Applies the objects that have drifted, in the order of a deployment.

use toygres_domain::{
    drift::{Drift, DriftKind, Expected},
    runtime::{Deployment, RuntimeError},
};

use super::{SecretMetadata, fetch, inspection};
use crate::{Settings, apply, build, cluster::Cluster};

/// Puts back what has drifted, and returns it. A Secret of which nothing is known is applied too, and not reported.
pub(crate) async fn repair(cluster: &Cluster, settings: &Settings, deployment: &Deployment) -> Result<Vec<Drift>, RuntimeError> {
    let actual = fetch::actual(cluster, deployment.id).await?;
    let drift = inspection(&Expected::from(deployment), &actual, settings).drift;
    // Without the data, nothing of the instance may look as if it were there.
    apply::verify_claim(cluster, deployment.id, &deployment.data).await?;
    let objects = build::objects(deployment, settings);
    let has_drifted = |kind: DriftKind, name: &Option<String>| drift.iter().any(|drift| drift.kind == kind && Some(&drift.name) == name.as_ref());
    if has_drifted(DriftKind::NetworkPolicy, &objects.network_policy.metadata.name) {
        apply::apply(cluster, &objects.network_policy).await?;
    }
    if has_drifted(DriftKind::Service, &objects.client_service.metadata.name) {
        apply::apply_client_service(cluster, objects.client_service).await?;
    }
    if matches!(actual.secret, SecretMetadata::Unknown) || has_drifted(DriftKind::Secret, &objects.secret.metadata.name) {
        apply::apply_secret(cluster, &objects.secret).await?;
    }
    if has_drifted(DriftKind::Service, &objects.headless_service.metadata.name) {
        apply::apply(cluster, &objects.headless_service).await?;
    }
    if has_drifted(DriftKind::StatefulSet, &objects.stateful_set.metadata.name) {
        apply::apply_stateful_set(cluster, &objects.stateful_set).await?;
    }
    Ok(drift)
}
