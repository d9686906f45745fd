//! What the fake runtime is told to do, and what it has.

use std::collections::{BTreeSet, HashMap, HashSet};

use toygres_domain::{
    InstanceId,
    drift::{Drift, DriftChange, DriftKind},
    instance::{InstanceSpec, PostgresVersion, Reason},
    parameter::Parameters,
    runtime::{Observation, Progress, Restart, RuntimeError},
    storage::VolumeSpace,
    upgrade::AvailableUpdate,
};

/// The results of the verbs for one instance. By default it is pending twice and then ready, and a restart and a removal are done
/// at the second call.
#[derive(Clone, Debug)]
pub struct Script {
    /// The number of observations after a deployment or a restart that find it pending.
    pub pending: u32,
    /// The result of later observations; ready if `None`.
    pub observation: Option<Result<Observation, RuntimeError>>,
    /// The number of calls of a removal that find it in progress.
    pub removing: u32,
    /// The error of every removal.
    pub removal: Option<Result<Progress, RuntimeError>>,
    /// The number of calls of a restart that find it in progress.
    pub restarting: u32,
    /// The number of calls of a suspension that find it in progress.
    pub suspending: u32,
    /// The error of every suspension.
    pub suspension: Option<RuntimeError>,
    /// The number of calls of a resize that find it in progress.
    pub resizing: u32,
    /// The number of calls of a restoration that find it in progress.
    pub restoring: u32,
    /// The number of calls of an upgrade, and of its reversal, that find it in progress.
    pub upgrading: u32,
    /// The error of every upgrade.
    pub not_upgradable: Option<RuntimeError>,
    /// The logical replication slots of the server.
    pub logical_slots: Vec<String>,
    /// The reason why an instance with more CPU than this stays pending.
    pub unschedulable_above: Option<(i32, Reason)>,
    /// The number of deployments that panic, and the text of the panic.
    pub panics: Option<(u32, &'static str)>,
    /// What an inspection finds, and a repair puts back.
    pub drift: Vec<Drift>,
    /// What an inspection finds out about the data.
    pub data: Option<Reason>,
    /// Whether what was put back is edited again at once.
    pub fought: bool,
    /// The number of repairs that put everything back, and whose answer is lost.
    pub unanswered: u32,
    /// The error of every repair.
    pub refusal: Option<RuntimeError>,
    /// A parameter with which the server exits when it starts.
    pub fatal_parameter: Option<&'static str>,
    /// The number of times that a server which is asked for its configuration has not read it yet.
    pub unread: u32,
    /// What a server that has this parameter says of its configuration.
    pub refused_parameter: Option<&'static str>,
    /// What a server says of texts before it has them.
    pub refused_text: Option<&'static str>,
    /// The number of calls that add an address, and that remove the others, which find it in progress.
    pub addressing: (u32, u32),
    /// Which call of the verbs for addresses, from 0, fails once, and whether it does its work before that.
    pub address_fault: Option<(u32, bool)>,
    /// What an inspection finds that a restart would change of the server.
    pub update: Option<AvailableUpdate>,
    /// The number of calls of any verb that return this error.
    pub error: Option<(u32, RuntimeError)>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            pending: 2,
            observation: None,
            removing: 1,
            removal: None,
            restarting: 1,
            suspending: 1,
            suspension: None,
            resizing: 1,
            restoring: 1,
            upgrading: 1,
            not_upgradable: None,
            logical_slots: Vec::new(),
            unschedulable_above: None,
            panics: None,
            drift: Vec::new(),
            data: None,
            fought: false,
            unanswered: 0,
            refusal: None,
            fatal_parameter: None,
            unread: 1,
            refused_parameter: None,
            refused_text: None,
            addressing: (1, 1),
            address_fault: None,
            update: None,
            error: None,
        }
    }
}

impl Script {
    /// Whether the present call of a verb for addresses fails, and then whether it does its work before that.
    pub(super) fn address_fault(&mut self) -> Option<bool> {
        match &mut self.address_fault {
            Some((0, works)) => {
                let works = *works;
                self.address_fault = None;
                Some(works)
            }
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        }
    }
}

/// CPU, memory and storage.
pub type Size = (i32, i32, i32);

/// The size that a specification asks for.
pub fn size_of(spec: &InstanceSpec) -> Size {
    (spec.cpu_millis, spec.memory_mb, spec.storage_gb)
}

/// What there is.
#[derive(Default)]
pub(super) struct State {
    /// The existing instances, and the number of observations of each since it started.
    pub(super) instances: HashMap<InstanceId, u32>,
    pub(super) scripts: HashMap<InstanceId, Script>,
    pub(super) deployments: HashMap<InstanceId, u32>,
    pub(super) restarts: HashMap<InstanceId, Vec<Restart>>,
    /// The instances whose server is kept stopped.
    pub(super) suspended: HashSet<InstanceId>,
    /// The instances whose data was restored.
    pub(super) restored: HashSet<InstanceId>,
    /// The CPU, the memory and the volume of the existing instances.
    pub(super) sizes: HashMap<InstanceId, Size>,
    /// The error of every list.
    pub(super) unlisted: Option<RuntimeError>,
    pub(super) repairs: HashMap<InstanceId, u32>,
    /// The version of the data of each instance, whether clients are kept out, and the version of the data that an upgrade has kept.
    pub(super) versions: HashMap<InstanceId, PostgresVersion>,
    pub(super) closed: HashSet<InstanceId>,
    pub(super) former: HashMap<InstanceId, PostgresVersion>,
    /// The parameters in the configuration of each server, and those that it has started with.
    pub(super) configured: HashMap<InstanceId, Parameters>,
    pub(super) started: HashMap<InstanceId, Parameters>,
    /// Whether servers have certificates, and how often one was installed for each instance.
    pub(super) speaks_tls: bool,
    /// The space of a volume; `None` so that nothing is measured, because all instances are on the server of the tests.
    pub(super) space: Option<VolumeSpace>,
    pub(super) installed: HashMap<InstanceId, u32>,
    /// The names by which clients reach each instance that was given another address.
    pub(super) addresses: HashMap<InstanceId, BTreeSet<String>>,
}

impl State {
    /// Whether the host has anything of the instance.
    pub(super) fn exists(&self, id: InstanceId) -> bool {
        self.instances.contains_key(&id) || self.restored.contains(&id)
    }

    /// What differs if the server should be kept stopped, or should not.
    pub(super) fn server_drift(&self, id: InstanceId, suspended: bool) -> Option<Drift> {
        let is_suspended = self.suspended.contains(&id);
        let change = if is_suspended { DriftChange::Stopped } else { DriftChange::Started };
        (self.instances.contains_key(&id) && is_suspended != suspended).then(|| Drift::new(DriftKind::Server, "server", change))
    }

    pub(super) fn set_suspended(&mut self, id: InstanceId, suspended: bool) {
        let changed = if suspended { self.suspended.insert(id) } else { self.suspended.remove(&id) };
        if let Some(observed) = self.instances.get_mut(&id).filter(|_| changed) {
            *observed = 0;
        }
    }

    pub(super) fn script(&mut self, id: InstanceId) -> Result<&mut Script, RuntimeError> {
        let script = self.scripts.entry(id).or_default();
        match &mut script.error {
            Some((left, error)) if *left > 0 => {
                *left -= 1;
                Err(error.clone())
            }
            _ => Ok(script),
        }
    }
}
