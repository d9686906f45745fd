//! The existing volume claim of an instance: the StatefulSet's template only applies to new claims.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use toygres_domain::{
    InstanceId,
    data::{Data, VolumeId},
    instance::Reason,
    runtime::RuntimeError,
};

use super::{FIELD_MANAGER, refuse_terminating};
use crate::{
    build::names::{self, KEPT_LABEL},
    cluster::{Cluster, call},
    observe::{lost_claim, terminating_claim},
};

/// Refuses to deploy an instance that has run without the claim that holds its data.
pub(crate) async fn verify(cluster: &Cluster, id: InstanceId, data: &Data) -> Result<(), RuntimeError> {
    let Data::Existing(volume) = data else { return Ok(()) };
    let claims: Vec<PersistentVolumeClaim> = cluster.list(&names::selector(id)).await?;
    if let Some(reason) = lost_claim(id, volume.as_ref(), &claims) {
        return Err(RuntimeError { reason, retryable: false });
    }
    refuse_terminating_data(id, &claims)
}

/// Refuses what would end the server, and with it the data, while the claim is being deleted.
pub(crate) fn refuse_terminating_data(id: InstanceId, claims: &[PersistentVolumeClaim]) -> Result<(), RuntimeError> {
    match terminating_claim(id, claims) {
        Some(Reason { code, message }) => Err(RuntimeError::temporary(code, message)),
        None => Ok(()),
    }
}

/// The uid of the claim of an instance.
pub(crate) async fn volume(cluster: &Cluster, id: InstanceId) -> Result<Option<VolumeId>, RuntimeError> {
    let claims = cluster.list_metadata::<PersistentVolumeClaim>(&names::selector(id)).await?;
    let name = names::claim(id);
    Ok(claims.into_iter().find(|claim| claim.metadata.name.as_ref() == Some(&name)).and_then(|claim| claim.metadata.uid).map(VolumeId))
}

/// Prepares the claim of an earlier deployment: removes the label of a kept claim, and expands it to the size of the
/// specification.
pub(super) async fn prepare(cluster: &Cluster, id: InstanceId, storage_gb: i32) -> Result<(), RuntimeError> {
    let name = names::claim(id);
    let claims: Vec<PersistentVolumeClaim> = cluster.list(&names::selector(id)).await?;
    let Some(claim) = claims.iter().find(|claim| claim.metadata.name.as_ref() == Some(&name)) else { return Ok(()) };
    refuse_terminating("volume claim", &claim.metadata)?;

    let wanted = i128::from(storage_gb) << 30;
    // More may be requested, and the volume may be larger: drivers have a smallest size, and a cloud may grant a size after the resize that
    // requested it was rolled back. What is requested is never taken back.
    let present = requested_bytes(claim).unwrap_or(wanted);
    let kept = claim.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(KEPT_LABEL));
    if kept || present < wanted {
        let change = json!({
            "metadata": {"labels": {KEPT_LABEL: null}},
            "spec": {"resources": {"requests": {"storage": format!("{}Gi", present.max(wanted) >> 30)}}},
        });
        change_claim(cluster, &name, &change).await?;
    }
    Ok(())
}

/// Patches a claim. The StatefulSet's controller owns it, so this is a merge patch: an apply would have to contain all required
/// fields.
pub(crate) async fn change_claim(cluster: &Cluster, name: &str, change: &serde_json::Value) -> Result<(), RuntimeError> {
    call(&format!("patch the volume claim {name}"), try_change_claim(cluster, name, change)).await
}

/// The same, with the error of the API server.
pub(crate) async fn try_change_claim(cluster: &Cluster, name: &str, change: &serde_json::Value) -> kube::Result<()> {
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    cluster.api::<PersistentVolumeClaim>().patch_metadata(name, &params, &Patch::Merge(change)).await.map(drop)
}

/// Whether at least this size is requested.
pub(crate) fn is_requested(claim: &PersistentVolumeClaim, storage_gb: i32) -> bool {
    requested_bytes(claim).is_some_and(|requested| requested >= i128::from(storage_gb) << 30)
}

/// The size in whole GiB of the volume of a claim that is bound.
pub(crate) fn capacity_gb(claim: &PersistentVolumeClaim) -> Option<i32> {
    let capacity = &claim.status.as_ref()?.capacity.as_ref()?.get("storage")?.0;
    i32::try_from(bytes(capacity)? >> 30).ok()
}

fn requested_bytes(claim: &PersistentVolumeClaim) -> Option<i128> {
    bytes(&claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?.get("storage")?.0)
}

/// The bytes of a quantity, which the API server returns in another notation than it was sent (1024Gi becomes 1Ti). `None` for
/// notations that no volume size has.
fn bytes(quantity: &str) -> Option<i128> {
    let digits = quantity.find(|c: char| !c.is_ascii_digit()).unwrap_or(quantity.len());
    let (number, unit) = quantity.split_at(digits);
    let factor: i128 = match unit {
        "" => 1,
        "k" => 1000,
        "M" => 1000i128.pow(2),
        "G" => 1000i128.pow(3),
        "T" => 1000i128.pow(4),
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        "Pi" => 1 << 50,
        _ => return None,
    };
    Some(number.parse::<i128>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn volume_sizes_are_parsed_in_every_notation() {
        assert_eq!(bytes("1Ti"), bytes("1024Gi"));
        assert_eq!(bytes("1073741824"), bytes("1Gi"));
        assert_eq!(bytes("1.5Gi"), None);
        assert_eq!(bytes(""), None);
    }
}
