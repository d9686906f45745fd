//! The volume claim of an instance that has run. Claims are known by their uid: one of the same name that was created later is empty.

use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::PersistentVolumeClaim};
use toygres_domain::{
    InstanceId,
    data::{VolumeId, data_lost},
    instance::{Reason, ReasonCode},
};

use crate::build::names::{self, VOLUME_ANNOTATION};

/// The claim that holds the data, as recorded on the StatefulSet; `None` before the instance has run.
pub(super) fn recorded(set: &StatefulSet) -> Option<VolumeId> {
    set.metadata.annotations.as_ref()?.get(VOLUME_ANNOTATION).cloned().map(VolumeId)
}

/// Why the data of an instance that has run is lost, if it is: its claim is not there, or another one has taken its place.
pub(crate) fn lost_claim(id: InstanceId, recorded: Option<&VolumeId>, claims: &[PersistentVolumeClaim]) -> Option<Reason> {
    let Some(claim) = claim(id, claims) else {
        return Some(data_lost(&format!("The volume claim {} does not exist any more", names::claim(id))));
    };
    let recorded = recorded?;
    (claim.metadata.uid.as_ref() != Some(&recorded.0)).then(|| {
        let uid = claim.metadata.uid.as_deref().unwrap_or_default();
        data_lost(&format!("The volume claim {} was replaced: its uid was {recorded}, and is {uid}", names::claim(id)))
    })
}

/// The reason of a claim that is being deleted, if it is.
pub(crate) fn terminating_claim(id: InstanceId, claims: &[PersistentVolumeClaim]) -> Option<Reason> {
    let claim = claim(id, claims)?;
    claim.metadata.deletion_timestamp.as_ref()?;
    let name = names::claim(id);
    Some(Reason::new(
        ReasonCode::VolumeTerminating,
        format!("The volume claim {name} is being deleted, and its data lives only as long as its pod: copy the data, do not restart the instance"),
    ))
}

fn claim(id: InstanceId, claims: &[PersistentVolumeClaim]) -> Option<&PersistentVolumeClaim> {
    let name = names::claim(id);
    claims.iter().find(|claim| claim.metadata.name.as_ref() == Some(&name))
}
