//! A fake runtime in memory with a script per instance, which can inject failures. The contract of the real runtimes is tested
//! elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use toygres_domain::{
    InstanceId,
    address::Address,
    data::VolumeId,
    drift::{Drift, DriftChange, DriftKind, Expected, Inspection},
    instance::{Endpoint, Exposure, InstanceSpec, PostgresVersion, Reason, ReasonCode},
    parameter::{Changes, Parameters},
    restoration::{Restoration, RestoreMethod},
    runtime::{
        AddressProgress, CopyProgress, CopySource, Deployment, Host, Nudge, Observation, Progress, Restart, Runtime, RuntimeError, Suspension,
    },
    storage::VolumeSpace,
    upgrade::{AvailableUpdate, Upgrade},
    verification::{Verification, VerificationProgress},
};
use toygres_postgres::{Target, configuration::ConfigurationStatus};
use toygres_workflows::configuration::ConfigurationProbe;

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
    fn address_fault(&mut self) -> Option<bool> {
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

#[derive(Default)]
struct State {
    /// The existing instances, and the number of observations of each since it started.
    instances: HashMap<InstanceId, u32>,
    scripts: HashMap<InstanceId, Script>,
    deployments: HashMap<InstanceId, u32>,
    restarts: HashMap<InstanceId, Vec<Restart>>,
    /// The instances whose server is kept stopped.
    suspended: HashSet<InstanceId>,
    /// The instances whose data was restored.
    restored: HashSet<InstanceId>,
    /// The CPU, the memory and the volume of the existing instances.
    sizes: HashMap<InstanceId, Size>,
    /// The error of every list.
    unlisted: Option<RuntimeError>,
    repairs: HashMap<InstanceId, u32>,
    /// The version of the data of each instance, whether clients are kept out, and the version of the data that an upgrade has kept.
    versions: HashMap<InstanceId, PostgresVersion>,
    closed: HashSet<InstanceId>,
    former: HashMap<InstanceId, PostgresVersion>,
    /// The parameters in the configuration of each server, and those that it has started with.
    configured: HashMap<InstanceId, Parameters>,
    started: HashMap<InstanceId, Parameters>,
    /// Whether servers have certificates, and how often one was installed for each instance.
    speaks_tls: bool,
    /// The space of a volume; `None` so that nothing is measured, because all instances are on the server of the tests.
    space: Option<VolumeSpace>,
    installed: HashMap<InstanceId, u32>,
    /// The names by which clients reach each instance that was given another address.
    addresses: HashMap<InstanceId, BTreeSet<String>>,
}

impl State {
    /// Whether the host has anything of the instance.
    fn exists(&self, id: InstanceId) -> bool {
        self.instances.contains_key(&id) || self.restored.contains(&id)
    }

    /// What differs if the server should be kept stopped, or should not.
    fn server_drift(&self, id: InstanceId, suspended: bool) -> Option<Drift> {
        let is_suspended = self.suspended.contains(&id);
        let change = if is_suspended { DriftChange::Stopped } else { DriftChange::Started };
        (self.instances.contains_key(&id) && is_suspended != suspended).then(|| Drift::new(DriftKind::Server, "server", change))
    }

    fn set_suspended(&mut self, id: InstanceId, suspended: bool) {
        let changed = if suspended { self.suspended.insert(id) } else { self.suspended.remove(&id) };
        if let Some(observed) = self.instances.get_mut(&id).filter(|_| changed) {
            *observed = 0;
        }
    }

    fn script(&mut self, id: InstanceId) -> Result<&mut Script, RuntimeError> {
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

/// The fake runtime.
#[derive(Clone)]
pub struct FakeRuntime {
    state: Arc<Mutex<State>>,
    nudges: broadcast::Sender<Nudge>,
    endpoint: Endpoint,
}

impl FakeRuntime {
    /// Every instance listens at `endpoint`.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { state: Arc::default(), nudges: broadcast::Sender::new(256), endpoint }
    }

    pub fn script(&self, id: InstanceId, change: impl FnOnce(&mut Script)) {
        change(self.state.lock().unwrap().scripts.entry(id).or_default());
    }

    /// Keeps every verb in progress until [`Self::release`].
    pub fn hold(&self, id: InstanceId) {
        self.script(id, |script| {
            (script.pending, script.removing, script.restarting) = (u32::MAX, u32::MAX, u32::MAX);
            (script.suspending, script.resizing, script.restoring, script.upgrading) = (u32::MAX, u32::MAX, u32::MAX, u32::MAX);
        });
    }

    pub fn release(&self, id: InstanceId) {
        self.script(id, |script| {
            (script.pending, script.removing, script.restarting) = (0, 0, 0);
            (script.suspending, script.resizing, script.restoring, script.upgrading) = (0, 0, 0, 0);
        });
    }

    pub fn exists(&self, id: InstanceId) -> bool {
        self.state.lock().unwrap().exists(id)
    }

    /// Whether its data was restored.
    pub fn is_restored(&self, id: InstanceId) -> bool {
        self.state.lock().unwrap().restored.contains(&id)
    }

    /// Whether the server is kept stopped.
    pub fn is_suspended(&self, id: InstanceId) -> bool {
        self.state.lock().unwrap().suspended.contains(&id)
    }

    /// Starts the server, or keeps it stopped, without the control plane.
    pub fn set_suspended(&self, id: InstanceId, suspended: bool) {
        self.state.lock().unwrap().set_suspended(id, suspended);
    }

    pub fn deployments(&self, id: InstanceId) -> u32 {
        self.state.lock().unwrap().deployments.get(&id).copied().unwrap_or(0)
    }

    /// The restarts that were executed. A repeated request is counted again.
    pub fn restarts(&self, id: InstanceId) -> Vec<Restart> {
        self.state.lock().unwrap().restarts.get(&id).cloned().unwrap_or_default()
    }

    /// The version of the data of an existing instance, and whether clients can log in and nothing of an upgrade is left.
    pub fn version(&self, id: InstanceId) -> Option<(PostgresVersion, bool)> {
        let state = self.state.lock().unwrap();
        let version = state.versions.get(&id).copied()?;
        Some((version, !state.closed.contains(&id) && !state.former.contains_key(&id)))
    }

    /// The size of an existing instance.
    pub fn size(&self, id: InstanceId) -> Option<Size> {
        self.state.lock().unwrap().sizes.get(&id).copied()
    }

    /// Adds the instance without the control plane.
    pub fn add(&self, id: InstanceId) {
        self.state.lock().unwrap().instances.insert(id, 0);
    }

    /// Removes the instance without the control plane.
    pub fn take_away(&self, id: InstanceId) {
        self.state.lock().unwrap().instances.remove(&id);
    }

    /// Makes every list fail, or succeed again.
    pub fn refuse_to_list(&self, error: Option<RuntimeError>) {
        self.state.lock().unwrap().unlisted = error;
    }

    /// The number of calls of a repair.
    pub fn repairs(&self, id: InstanceId) -> u32 {
        self.state.lock().unwrap().repairs.get(&id).copied().unwrap_or(0)
    }

    /// The parameters in the configuration of the server.
    pub fn configured(&self, id: InstanceId) -> BTreeMap<String, String> {
        self.state.lock().unwrap().configured.get(&id).map(|parameters| parameters.values.clone()).unwrap_or_default()
    }

    /// Gives servers certificates from now on. By default they have none.
    pub fn speak_tls(&self) {
        self.state.lock().unwrap().speaks_tls = true;
    }

    /// From now on volumes end at their size, which is far away for a server that answers.
    pub fn limit_volumes(&self) {
        self.state.lock().unwrap().space = Some(VolumeSpace { usable_bytes: 1 << 50, is_enforced: true });
    }

    /// The number of times that a certificate was installed.
    pub fn installed(&self, id: InstanceId) -> u32 {
        self.state.lock().unwrap().installed.get(&id).copied().unwrap_or(0)
    }

    /// The names by which clients reach an instance that was given another address.
    pub fn addresses(&self, id: InstanceId) -> BTreeSet<String> {
        self.state.lock().unwrap().addresses.get(&id).cloned().unwrap_or_default()
    }

    /// Reports a change.
    pub fn report_change(&self, id: InstanceId) {
        let _ = self.nudges.send(Nudge { instance: id, death: None });
    }

    /// Reports the death of a server.
    pub fn report_death(&self, id: InstanceId, reason: Reason) {
        let _ = self.nudges.send(Nudge { instance: id, death: Some(reason) });
    }

    pub fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    /// An address that accepts connections of clients but not of the control plane.
    pub fn restricted_endpoint() -> Endpoint {
        Endpoint { host: "restricted.invalid".to_owned(), port: 5432 }
    }
}

pub fn pending() -> Reason {
    Reason::new(ReasonCode::StartingUp, "the instance is starting")
}

/// The error of an unreachable host.
pub fn away() -> RuntimeError {
    RuntimeError::temporary(ReasonCode::RuntimeUnavailable, "the host is away")
}

#[async_trait]
impl Runtime for FakeRuntime {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn host(&self) -> Host {
        Host { id: "fake".to_owned(), description: "nowhere".to_owned() }
    }

    fn versions(&self) -> Vec<PostgresVersion> {
        vec![PostgresVersion(18), PostgresVersion(17)]
    }

    fn offers(&self, _: &Exposure) -> bool {
        true
    }

    async fn deploy(&self, deployment: &Deployment) -> Result<(), RuntimeError> {
        let mut state = self.state.lock().unwrap();
        // A repetition for an instance that has come to run is not counted.
        if !(deployment.data.exists() && state.instances.contains_key(&deployment.id)) {
            *state.deployments.entry(deployment.id).or_default() += 1;
        }
        let script = state.script(deployment.id)?;
        if let Some((left, text)) = script.panics.as_mut().filter(|(left, _)| *left > 0) {
            *left -= 1;
            let text = *text;
            drop(state);
            panic!("{text}");
        }
        let (id, version) = (deployment.id, deployment.spec.postgres_version);
        let present = *state.versions.entry(id).or_insert(version);
        assert_eq!(present, version, "a server is deployed of another version than its data");
        if deployment.closed {
            state.closed.insert(id);
        } else {
            state.former.remove(&id);
            state.closed.remove(&id);
        }
        state.instances.entry(deployment.id).or_insert(0);
        let is_resumed = !deployment.suspended && state.suspended.contains(&deployment.id);
        state.set_suspended(deployment.id, deployment.suspended);
        state.sizes.insert(deployment.id, size_of(&deployment.spec));
        let parameters = &deployment.spec.parameters;
        state.configured.insert(deployment.id, parameters.clone());
        if is_resumed {
            state.started.insert(deployment.id, parameters.clone());
        }
        state.started.entry(deployment.id).or_insert_with(|| parameters.clone());
        Ok(())
    }

    async fn restore(&self, deployment: &Deployment, _: &Restoration) -> Result<Progress, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let script = state.script(deployment.id)?;
        if script.restoring > 0 {
            script.restoring -= 1;
            return Ok(Progress::InProgress(Reason::new(ReasonCode::StartingUp, "1 of 2 MiB are fetched from the store")));
        }
        state.restored.insert(deployment.id);
        Ok(Progress::Done)
    }

    fn copies(&self) -> bool {
        true
    }

    async fn copy(&self, deployment: &Deployment, source: &CopySource) -> Result<CopyProgress, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let script = state.script(deployment.id)?;
        if script.restoring > 0 {
            script.restoring -= 1;
            return Ok(CopyProgress::InProgress(Reason::new(ReasonCode::StartingUp, "1 of 2 MiB are copied")));
        }
        assert!(state.instances.contains_key(&source.id), "there is a source");
        state.restored.insert(deployment.id);
        Ok(CopyProgress::Done(RestoreMethod::Reflink))
    }

    fn verifies(&self, _: PostgresVersion) -> Result<(), String> {
        Ok(())
    }

    async fn verify(&self, _: &Verification) -> Result<VerificationProgress, RuntimeError> {
        Ok(VerificationProgress::Verified { restored_in: Duration::from_secs(1) })
    }

    async fn observe(&self, id: InstanceId) -> Result<Observation, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let script = state.script(id)?.clone();
        if state.suspended.contains(&id) {
            return Ok(Observation::Pending(Reason::new(ReasonCode::Suspended, "the server is stopped")));
        }
        let cpu_millis = state.sizes.get(&id).map_or(0, |size| size.0);
        let Some(observed) = state.instances.get_mut(&id) else { return Ok(Observation::Absent) };
        if let Some((_, reason)) = script.unschedulable_above.as_ref().filter(|(most, _)| cpu_millis > *most) {
            return Ok(Observation::Pending(reason.clone()));
        }
        *observed = observed.saturating_add(1);
        if *observed <= script.pending {
            return Ok(Observation::Pending(pending()));
        }
        if let Some(fatal) = script.fatal_parameter
            && state.started.get(&id).is_some_and(|started| started.values.contains_key(fatal))
        {
            return Ok(Observation::Pending(Reason::new(ReasonCode::ProcessExited, format!("FATAL: {fatal} is too large"))));
        }
        script.observation.unwrap_or_else(|| Ok(Observation::Ready(self.endpoint.clone())))
    }

    fn internal_endpoint(&self, _: &Address, endpoint: &Endpoint) -> Endpoint {
        if *endpoint == Self::restricted_endpoint() { self.endpoint.clone() } else { endpoint.clone() }
    }

    async fn volume(&self, id: InstanceId) -> Result<Option<VolumeId>, RuntimeError> {
        Ok(self.exists(id).then(|| VolumeId(id.to_string())))
    }

    async fn inspect(&self, expected: &[Expected]) -> Result<Vec<Inspection>, RuntimeError> {
        let state = self.state.lock().unwrap();
        let found = expected.iter().filter_map(|expected| {
            let script = state.scripts.get(&expected.id)?;
            let (mut drift, data, update) = (script.drift.clone(), script.data.clone(), script.update.clone());
            drift.extend(state.server_drift(expected.id, expected.suspended));
            let inspection = Inspection { id: expected.id, drift, data, update };
            (!inspection.is_empty()).then_some(inspection)
        });
        Ok(found.collect())
    }

    async fn repair(&self, deployment: &Deployment) -> Result<Vec<Drift>, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        *state.repairs.entry(deployment.id).or_default() += 1;
        let script = state.script(deployment.id)?;
        if let Some(refusal) = script.refusal.clone() {
            return Err(refusal);
        }
        let drift = if script.fought { script.drift.clone() } else { std::mem::take(&mut script.drift) };
        if script.unanswered > 0 {
            script.unanswered -= 1;
            return Err(away());
        }
        let mut drift = drift;
        drift.extend(state.server_drift(deployment.id, deployment.suspended));
        state.set_suspended(deployment.id, deployment.suspended);
        Ok(drift)
    }

    async fn remove(&self, id: InstanceId, _: bool) -> Result<Progress, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let exists = state.exists(id);
        let script = state.script(id)?;
        if let Some(answer) = script.removal.clone() {
            return answer;
        }
        if script.removing > 0 && exists {
            script.removing -= 1;
            return Ok(Progress::InProgress(Reason::new(ReasonCode::RemovalIncomplete, "the instance is stopping")));
        }
        state.instances.remove(&id);
        state.restored.remove(&id);
        state.suspended.remove(&id);
        state.sizes.remove(&id);
        state.versions.remove(&id);
        state.closed.remove(&id);
        state.former.remove(&id);
        Ok(Progress::Done)
    }

    async fn upgrade(&self, deployment: &Deployment, upgrade: &Upgrade) -> Result<Progress, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let id = deployment.id;
        let script = state.script(id)?;
        if let Some(error) = script.not_upgradable.clone() {
            return Err(error);
        }
        let in_progress = script.upgrading > 0;
        script.upgrading = script.upgrading.saturating_sub(1);
        let present = state.versions.get(&id).copied();
        if !upgrade.check_only && present == Some(upgrade.to) {
            return Ok(Progress::Done);
        }
        // From the first call on the server is stopped.
        state.set_suspended(id, true);
        if in_progress {
            return Ok(Progress::InProgress(Reason::new(ReasonCode::StartingUp, "pg_upgrade transfers the data")));
        }
        if upgrade.check_only {
            state.set_suspended(id, false);
        } else if let Some(former) = present {
            assert_eq!(former, upgrade.from);
            state.former.insert(id, former);
            state.versions.insert(id, upgrade.to);
        }
        Ok(Progress::Done)
    }

    async fn revert_upgrade(&self, deployment: &Deployment, _: &Upgrade) -> Result<Progress, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let id = deployment.id;
        let script = state.script(id)?;
        if script.upgrading > 0 {
            script.upgrading -= 1;
            return Ok(Progress::InProgress(Reason::new(ReasonCode::StartingUp, "the former data is put back")));
        }
        if let Some(former) = state.former.remove(&id) {
            state.versions.insert(id, former);
        }
        state.closed.remove(&id);
        state.set_suspended(id, false);
        if let Some(observed) = state.instances.get_mut(&id) {
            *observed = 0;
        }
        Ok(Progress::Done)
    }

    async fn restart(&self, id: InstanceId, restart: &Restart) -> Result<Progress, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let script = state.script(id)?;
        if script.restarting > 0 {
            script.restarting -= 1;
            return Ok(Progress::InProgress(Reason::new(ReasonCode::StartingUp, "the server is stopping")));
        }
        state.restarts.entry(id).or_default().push(restart.clone());
        if let Some(observed) = state.instances.get_mut(&id) {
            *observed = 0;
        }
        let configured = state.configured.get(&id).cloned().unwrap_or_default();
        state.started.insert(id, configured);
        Ok(Progress::Done)
    }

    async fn suspend(&self, expected: &Expected, _: &Suspension) -> Result<Progress, RuntimeError> {
        assert!(expected.suspended, "it is expected to be suspended");
        let mut state = self.state.lock().unwrap();
        let script = state.script(expected.id)?;
        if let Some(error) = script.suspension.clone() {
            return Err(error);
        }
        let in_progress = script.suspending > 0;
        script.suspending = script.suspending.saturating_sub(1);
        // From the first call on nothing starts it.
        state.set_suspended(expected.id, true);
        if in_progress {
            return Ok(Progress::InProgress(Reason::new(ReasonCode::StartingUp, "the server is stopping")));
        }
        Ok(Progress::Done)
    }

    /// As on a real host, the volume comes first, and stays.
    async fn resize(&self, deployment: &Deployment, _: &Restart) -> Result<Progress, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let script = state.script(deployment.id)?;
        let is_in_progress = script.resizing > 0;
        script.resizing = script.resizing.saturating_sub(1);
        let (cpu_millis, memory_mb, storage_gb) = size_of(&deployment.spec);
        let Some(size) = state.sizes.get_mut(&deployment.id) else { return Ok(Progress::Done) };
        size.2 = size.2.max(storage_gb);
        if is_in_progress {
            return Ok(Progress::InProgress(Reason::new(ReasonCode::VolumeNotExpanded, "the volume is growing")));
        }
        let is_changed = (size.0, size.1) != (cpu_millis, memory_mb);
        (size.0, size.1) = (cpu_millis, memory_mb);
        if let Some(observed) = state.instances.get_mut(&deployment.id).filter(|_| is_changed) {
            *observed = 0;
        }
        Ok(Progress::Done)
    }

    fn volume_space(&self, _: i32) -> Option<VolumeSpace> {
        self.state.lock().unwrap().space
    }

    fn size_settings(&self, _: &InstanceSpec) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    async fn volume_gb(&self, id: InstanceId) -> Result<Option<i32>, RuntimeError> {
        Ok(self.size(id).map(|size| size.2))
    }

    async fn install_tls(&self, deployment: &Deployment) -> Result<(), RuntimeError> {
        *self.state.lock().unwrap().installed.entry(deployment.id).or_default() += 1;
        Ok(())
    }

    fn speaks_tls(&self, _: PostgresVersion) -> bool {
        self.state.lock().unwrap().speaks_tls
    }

    fn server_names(&self, _: &Address) -> Vec<String> {
        vec!["localhost".to_owned()]
    }

    fn gives_addresses(&self) -> bool {
        true
    }

    async fn add_address(&self, deployment: &Deployment) -> Result<AddressProgress, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let script = state.script(deployment.id)?;
        let fault = script.address_fault();
        if fault == Some(false) {
            return Err(away());
        }
        let left = &mut script.addressing.0;
        let is_there = *left == 0;
        *left = left.saturating_sub(1);
        state.addresses.entry(deployment.id).or_default().insert(deployment.name.to_string());
        if fault.is_some() {
            return Err(away());
        }
        Ok(if is_there { AddressProgress::At(self.endpoint.clone()) } else { AddressProgress::InProgress(pending()) })
    }

    async fn remove_other_addresses(&self, deployment: &Deployment) -> Result<Progress, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let script = state.script(deployment.id)?;
        let fault = script.address_fault();
        if fault == Some(false) {
            return Err(away());
        }
        let left = &mut script.addressing.1;
        if *left > 0 {
            *left -= 1;
            return Ok(Progress::InProgress(pending()));
        }
        state.addresses.entry(deployment.id).or_default().retain(|name| *name == deployment.name.to_string());
        if fault.is_some() { Err(away()) } else { Ok(Progress::Done) }
    }

    async fn list(&self) -> Result<Vec<InstanceId>, RuntimeError> {
        let state = self.state.lock().unwrap();
        match &state.unlisted {
            Some(error) => Err(error.clone()),
            None => Ok(state.instances.keys().copied().collect()),
        }
    }

    fn nudges(&self) -> BoxStream<'static, Nudge> {
        BroadcastStream::new(self.nudges.subscribe()).filter_map(|nudge| std::future::ready(nudge.ok())).boxed()
    }
}

/// What the server of an instance has been configured with; all instances have the same real server.
#[async_trait]
impl ConfigurationProbe for FakeRuntime {
    async fn status(&self, id: InstanceId, _: &Target, spec: &InstanceSpec, expected: &Parameters) -> Result<ConfigurationStatus, Reason> {
        let mut state = self.state.lock().unwrap();
        let script = state.script(id).map_err(|error| error.reason)?;
        if script.unread > 0 {
            script.unread -= 1;
            return Ok(ConfigurationStatus::Outdated);
        }
        let refused = script.refused_parameter;
        let (configured, started) = (&state.configured[&id], &state.started[&id]);
        if configured.values != expected.values {
            return Ok(ConfigurationStatus::Outdated);
        }
        if configured.needs_restart(spec.postgres_version, started) {
            return Ok(ConfigurationStatus::Refused("it was not restarted".to_owned()));
        }
        let refused = refused.filter(|name| configured.values.contains_key(*name));
        Ok(refused.map_or(ConfigurationStatus::Current, |name| ConfigurationStatus::Refused(format!("{name} could not be applied"))))
    }

    async fn refusal(&self, _: &Target, _: &InstanceSpec, changes: &Changes) -> Result<Option<String>, Reason> {
        let state = self.state.lock().unwrap();
        let refused = state.scripts.values().filter_map(|script| script.refused_text).find(|name| changes.contains_key(*name));
        Ok(refused.map(|name| format!("invalid value for parameter \"{name}\"")))
    }

    async fn logical_slots(&self, id: InstanceId, _: &Target) -> Result<Vec<String>, Reason> {
        let mut state = self.state.lock().unwrap();
        Ok(state.script(id).map_err(|error| error.reason)?.logical_slots.clone())
    }

    async fn discard(&self, _: InstanceId, _: &Target, _: &str) -> Result<(), Reason> {
        Ok(())
    }

    async fn analyze(&self, _: InstanceId, _: &Target, _: Duration) -> Result<usize, Reason> {
        Ok(0)
    }
}
