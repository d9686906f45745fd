//! A fake runtime in memory with a script per instance, which can inject failures. The contract of the real runtimes is tested
//! elsewhere.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use toygres_domain::{
    InstanceId,
    data::VolumeId,
    drift::{Drift, Expected, Inspection},
    instance::{Endpoint, Exposure, InstanceSpec, PostgresVersion, Reason, ReasonCode},
    name::InstanceName,
    parameter::{Changes, Parameters},
    runtime::{Deployment, Host, Nudge, Observation, Progress, Restart, Runtime, RuntimeError},
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
            error: None,
        }
    }
}

#[derive(Default)]
struct State {
    /// The existing instances, and the number of observations of each since it started.
    instances: HashMap<InstanceId, u32>,
    scripts: HashMap<InstanceId, Script>,
    deployments: HashMap<InstanceId, u32>,
    restarts: HashMap<InstanceId, Vec<Restart>>,
    /// The error of every list.
    unlisted: Option<RuntimeError>,
    repairs: HashMap<InstanceId, u32>,
    /// The parameters in the configuration of each server, and those that it has started with.
    configured: HashMap<InstanceId, Parameters>,
    started: HashMap<InstanceId, Parameters>,
}

impl State {
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
        self.script(id, |script| (script.pending, script.removing, script.restarting) = (u32::MAX, u32::MAX, u32::MAX));
    }

    pub fn release(&self, id: InstanceId) {
        self.script(id, |script| (script.pending, script.removing, script.restarting) = (0, 0, 0));
    }

    pub fn exists(&self, id: InstanceId) -> bool {
        self.state.lock().unwrap().instances.contains_key(&id)
    }

    pub fn deployments(&self, id: InstanceId) -> u32 {
        self.state.lock().unwrap().deployments.get(&id).copied().unwrap_or(0)
    }

    /// The restarts that were executed. A repeated request is counted again.
    pub fn restarts(&self, id: InstanceId) -> Vec<Restart> {
        self.state.lock().unwrap().restarts.get(&id).cloned().unwrap_or_default()
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
        vec![PostgresVersion(17)]
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
        state.instances.entry(deployment.id).or_insert(0);
        let parameters = &deployment.spec.parameters;
        state.configured.insert(deployment.id, parameters.clone());
        state.started.entry(deployment.id).or_insert_with(|| parameters.clone());
        Ok(())
    }

    async fn observe(&self, id: InstanceId) -> Result<Observation, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let script = state.script(id)?.clone();
        let Some(observed) = state.instances.get_mut(&id) else { return Ok(Observation::Absent) };
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

    fn internal_endpoint(&self, _: &InstanceName, _: &Exposure, endpoint: &Endpoint) -> Endpoint {
        if *endpoint == Self::restricted_endpoint() { self.endpoint.clone() } else { endpoint.clone() }
    }

    async fn volume(&self, id: InstanceId) -> Result<Option<VolumeId>, RuntimeError> {
        Ok(self.exists(id).then(|| VolumeId(id.to_string())))
    }

    async fn inspect(&self, expected: &[Expected]) -> Result<Vec<Inspection>, RuntimeError> {
        let state = self.state.lock().unwrap();
        let found = expected.iter().filter_map(|expected| {
            let script = state.scripts.get(&expected.id)?;
            let (drift, data) = (script.drift.clone(), script.data.clone());
            (data.is_some() || !drift.is_empty()).then_some(Inspection { id: expected.id, drift, data })
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
        Ok(drift)
    }

    async fn remove(&self, id: InstanceId, _: bool) -> Result<Progress, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let exists = state.instances.contains_key(&id);
        let script = state.script(id)?;
        if let Some(answer) = script.removal.clone() {
            return answer;
        }
        if script.removing > 0 && exists {
            script.removing -= 1;
            return Ok(Progress::InProgress(Reason::new(ReasonCode::RemovalIncomplete, "the instance is stopping")));
        }
        state.instances.remove(&id);
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

    async fn install_certificate(&self, _: &Deployment) -> Result<(), RuntimeError> {
        Ok(())
    }

    fn speaks_tls(&self, _: PostgresVersion) -> bool {
        false
    }

    fn server_names(&self, _: &InstanceName, _: &Exposure) -> Vec<String> {
        vec!["localhost".to_owned()]
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
}
