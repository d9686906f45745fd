//! Drift: what of a deployed instance somebody else has deleted or edited.

use std::fmt;

use crate::{
    InstanceId,
    data::Data,
    instance::{InstanceSpec, Reason, ReasonCode},
    name::InstanceName,
    roles::Roles,
    runtime::Deployment,
    upgrade::AvailableUpdate,
};

/// What an instance is compared with: what was deployed, without the passwords.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The instance.
    pub id: InstanceId,
    /// Its name.
    pub name: InstanceName,
    /// See [`Deployment::first_name`].
    pub first_name: InstanceName,
    /// The requested configuration.
    pub spec: InstanceSpec,
    /// The roles that it was created with.
    pub roles: Roles,
    /// Whether it has run, and with which volume.
    pub data: Data,
    /// Whether its server is kept stopped.
    pub suspended: bool,
}

impl From<&Deployment> for Expected {
    fn from(deployment: &Deployment) -> Self {
        let Deployment { id, name, first_name, spec, credentials, data, certificate: _, suspended, closed: _ } = deployment;
        Self {
            id: *id,
            name: name.clone(),
            first_name: first_name.clone(),
            spec: spec.clone(),
            roles: credentials.roles(),
            data: data.clone(),
            suspended: *suspended,
        }
    }
}

/// What was found out about an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The instance.
    pub id: InstanceId,
    /// What differs and can be put back.
    pub drift: Vec<Drift>,
    /// What happened to its data, which cannot be put back: [`ReasonCode::DataLost`] or [`ReasonCode::VolumeTerminating`].
    pub data: Option<Reason>,
    /// What a restart with what the host has now would change of its server.
    pub update: Option<AvailableUpdate>,
}

impl Inspection {
    /// Whether there is nothing to say about the instance.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { id: _, drift, data, update } = self;
        drift.is_empty() && data.is_none() && update.is_none()
    }
}

/// One object that differs from what was deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The kind of object.
    pub kind: DriftKind,
    /// Its name.
    pub name: String,
    /// What happened to it.
    pub change: DriftChange,
}

crate::instance::text_enum! {
    /// The kinds of objects that can drift.
    pub enum DriftKind {
        /// The StatefulSet of an instance on Kubernetes.
        StatefulSet,
        /// One of its Services.
        Service,
        /// Its Secret.
        Secret,
        /// Its NetworkPolicy.
        NetworkPolicy,
        /// A configuration file of a local process.
        Configuration,
        /// The server of a local process: whether it is kept stopped.
        Server,
    }
}

/// What happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriftChange {
    /// It was deleted.
    Deleted,
    /// These of its fields were edited; none if they are not known.
    Edited(Vec<String>),
    /// It was started although the instance is suspended.
    Started,
    /// It is kept stopped although the instance is not suspended.
    Stopped,
}

impl Drift {
    /// Makes a drift.
    #[must_use]
    pub fn new(kind: DriftKind, name: impl Into<String>, change: DriftChange) -> Self {
        Self { kind, name: name.into(), change }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More would not be read.
        const FIELDS: usize = 3;
        let kind = match self.kind {
            DriftKind::StatefulSet => "the StatefulSet",
            DriftKind::Service => "the Service",
            DriftKind::Secret => "the Secret",
            DriftKind::NetworkPolicy => "the NetworkPolicy",
            DriftKind::Configuration => "the file",
            DriftKind::Server => "the server",
        };
        write!(f, "{kind} {}", self.name)?;
        match &self.change {
            DriftChange::Deleted => f.write_str(" was deleted"),
            DriftChange::Started => f.write_str(" was started"),
            DriftChange::Stopped => f.write_str(" was stopped"),
            DriftChange::Edited(fields) if fields.is_empty() => f.write_str(" was edited"),
            DriftChange::Edited(fields) => {
                write!(f, " was edited ({}", fields.iter().take(FIELDS).cloned().collect::<Vec<_>>().join(", "))?;
                f.write_str(if fields.len() > FIELDS { ", ...)" } else { ")" })
            }
        }
    }
}

/// What was put back, as the reason of the event about it.
#[must_use]
pub fn put_back(drift: &[impl fmt::Display]) -> Reason {
    Reason::new(ReasonCode::Drifted, format!("Put back: {}", listed(drift)))
}

/// What differs and cannot be put back.
#[must_use]
pub fn not_put_back(drift: &[Drift], why: &Reason) -> Reason {
    Reason::new(ReasonCode::Drifted, format!("It differs from what was deployed ({}) and cannot be put back: {}", listed(drift), why.message))
}

fn listed(drift: &[impl fmt::Display]) -> String {
    drift.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_is_a_sentence() {
        let fields = |count: usize| DriftChange::Edited((1..=count).map(|number| format!("spec.f{number}")).collect());
        let drift = [
            Drift::new(DriftKind::Service, "orders", DriftChange::Deleted),
            Drift::new(DriftKind::Configuration, "pg_hba.conf", fields(0)),
            Drift::new(DriftKind::StatefulSet, "toygres-1", fields(4)),
        ];
        assert_eq!(
            put_back(&drift).message,
            "Put back: the Service orders was deleted; the file pg_hba.conf was edited; \
             the StatefulSet toygres-1 was edited (spec.f1, spec.f2, spec.f3, ...)"
        );
    }
}
