//! The configuration of the servers of the fake runtime.

use std::time::Duration;

use async_trait::async_trait;
use toygres_domain::{
    InstanceId,
    instance::{InstanceSpec, Reason},
    name::SqlName,
    parameter::{Changes, Parameters},
};
use toygres_postgres::{Target, clients::Clients, configuration::ConfigurationStatus};
use toygres_workflows::configuration::ConfigurationProbe;

use super::FakeRuntime;

/// What the server of an instance has been configured with; all instances have the same real server.
#[async_trait]
impl ConfigurationProbe for FakeRuntime {
    async fn status(
        &self,
        id: InstanceId,
        _: &Target,
        spec: &InstanceSpec,
        _: &[SqlName],
        expected: &Parameters,
    ) -> Result<ConfigurationStatus, Reason> {
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

    async fn adapt(&self, _: InstanceId, _: &Target, _: Clients<'_>) -> Result<(), Reason> {
        Ok(())
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
