//! Whether the server of an instance has the parameters that it should have.

use std::time::Duration;

use async_trait::async_trait;
use toygres_domain::{
    InstanceId,
    instance::{Instance, InstanceSpec, Reason, ReasonCode},
    name::SqlName,
    parameter::{Changes, Parameters},
    runtime::Progress,
};
use toygres_postgres::{
    Target,
    clients::{self, Clients},
    configuration::{self, ConfigurationStatus},
    upgrade,
};

use crate::{ActivityContext, Failure, certificates::identity};

/// How long asking a server may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks servers for their configuration, and what an upgrade needs of them.
#[async_trait]
pub trait ConfigurationProbe: Send + Sync + 'static {
    /// See [`configuration::status`].
    async fn status(
        &self,
        id: InstanceId,
        target: &Target,
        spec: &InstanceSpec,
        users: &[SqlName],
        parameters: &Parameters,
    ) -> Result<ConfigurationStatus, Reason>;

    /// See [`configuration::refusal`].
    async fn refusal(&self, target: &Target, spec: &InstanceSpec, changes: &Changes) -> Result<Option<String>, Reason>;

    /// See [`clients::adapt`].
    async fn adapt(&self, id: InstanceId, superuser: &Target, clients: Clients<'_>) -> Result<(), Reason>;

    /// See [`upgrade::logical_slots`].
    async fn logical_slots(&self, id: InstanceId, superuser: &Target) -> Result<Vec<String>, Reason>;

    /// See [`upgrade::discard`].
    async fn discard(&self, id: InstanceId, superuser: &Target, directory: &str) -> Result<(), Reason>;

    /// See [`upgrade::analyze`].
    async fn analyze(&self, id: InstanceId, superuser: &Target, at_most: Duration) -> Result<usize, Reason>;
}

/// Asks by SQL.
#[derive(Clone, Copy, Debug)]
pub struct SqlProbe;

#[async_trait]
impl ConfigurationProbe for SqlProbe {
    async fn status(
        &self,
        _: InstanceId,
        target: &Target,
        spec: &InstanceSpec,
        users: &[SqlName],
        parameters: &Parameters,
    ) -> Result<ConfigurationStatus, Reason> {
        configuration::status(target, spec.postgres_version, Clients { owner: &spec.username, users }, parameters, TIMEOUT).await
    }

    async fn refusal(&self, target: &Target, spec: &InstanceSpec, changes: &Changes) -> Result<Option<String>, Reason> {
        configuration::refusal(target, spec.postgres_version, changes, TIMEOUT).await
    }

    async fn adapt(&self, _: InstanceId, superuser: &Target, clients: Clients<'_>) -> Result<(), Reason> {
        clients::adapt(superuser, clients, TIMEOUT).await
    }

    async fn logical_slots(&self, _: InstanceId, superuser: &Target) -> Result<Vec<String>, Reason> {
        upgrade::logical_slots(superuser, TIMEOUT).await
    }

    async fn discard(&self, _: InstanceId, superuser: &Target, directory: &str) -> Result<(), Reason> {
        upgrade::discard(superuser, directory, TIMEOUT).await
    }

    async fn analyze(&self, _: InstanceId, superuser: &Target, at_most: Duration) -> Result<usize, Reason> {
        upgrade::analyze(superuser, at_most, TIMEOUT).await
    }
}

/// Whether the server of an instance has these parameters. It fails for good if the server refuses them.
pub(crate) async fn configuration_status(context: &ActivityContext, instance: &Instance, parameters: &Parameters) -> Result<Progress, Failure> {
    let Some(target) = superuser(context, instance).await? else { return Ok(Progress::Done) };
    let users = context.store.other_users(instance).await?;
    match context.configuration.status(instance.id, &target, &instance.spec, &users, parameters).await {
        Ok(ConfigurationStatus::Current) => Ok(Progress::Done),
        Ok(ConfigurationStatus::Outdated) => {
            Ok(Progress::InProgress(Reason::new(ReasonCode::StartingUp, "the server has not read its changed configuration yet")))
        }
        Ok(ConfigurationStatus::Refused(why)) => Err(Failure::Failed(Reason::new(ReasonCode::QueryFailed, why))),
        Err(symptom) => Err(Failure::Retry(symptom)),
    }
}

/// Fails for good if the server says that it would refuse one of these changes. A server that cannot be asked is no reason not to try.
pub(crate) async fn check_texts(context: &ActivityContext, instance: &Instance, changes: &Changes) -> Result<(), Failure> {
    let Some(target) = superuser(context, instance).await? else { return Ok(()) };
    match context.configuration.refusal(&target, &instance.spec, changes).await {
        Ok(Some(why)) => Err(Failure::Failed(Reason::new(ReasonCode::QueryFailed, format!("the server refuses it: {why}")))),
        Ok(None) | Err(_) => Ok(()),
    }
}

/// The login of the superuser; `None` if an earlier release created the instance, whose superuser is not ours.
pub(crate) async fn superuser(context: &ActivityContext, instance: &Instance) -> Result<Option<Target>, Failure> {
    let (Some(endpoint), Some(platform)) = (&instance.endpoint, context.store.credentials(instance.id).await?.platform) else { return Ok(None) };
    let identity = identity(context, instance.id).await?;
    let endpoint = context.runtime.internal_endpoint(&instance.address(), endpoint);
    Ok(Some(Target::of_superuser(endpoint, &platform).verifying(identity)))
}
