//! A fake runtime in memory with a script per instance, which can inject failures. The contract of the real runtimes is tested
//! elsewhere.

mod configuration;
mod script;
mod verbs;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use tokio::sync::broadcast;
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, PostgresVersion, Reason, ReasonCode},
    runtime::{Nudge, Restart, RuntimeError},
    storage::VolumeSpace,
};

use script::State;
pub use script::{Script, Size, size_of};

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
        self.limit_volumes_to(1 << 50);
    }

    /// From now on volumes end at another size.
    pub fn limit_volumes_to(&self, usable_bytes: i64) {
        self.state.lock().unwrap().space = Some(VolumeSpace { usable_bytes, is_enforced: true });
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
