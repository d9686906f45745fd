//! The certificates of instances. An instance gets one when it is deployed; a background task renews it when two thirds of its life are
//! over, when a name is missing in it, or when another authority issues. A renewal restarts nothing.
//!
//! A renewed certificate is stored first, then installed, and then asked for over the network until the server presents it: on
//! Kubernetes the kubelet takes up to a minute or two to bring a changed Secret into the pod, after which the server has to read it. So the
//! task repeats what is not finished, whichever server has begun it. It also asks now and then, and when a health check could not verify a
//! server, because somebody may have replaced the file that the server reads. The rule whether clients need TLS takes the same way.

mod issuing;
mod renewal;
mod schedule;
mod suspects;

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use metrics::{counter, gauge};
use tokio::sync::Semaphore;
use toygres_domain::{
    Error, InstanceId, Result,
    certificate::renew_at,
    instance::{Instance, InstanceState},
    notice::NoticeCode,
};
use toygres_store::{InstanceCertificate, changes::Changes};

use self::{
    issuing::{Issuers, expires_soon},
    renewal::{Renewal, Renewed},
    schedule::Schedule,
};
pub use self::{
    issuing::{OperatorAuthority, issue_at_once, new_authority},
    suspects::SuspectCertificates,
};
pub(crate) use self::{
    issuing::{certificate, drop_former_names, has_names, identity},
    renewal::is_presented,
};
use crate::{ActivityContext, Failure};

/// How soon a renewal that is not finished is continued.
const UNFINISHED: Duration = Duration::from_secs(5);
/// The part of the lifetime before the expiry in which that is a notice. A renewal begins when a third is left.
const EXPIRING: u32 = 4;
/// Renewals at a time, and those of instances that did not answer before.
const CONCURRENT: usize = 8;
const RETRIES: usize = 4;

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
    let mut renewals = Renewals::default();
    let mut authorities = changes.authorities();
    loop {
        authorities.mark_unchanged();
        if let Err(error) = renewals.begin(&context).await {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::debug!(%error, cause, "certificates could not be looked at");
        }
        let mut next = renewals.next(&context);
        loop {
            tokio::select! {
                () = context.shutdown.cancelled() => return,
                () = tokio::time::sleep_until(next.into()) => break,
                () = context.suspect_certificates.added() => break,
                // An error means that nobody listens, and the pause still ends.
                Ok(()) = authorities.changed() => break,
                Some(attempt) = renewals.attempts.next() => {
                    renewals.end(attempt);
                    if std::mem::take(&mut renewals.missed) {
                        break;
                    }
                    next = next.min(renewals.next(&context));
                    if renewals.schedule.is_idle() && let Err(error) = retire(&context, &renewals.without_tls).await {
                        tracing::debug!(%error, "former authorities could not be retired");
                    }
                }
            }
        }
    }
}

/// The renewals of this server. Those of instances that do not answer take time, and delay no others.
struct Renewals {
    schedule: Schedule,
    attempts: FuturesUnordered<BoxFuture<'static, Attempt>>,
    first: Arc<Semaphore>,
    retries: Arc<Semaphore>,
    /// Running instances that present nothing.
    without_tls: Vec<InstanceId>,
    /// Whether an instance was due during an attempt, which may have begun before the reason for it.
    missed: bool,
}

/// An attempt that has ended.
struct Attempt {
    id: InstanceId,
    renewal: Renewal,
    outcome: std::result::Result<Renewed, Failure>,
}

impl Default for Renewals {
    fn default() -> Self {
        Self {
            schedule: Schedule::default(),
            attempts: FuturesUnordered::new(),
            first: Arc::new(Semaphore::new(CONCURRENT)),
            retries: Arc::new(Semaphore::new(RETRIES)),
            without_tls: Vec::new(),
            missed: false,
        }
    }
}

impl Renewals {
    /// Looks at the certificates of all running instances once, and begins what is to be done.
    async fn begin(&mut self, context: &ActivityContext) -> Result<()> {
        let suspects = context.suspect_certificates.take();
        let running = context.store.running_with_certificates().await?;
        report(&running);
        note_expiring(context, &running).await?;
        let issuers = match Issuers::load(context).await.and_then(|issuers| issuers.failure().map_or(Ok(issuers), Err)) {
            Ok(issuers) => issuers,
            Err(failure) => {
                counter!("toygres_instance_certificate_failures_total").increment(1);
                let why = failure.reason().message;
                tracing::warn!("no certificate can be issued or renewed: {why}");
                return Err(Error::Unavailable(why.into()));
            }
        };
        if let Some(trouble) = &issuers.trouble {
            counter!("toygres_instance_certificate_failures_total").increment(1);
            tracing::warn!("the next authority cannot issue certificates: {trouble}");
        }
        let (with_tls, without): (Vec<_>, Vec<_>) =
            running.into_iter().partition(|(instance, _)| context.runtime.speaks_tls(instance.spec.postgres_version));
        for (instance, _) in without.iter().filter(|(instance, known)| suspects.contains(&instance.id) && known.is_some()) {
            renewal::forget_if_absent(context, instance).await?;
        }
        self.without_tls = without.into_iter().map(|(instance, _)| instance.id).collect();
        let ids: HashSet<_> = with_tls.iter().map(|(instance, _)| instance.id).collect();
        self.schedule.retain(|id| ids.contains(&id));
        let now = Instant::now();
        for (instance, known) in with_tls {
            let id = instance.id;
            let is_renewed = issuers.can_renew(context, &instance, known.as_ref());
            let is_in_effect = known.as_ref().is_some_and(|known| known.is_presented() && known.requires_tls == Some(instance.spec.require_tls));
            self.missed |= (is_renewed || !is_in_effect) && self.schedule.is_in_progress(id);
            let is_due = is_renewed || !is_in_effect || self.schedule.has_begun(id) || suspects.contains(&id);
            if (is_due || self.schedule.is_compared(id, now))
                && let Some((renewal, is_retry)) = self.schedule.begin(id, now)
            {
                let permits = if is_retry { &self.retries } else { &self.first };
                self.attempts.push(attempt(context.clone(), permits.clone(), id, renewal, known.is_some() && !is_renewed).boxed());
            }
        }
        retire(context, &self.without_tls).await
    }

    /// When to look again.
    fn next(&self, context: &ActivityContext) -> Instant {
        let (now, latest) = (Instant::now(), context.timing.certificates);
        let continued = self.schedule.next(now).map_or(now + latest, |next| next.max(now + UNFINISHED));
        continued.min(now + latest)
    }

    fn end(&mut self, Attempt { id, renewal, outcome }: Attempt) {
        match outcome {
            Ok(Renewed::Done) => self.schedule.done(id, Instant::now()),
            Ok(Renewed::Unfinished) => self.schedule.unfinished(id, renewal),
            Ok(Renewed::NoAnswer) => self.schedule.failed(id, renewal),
            Err(failure) => {
                counter!("toygres_instance_certificate_failures_total").increment(1);
                tracing::warn!(instance = %id, "its certificate could not be renewed: {}", failure.reason().message);
                self.schedule.failed(id, renewal);
            }
        }
    }
}

/// Ends the publication of authorities that no running instance needs.
async fn retire(context: &ActivityContext, without_tls: &[InstanceId]) -> Result<()> {
    let retired = context.store.retire_authorities(without_tls).await?;
    if retired > 0 {
        tracing::info!(retired, "no server presents a certificate of the former authority any more; it is not published any more");
    }
    Ok(())
}

async fn attempt(context: ActivityContext, permits: Arc<Semaphore>, id: InstanceId, mut renewal: Renewal, is_current: bool) -> Attempt {
    // An error means that the semaphore was closed, which nobody does.
    let _permit = permits.acquire().await;
    let outcome = async {
        // It may have waited for long.
        match context.store.instance(id).await?.filter(|instance| instance.state == InstanceState::Running) {
            Some(instance) => renewal.advance(&context, &instance, is_current).await,
            None => Ok(Renewed::Done),
        }
    };
    let outcome = outcome.await;
    Attempt { id, renewal, outcome }
}

/// Sets the notice of instances whose server presents a certificate that should have been renewed a while ago, and removes that of others.
async fn note_expiring(context: &ActivityContext, running: &[(Instance, Option<InstanceCertificate>)]) -> Result<()> {
    for (instance, known) in running {
        let presented = known.as_ref().and_then(|known| known.presented.as_ref());
        let expiring = presented.filter(|presented| expires_soon(context, presented.not_after));
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
