//! The verbs of the fake runtime.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use tokio_stream::wrappers::BroadcastStream;
use toygres_domain::{
    InstanceId,
    address::Address,
    data::VolumeId,
    drift::{Drift, Expected, Inspection},
    instance::{Endpoint, Exposure, InstanceSpec, PostgresVersion, Reason, ReasonCode},
    restoration::{Restoration, RestoreMethod},
    runtime::{
        AddressProgress, CopyProgress, CopySource, Deployment, Host, Nudge, Observation, Progress, Restart, Runtime, RuntimeError, Suspension,
    },
    storage::VolumeSpace,
    upgrade::Upgrade,
    verification::{Verification, VerificationProgress},
};

use super::{FakeRuntime, away, pending, script::size_of};

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
