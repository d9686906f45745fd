//! One renewal: stored, installed, presented.

use std::time::{Duration, Instant};

use toygres_certificates::Details;
use toygres_domain::instance::{Endpoint, Instance};
use toygres_postgres::Target;

use super::identity;
use crate::{ActivityContext, Failure, activities::deploy_postgres::deployment};

/// How long asking for a certificate, or having it read again, may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often a server is asked after its certificate was installed, before the next round continues, and the pause in between.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);
/// A certificate that was installed is installed again after this time, if the server does not present it.
const INSTALL_AGAIN: Duration = Duration::from_secs(60);

/// How far the renewal of an instance is, as far as this server has carried it.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    /// When which certificate was installed.
    installed: Option<(String, Instant)>,
}

/// What came of a step.
pub(super) enum Renewed {
    /// The server presents the certificate.
    Done,
    /// It does not yet.
    Unfinished,
}

impl Renewal {
    /// Carries the renewal as far as possible. `is_current`: the certificate exists, but the server was not seen to present it.
    pub(super) async fn advance(&mut self, context: &ActivityContext, instance: &Instance, is_current: bool) -> Result<Renewed, Failure> {
        let Some(endpoint) = &instance.endpoint else { return Ok(Renewed::Unfinished) };
        let endpoint = context.runtime.internal_endpoint(&instance.name, &instance.spec.exposure, endpoint);
        // The server of a new instance has it from the start.
        if is_current && is_presented(context, instance, &endpoint).await? {
            return Ok(Renewed::Done);
        }
        let is_installed =
            |fingerprint: &str| self.installed.as_ref().is_some_and(|(installed, at)| installed == fingerprint && at.elapsed() < INSTALL_AGAIN);
        let fingerprint = fingerprint(context, instance).await?;
        if !is_current || !fingerprint.is_some_and(|fingerprint| is_installed(&fingerprint)) {
            match install(context, instance).await? {
                Some(fingerprint) => self.installed = Some((fingerprint, Instant::now())),
                None => return Ok(Renewed::Unfinished),
            }
        }
        reload(context, instance, &endpoint).await?;
        for _ in 0..ATTEMPTS {
            if is_presented(context, instance, &endpoint).await? {
                tracing::info!(instance = %instance.id, "its server presents a new certificate");
                return Ok(Renewed::Done);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Renewed::Unfinished)
    }
}

/// Issues a certificate if there is none or it needs a renewal, and installs it. Returns its fingerprint; `None` if an operation works on
/// the instance, which then sees to it.
async fn install(context: &ActivityContext, instance: &Instance) -> Result<Option<String>, Failure> {
    let _lock = context.store.lock_instance(instance.id).await?;
    if !context.store.is_idle(instance).await? {
        return Ok(None);
    }
    let data = context.store.data(instance).await?;
    let deployment = deployment(context, instance.clone(), data).await?;
    context.verb(context.runtime.install_certificate(&deployment)).await?;
    fingerprint(context, instance).await
}

async fn fingerprint(context: &ActivityContext, instance: &Instance) -> Result<Option<String>, Failure> {
    Ok(context.store.instance_certificates(&[instance.id]).await?.remove(&instance.id).map(|known| known.fingerprint))
}

/// Has the server read its files again. It may have been told already, or may not be up; what counts is what it presents. What it presents
/// now can have expired, so the monitor does not verify it, who can do little else; the superuser of an earlier release does.
async fn reload(context: &ActivityContext, instance: &Instance, endpoint: &Endpoint) -> Result<(), Failure> {
    let credentials = context.store.credentials(instance.id).await?;
    let identity = if credentials.platform.is_some() { None } else { identity(context, instance.id).await? };
    let target = Target::of_checks(endpoint.clone(), &instance.spec, credentials).verifying(identity);
    if let Err(reason) = toygres_postgres::reload_configuration(&target, TIMEOUT).await {
        tracing::debug!(instance = %instance.id, reason = reason.message, "the server could not be told to read its configuration");
    }
    Ok(())
}

/// Whether the server presents the current certificate, which is then recorded.
pub(crate) async fn is_presented(context: &ActivityContext, instance: &Instance, endpoint: &Endpoint) -> Result<bool, Failure> {
    let presented = match toygres_postgres::presented_certificate(endpoint, TIMEOUT).await {
        Ok(Some(der)) => Details::of_der(&der).ok().map(|details| details.fingerprint),
        Ok(None) => None,
        Err(reason) => {
            tracing::debug!(instance = %instance.id, reason = reason.message, "the certificate of an instance is not known");
            None
        }
    };
    let current = fingerprint(context, instance).await?;
    let Some(fingerprint) = presented.filter(|presented| current.as_ref() == Some(presented)) else { return Ok(false) };
    context.store.record_presented(instance.id, &fingerprint).await?;
    Ok(true)
}
