//! Drift: what somebody else has deleted or edited of the objects of an instance. `fetch` reads them, and they are compared here
//! without a client; `repair` applies those that differ.
//!
//! An object has drifted if it is missing, or if fields that we set have another value *and* somebody else has written to the object.
//! The second condition is what distinguishes an edit from what a new release of the control plane, or an admission webhook, makes of
//! our own request: repairing the former by surprise would restart every instance after an upgrade, and the latter could never be
//! repaired. Values are compared here, instead of by a dry run of the apply, which would be a write request for each object of each
//! instance every half minute.

mod compare;
mod fetch;
mod repair;

pub(crate) use fetch::inspect;
pub(crate) use repair::repair;

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{PersistentVolumeClaim, Service},
        networking::v1::NetworkPolicy,
    },
    apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta},
};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use toygres_domain::{
    certificate::ServerCertificate,
    drift::{Drift, DriftChange, DriftKind, Expected, Inspection},
    roles::{Credentials, PlatformCredentials, Roles},
    runtime::Deployment,
    secret::Secret as Password,
    upgrade::AvailableUpdate,
};

use crate::{
    Settings,
    apply::FIELD_MANAGER,
    build::{self, names},
    observe::{lost_claim, terminating_claim},
};

/// The objects of one instance as they are.
#[derive(Clone, Debug, Default)]
pub struct Actual {
    /// The StatefulSet.
    pub stateful_set: Option<StatefulSet>,
    /// The Services that carry the instance's id.
    pub services: Vec<Service>,
    /// The NetworkPolicy.
    pub network_policy: Option<NetworkPolicy>,
    /// The metadata of the Secret, which is all that is read of it.
    pub secret: SecretMetadata,
    /// The volume claims that carry the instance's id.
    pub claims: Vec<PersistentVolumeClaim>,
}

/// What is known of a Secret.
#[derive(Clone, Debug, Default)]
pub enum SecretMetadata {
    /// The Role does not allow to list Secrets.
    #[default]
    Unknown,
    /// There is none.
    Absent,
    /// Its metadata.
    Present(Box<ObjectMeta>),
}

/// Compares the objects of an instance with what was deployed.
#[must_use]
pub fn inspection(expected: &Expected, actual: &Actual, settings: &Settings) -> Inspection {
    let lost = expected.data.exists().then(|| lost_claim(expected.id, expected.data.volume(), &actual.claims)).flatten();
    let data = lost.or_else(|| terminating_claim(expected.id, &actual.claims));
    Inspection { id: expected.id, drift: drift(expected, actual, settings), data, update: update(expected, actual, settings) }
}

/// The objects that are expected, without what is secret.
pub(crate) fn objects(expected: &Expected, settings: &Settings) -> build::Objects {
    let Expected { id, name, first_name, spec, roles, data, suspended } = expected.clone();
    let unknown = || Password::new(String::new());
    let platform = (roles == Roles::Platform).then(|| PlatformCredentials { superuser: unknown(), monitor: unknown() });
    let certificate = ServerCertificate { chain: String::new(), key: unknown() };
    let deployment = Deployment {
        id,
        name,
        first_name,
        spec,
        data,
        credentials: Credentials { owner: unknown(), platform },
        certificate,
        suspended,
        closed: false,
    };
    build::objects(&deployment, settings)
}

fn drift(expected: &Expected, actual: &Actual, settings: &Settings) -> Vec<Drift> {
    let build::Objects { network_policy, client_service, secret, headless_service, stateful_set } = objects(expected, settings);
    let service = |wanted: &Service| {
        let present = actual.services.iter().find(|service| service.metadata.name == wanted.metadata.name);
        object(DriftKind::Service, wanted, present)
    };
    let secret_name = names::object(expected.id);
    let secret_change = match &actual.secret {
        SecretMetadata::Unknown => None,
        SecretMetadata::Absent => Some(DriftChange::Deleted),
        SecretMetadata::Present(meta) => edited_secret(meta, secret.data.iter().flat_map(|data| data.keys())),
    };
    [
        object(DriftKind::NetworkPolicy, &network_policy, actual.network_policy.as_ref()),
        service(&client_service),
        secret_change.map(|change| Drift::new(DriftKind::Secret, secret_name, change)),
        service(&headless_service),
        object(DriftKind::StatefulSet, &stateful_set, actual.stateful_set.as_ref()).or_else(|| {
            let actual = actual.stateful_set.as_ref()?;
            let change = scaled(&stateful_set, actual).or_else(|| other_size(&stateful_set, actual))?;
            Some(Drift::new(DriftKind::StatefulSet, stateful_set.name_any(), change))
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Another image than that of the settings: the pod keeps the one that it was deployed with until it is updated.
fn update(expected: &Expected, actual: &Actual, settings: &Settings) -> Option<AvailableUpdate> {
    let image = |set: &StatefulSet| set.spec.as_ref()?.template.spec.as_ref()?.containers.first()?.image.clone();
    let (from, to) = (image(actual.stateful_set.as_ref()?)?, image(&objects(expected, settings).stateful_set)?);
    (from != to && !expected.suspended).then_some(AvailableUpdate { from, to })
}

/// The drift of one object.
fn object<K: Resource + Serialize>(kind: DriftKind, wanted: &K, actual: Option<&K>) -> Option<Drift> {
    let change = match actual {
        None => DriftChange::Deleted,
        // Once it is gone it counts as deleted.
        Some(actual) if actual.meta().deletion_timestamp.is_some() || !is_edited(actual.meta()) => return None,
        Some(actual) => match compare::differences(wanted, actual) {
            fields if fields.is_empty() => return None,
            fields => DriftChange::Edited(fields),
        },
    };
    Some(Drift::new(kind, wanted.name_any(), change))
}

/// Other replicas are drift, whoever wrote them: no release deploys another number, and what a suspension that could not be compensated
/// has left has to be put back.
fn scaled(wanted: &StatefulSet, actual: &StatefulSet) -> Option<DriftChange> {
    let replicas = |set: &StatefulSet| set.spec.as_ref().and_then(|spec| spec.replicas);
    let is_scaled = actual.metadata.deletion_timestamp.is_none() && replicas(actual) != replicas(wanted);
    is_scaled.then(|| DriftChange::Edited(vec!["spec.replicas".to_owned()]))
}

/// Another size than that of the specification is drift, whoever wrote it: every release deploys the same one. It remains when a resize has
/// failed and could not be rolled back.
fn other_size(wanted: &StatefulSet, actual: &StatefulSet) -> Option<DriftChange> {
    let requests = |set: &StatefulSet| set.spec.as_ref()?.template.spec.as_ref()?.containers.first()?.resources.as_ref()?.requests.clone();
    let fields = compare::differences(&requests(wanted), &requests(actual));
    let is_other = actual.metadata.deletion_timestamp.is_none() && !fields.is_empty();
    is_other.then(|| DriftChange::Edited(fields.into_iter().map(|field| format!("resources.requests.{field}")).collect()))
}

/// Whether a StatefulSet has the template of the pod that is wanted, so that to apply it replaces no pod.
pub(crate) fn has_template(wanted: &StatefulSet, actual: &StatefulSet) -> bool {
    let template = |set: &StatefulSet| set.spec.as_ref().map(|spec| spec.template.clone());
    compare::differences(&template(wanted), &template(actual)).is_empty()
}

/// Whether somebody else has written to an object. Controllers write to the status.
fn is_edited(meta: &ObjectMeta) -> bool {
    let is_foreign = |entry: &&ManagedFieldsEntry| !entry.manager.as_deref().unwrap_or_default().starts_with(FIELD_MANAGER);
    let is_status = |entry: &ManagedFieldsEntry| entry.subresource.as_deref() == Some("status");
    meta.managed_fields.iter().flatten().filter(is_foreign).any(|entry| !is_status(entry))
}

/// Whether fields of a Secret do not belong to us any more: whoever changes or removes a field takes it from us.
fn edited_secret<'a>(meta: &ObjectMeta, keys: impl Iterator<Item = &'a String>) -> Option<DriftChange> {
    let entries = meta.managed_fields.as_ref()?;
    if meta.deletion_timestamp.is_some() || entries.is_empty() {
        return None;
    }
    let ours = entries.iter().find(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER) && entry.operation.as_deref() == Some("Apply"));
    let fields = ours.and_then(|entry| entry.fields_v1.as_ref());
    let is_ours = |key: &&String| fields.is_some_and(|fields| !fields.0["f:data"][format!("f:{key}")].is_null());
    let taken: Vec<String> = keys.filter(|key| !is_ours(key)).map(|key| format!("data.{key}")).collect();
    (!taken.is_empty()).then_some(DriftChange::Edited(taken))
}

#[cfg(test)]
mod tests;
