//! A runtime in memory, which obeys a script. A double is right here because failures must be injected; the real ones are held
//! to their contract elsewhere.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, Exposure, PostgresVersion, Reason, ReasonCode},
    name::InstanceName,
    runtime::{Deployment, Nudge, Observation, Progress, Runtime, RuntimeError},
};

/// What an instance does when it is looked at, deployed or removed. The default is a well-behaved one: pending twice, then
/// ready; removed at the second try.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// So many looks find it pending.
    pub pending: u32,
    /// What a look finds in the end; ready when none.
    pub observation: Option<Result<Observation, RuntimeError>>,
    /// So many removals are still going on.
    pub removing: u32,
    /// What every removal answers.
    pub removal: Option<Result<Progress, RuntimeError>>,
    /// What the next deployments answer, one after the other.
    pub deployments: Vec<RuntimeError>,
    /// So many deployments panic with this text.
    pub panics: Option<(u32, &'static str)>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { pending: 2, observation: None, removing: 1, removal: None, deployments: Vec::new(), panics: None }
    }
}

#[derive(Default)]
struct State {
    /// What stands, and how often it was looked at.
    standing: HashMap<InstanceId, u32>,
    behaviours: HashMap<InstanceId, Behaviour>,
    deployments: HashMap<InstanceId, u32>,
}

/// See the module.
#[derive(Clone)]
pub struct Double {
    state: Arc<Mutex<State>>,
    nudges: broadcast::Sender<Nudge>,
    endpoint: Endpoint,
}

impl Double {
    /// Every instance listens at `endpoint`.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { state: Arc::default(), nudges: broadcast::Sender::new(256), endpoint }
    }

    pub fn behave(&self, id: InstanceId, change: impl FnOnce(&mut Behaviour)) {
        change(self.state.lock().unwrap().behaviours.entry(id).or_default());
    }

    pub fn stands(&self, id: InstanceId) -> bool {
        self.state.lock().unwrap().standing.contains_key(&id)
    }

    pub fn deployments(&self, id: InstanceId) -> u32 {
        self.state.lock().unwrap().deployments.get(&id).copied().unwrap_or(0)
    }

    /// Somebody puts it there, or takes it away, behind the control plane's back.
    pub fn conjure(&self, id: InstanceId, stands: bool) {
        let mut state = self.state.lock().unwrap();
        if stands {
            state.standing.insert(id, 0);
        } else {
            state.standing.remove(&id);
        }
    }

    /// Tells of a death.
    pub fn die(&self, id: InstanceId, reason: Reason) {
        let _ = self.nudges.send(Nudge { instance: id, death: Some(reason) });
    }

    pub fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    /// An address at which clients are let in and the control plane is not.
    pub fn restricted_endpoint() -> Endpoint {
        Endpoint { host: "restricted.invalid".to_owned(), port: 5432 }
    }
}

pub fn pending() -> Reason {
    Reason::new(ReasonCode::StartingUp, "the double is starting")
}

#[async_trait]
impl Runtime for Double {
    fn name(&self) -> &'static str {
        "double"
    }

    fn versions(&self) -> Vec<PostgresVersion> {
        vec![PostgresVersion(17)]
    }

    fn offers(&self, _: &Exposure) -> bool {
        true
    }

    async fn deploy(&self, deployment: &Deployment) -> Result<(), RuntimeError> {
        let mut state = self.state.lock().unwrap();
        *state.deployments.entry(deployment.id).or_default() += 1;
        let behaviour = state.behaviours.entry(deployment.id).or_default();
        if let Some((left, text)) = behaviour.panics.as_mut().filter(|(left, _)| *left > 0) {
            *left -= 1;
            let text = *text;
            drop(state);
            panic!("{text}");
        }
        if !behaviour.deployments.is_empty() {
            return Err(behaviour.deployments.remove(0));
        }
        state.standing.entry(deployment.id).or_insert(0);
        Ok(())
    }

    async fn observe(&self, id: InstanceId) -> Result<Observation, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let behaviour = state.behaviours.get(&id).cloned().unwrap_or_default();
        let Some(looks) = state.standing.get_mut(&id) else { return Ok(Observation::Absent) };
        *looks += 1;
        if *looks <= behaviour.pending {
            return Ok(Observation::Pending(pending()));
        }
        behaviour.observation.unwrap_or_else(|| Ok(Observation::Ready(self.endpoint.clone())))
    }

    fn internal_endpoint(&self, _: &InstanceName, _: &Exposure, endpoint: &Endpoint) -> Endpoint {
        if *endpoint == Self::restricted_endpoint() { self.endpoint.clone() } else { endpoint.clone() }
    }

    async fn remove(&self, id: InstanceId, _: bool) -> Result<Progress, RuntimeError> {
        let mut state = self.state.lock().unwrap();
        let behaviour = state.behaviours.entry(id).or_default();
        if let Some(answer) = behaviour.removal.clone() {
            return answer;
        }
        if behaviour.removing > 0 && state.standing.contains_key(&id) {
            state.behaviours.entry(id).or_default().removing -= 1;
            return Ok(Progress::InProgress(Reason::new(ReasonCode::RemovalIncomplete, "the double is stopping")));
        }
        state.standing.remove(&id);
        Ok(Progress::Done)
    }

    async fn list(&self) -> Result<Vec<InstanceId>, RuntimeError> {
        Ok(self.state.lock().unwrap().standing.keys().copied().collect())
    }

    fn nudges(&self) -> BoxStream<'static, Nudge> {
        BroadcastStream::new(self.nudges.subscribe()).filter_map(|nudge| std::future::ready(nudge.ok())).boxed()
    }
}
