//! One renewal: stored, installed, presented. So is a change of the rule whether clients need TLS.

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
    /// When which certificate and which rule were installed.
    installed: Option<(String, bool, Instant)>,
}

/// What came of an attempt.
pub(super) enum Renewed {
    /// The server presents the certificate.
    Done,
    /// It answers, and presents another one.
    Unfinished,
    /// It does not answer.
    NoAnswer,
}

/// What the server of an instance presents, and goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    /// The certificate of the instance.
    Current,
    /// Another one, or none; or clients without TLS are treated otherwise than they should.
    Other,
    /// The server did not answer.
    Unknown,
}

impl Renewal {
    /// Carries the renewal as far as possible. `is_current`: the certificate needs no renewal, but the server may present another.
    pub(super) async fn advance(&mut self, context: &ActivityContext, instance: &Instance, is_current: bool) -> Result<Renewed, Failure> {
        let Some(endpoint) = &instance.endpoint else { return Ok(Renewed::Unfinished) };
        let endpoint = context.runtime.internal_endpoint(&instance.address(), endpoint);
        // The server of a new instance has it from the start.
        if is_current && in_effect(context, instance, &endpoint).await? == Presented::Current {
            return Ok(Renewed::Done);
        }
        let require_tls = instance.spec.require_tls;
        let is_installed = |fingerprint: &str| {
            let installed = self.installed.as_ref();
            installed.is_some_and(|(certificate, rule, at)| certificate == fingerprint && *rule == require_tls && at.elapsed() < INSTALL_AGAIN)
        };
        let fingerprint = fingerprint(context, instance).await?;
        if !is_current || !fingerprint.is_some_and(|fingerprint| is_installed(&fingerprint)) {
            match install(context, instance).await? {
                Some(fingerprint) => self.installed = Some((fingerprint, require_tls, Instant::now())),
                None => return Ok(Renewed::Unfinished),
            }
        }
        reload(context, instance, &endpoint).await?;
        for _ in 0..ATTEMPTS {
            match in_effect(context, instance, &endpoint).await? {
                Presented::Current => {
                    tracing::info!(instance = %instance.id, "its server has read its certificate, and the rule about TLS");
                    return Ok(Renewed::Done);
                }
                Presented::Unknown => return Ok(Renewed::NoAnswer),
                Presented::Other => tokio::time::sleep(PAUSE).await,
            }
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
    // Read again under the lock: an operation may have changed it.
    let Some(instance) = context.store.instance(instance.id).await? else { return Ok(None) };
    let data = context.store.data(&instance).await?;
    let deployment = deployment(context, instance.clone(), data).await?;
    context.verb(context.runtime.install_tls(&deployment)).await?;
    fingerprint(context, &instance).await
}

/// Whether the server presents the current certificate, and refuses clients without TLS if it should. A refusal is a line in its log, so it
/// is asked for only if it is not known.
async fn in_effect(context: &ActivityContext, instance: &Instance, endpoint: &Endpoint) -> Result<Presented, Failure> {
    let presented = is_presented(context, instance, endpoint).await?;
    let known = context.store.instance_certificates(&[instance.id]).await?.remove(&instance.id).and_then(|known| known.requires_tls);
    if presented != Presented::Current || known == Some(instance.spec.require_tls) {
        return Ok(presented);
    }
    match toygres_postgres::requires_tls(endpoint, &instance.spec, TIMEOUT).await {
        Ok(requires_tls) => {
            context.store.record_requires_tls(instance.id, requires_tls).await?;
            Ok(if requires_tls == instance.spec.require_tls { Presented::Current } else { Presented::Other })
        }
        Err(reason) => {
            tracing::debug!(instance = %instance.id, reason = reason.message, "whether an instance requires TLS is not known");
            Ok(Presented::Unknown)
        }
    }
}

/// Expects no certificate any more of a server that offers no TLS, if its programs were built without it: they may have replaced others, and the
/// server has been started anew.
pub(super) async fn forget_if_absent(context: &ActivityContext, instance: &Instance) -> toygres_domain::Result<()> {
    let Some(endpoint) = &instance.endpoint else { return Ok(()) };
    let endpoint = context.runtime.internal_endpoint(&instance.address(), endpoint);
    if matches!(toygres_postgres::presented_certificate(&endpoint, TIMEOUT).await, Ok(None)) {
        tracing::info!(instance = %instance.id, "its server was built without TLS, unlike the one before");
        context.store.forget_certificate(instance.id).await?;
    }
    Ok(())
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
pub(crate) async fn is_presented(context: &ActivityContext, instance: &Instance, endpoint: &Endpoint) -> Result<Presented, Failure> {
    let presented = match toygres_postgres::presented_certificate(endpoint, TIMEOUT).await {
        Ok(Some(der)) => Details::of_der(&der).ok().map(|details| details.fingerprint),
        Ok(None) => None,
        Err(reason) => {
            tracing::debug!(instance = %instance.id, reason = reason.message, "the certificate of an instance is not known");
            return Ok(Presented::Unknown);
        }
    };
    let current = fingerprint(context, instance).await?;
    let Some(fingerprint) = presented.filter(|presented| current.as_ref() == Some(presented)) else { return Ok(Presented::Other) };
    context.store.record_presented(instance.id, &fingerprint).await?;
    Ok(Presented::Current)
}
