//! The certificates of instances. An instance gets one when it is deployed; a background task renews it when two thirds of its life are
//! over, when a name is missing in it, or when another authority issues. A renewal restarts nothing.
//!
//! A renewed certificate is stored first, then installed, and then asked for over the network until the server presents it: on
//! Kubernetes the kubelet takes up to a minute or two to bring a changed Secret into the pod, after which the server has to read it. So the
//! task repeats what is not finished, whichever server has begun it.

mod issuing;
mod renewal;

use std::{collections::HashMap, path::PathBuf, time::Duration};

use futures::{StreamExt, stream};
use metrics::{counter, gauge};
use toygres_domain::{Error, InstanceId, Result, certificate::renew_at, instance::Instance, notice::NoticeCode};
use toygres_store::{InstanceCertificate, changes::Changes};

pub use self::issuing::new_authority;
pub(crate) use self::issuing::{certificate, identity};
pub(crate) use self::renewal::is_presented;
use self::renewal::{Renewal, Renewed};
use crate::ActivityContext;

/// How soon a renewal that is not finished is continued.
const UNFINISHED: Duration = Duration::from_secs(5);
/// The part of the lifetime before the expiry in which that is a notice. A renewal begins when a third is left.
const EXPIRING: u32 = 4;
/// Renewals at a time.
const CONCURRENT: usize = 8;

/// How long certificates are valid, and who issues them.
#[derive(Clone, Debug)]
pub struct CertificatePolicy {
    /// How long the certificate of an instance is valid.
    pub lifetime: Duration,
    /// How long a new authority is published before it issues: clients have that time to trust it.
    pub overlap: Duration,
    /// An authority of the operator, instead of one that the control plane makes.
    pub authority: Option<AuthorityFiles>,
}

/// Where the authority of an operator is, in PEM. The files are read again each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityFiles {
    /// Its certificate, followed by those that issued it up to the root.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Default for CertificatePolicy {
    fn default() -> Self {
        let days = |count: u64| Duration::from_secs(count * 86_400);
        Self { lifetime: days(90), overlap: days(7), authority: None }
    }
}

/// Renews certificates until the shutdown of the server.
pub async fn run(context: ActivityContext, changes: Changes) {
    let mut renewals = HashMap::new();
    let mut authorities = changes.authorities();
    loop {
        authorities.mark_unchanged();
        let finished = match round(&context, &mut renewals).await {
            Ok(finished) => finished,
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::debug!(%error, cause, "certificates could not be looked at");
                true
            }
        };
        let pause = if finished { context.timing.certificates } else { UNFINISHED.min(context.timing.certificates) };
        tokio::select! {
            () = context.shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
            // An error means that nobody listens, and the pause still ends.
            Ok(()) = authorities.changed() => {}
        }
    }
}

/// Looks at the certificates of all running instances once. Returns whether all of them are presented as they should be.
async fn round(context: &ActivityContext, renewals: &mut HashMap<InstanceId, Renewal>) -> Result<bool> {
    let running = context.store.running_with_certificates().await?;
    report(&running);
    note_expiring(context, &running).await?;
    let issuing = match issuing::authority(context).await {
        Ok(issuing) => issuing,
        Err(failure) => {
            counter!("toygres_instance_certificate_failures_total").increment(1);
            let why = failure.reason().message;
            tracing::warn!("no certificate can be issued or renewed: {why}");
            return Err(Error::Unavailable(why.into()));
        }
    };
    renewals.retain(|id, _| running.iter().any(|(instance, _)| instance.id == *id));
    let due: Vec<_> = running
        .into_iter()
        .filter(|(instance, _)| context.runtime.speaks_tls(instance.spec.postgres_version))
        .filter_map(|(instance, known)| {
            let is_current = known.as_ref().is_some_and(|known| issuing::is_current(context, &instance, known, &issuing));
            let unseen = known.as_ref().is_none_or(|known| !known.is_presented());
            (unseen || !is_current).then(|| (renewals.remove(&instance.id).unwrap_or_default(), instance, is_current))
        })
        .collect();
    let renewed: Vec<_> = stream::iter(due)
        .map(|(mut renewal, instance, is_current)| async move {
            let outcome = renewal.advance(context, &instance, is_current).await;
            (instance.id, renewal, outcome)
        })
        .buffer_unordered(CONCURRENT)
        .collect()
        .await;
    let mut finished = true;
    for (id, renewal, outcome) in renewed {
        match outcome {
            Ok(Renewed::Done) => continue,
            Ok(Renewed::Unfinished) => {}
            Err(failure) => {
                counter!("toygres_instance_certificate_failures_total").increment(1);
                tracing::warn!(instance = %id, "its certificate could not be renewed: {}", failure.reason().message);
            }
        }
        finished = false;
        renewals.insert(id, renewal);
    }
    let retired = context.store.retire_authorities(context.certificates.overlap).await?;
    if retired > 0 {
        tracing::info!(retired, "no server presents a certificate of the former authority any more; it is not published any more");
    }
    Ok(finished)
}

/// Sets the notice of instances whose server presents a certificate that should have been renewed a while ago, and removes that of others.
async fn note_expiring(context: &ActivityContext, running: &[(Instance, Option<InstanceCertificate>)]) -> Result<()> {
    let soon = context.store.now() + context.certificates.lifetime / EXPIRING;
    for (instance, known) in running {
        let presented = known.as_ref().and_then(|known| known.presented.as_ref());
        let expiring = presented.filter(|presented| presented.not_after < soon);
        if expiring.is_some() == instance.has_notice(NoticeCode::CertificateExpiring) {
            continue;
        }
        let message = expiring.map(|presented| {
            let expires = presented.not_after.format("%Y-%m-%d %H:%M UTC");
            format!("its certificate expires on {expires} and could not be renewed yet; clients with sslmode=verify-full refuse it then")
        });
        context.store.set_notice(instance.id, NoticeCode::CertificateExpiring, message.as_deref()).await?;
    }
    Ok(())
}

/// The expiry that comes first, of what servers present; 0 if there is none.
fn report(running: &[(Instance, Option<InstanceCertificate>)]) {
    let presented = running.iter().filter_map(|(_, known)| known.as_ref()?.presented.as_ref());
    let first = presented.map(|presented| presented.not_after).min();
    gauge!("toygres_instance_certificate_expiry_timestamp_seconds").set(first.map_or(0.0, |first| first.timestamp() as f64));
}
