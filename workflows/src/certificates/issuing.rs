//! The authority that issues, and the certificate that it issues for an instance.

use std::{collections::HashMap, path::Path, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use toygres_certificates::{Authority as Issuer, CertificateError, Details};
use toygres_domain::{
    Error, InstanceId, Result,
    certificate::{Authority, AuthorityId, AuthorityStatus, ServerCertificate, ServerIdentity},
    instance::{Instance, Reason, ReasonCode},
    secret::Secret,
};
use toygres_store::{InstanceCertificate, NewAuthority, Published, Store};

use super::{AuthorityFiles, EXPIRING, renew_at};
use crate::{ActivityContext, Failure};

/// How long an authority that the control plane makes is valid.
const AUTHORITY_YEARS: i64 = 10;
/// Certificates are valid from before they are issued, for clients whose clock is behind.
const CLOCK_SKEW: TimeDelta = TimeDelta::hours(1);

/// Makes an authority that is not published yet.
///
/// # Errors
/// [`Error::Internal`] if OpenSSL fails.
pub fn new_authority(now: DateTime<Utc>) -> Result<NewAuthority> {
    // The name tells authorities apart for people; clients go by the key.
    let name = format!("Toygres {}", now.format("%Y-%m-%d %H:%M:%S"));
    let make = || {
        let authority = Issuer::generate(&name, now - CLOCK_SKEW, now + TimeDelta::days(365 * AUTHORITY_YEARS))?;
        Ok((authority.certificate()?, authority.key()?, authority.details()?))
    };
    let (certificate, key, details) = make().map_err(|error: CertificateError| Error::internal(error))?;
    Ok(published(certificate, details, Some(key)))
}

fn published(certificate: String, details: Details, key: Option<Secret>) -> NewAuthority {
    let Details { fingerprint, public_key, not_before, not_after } = details;
    NewAuthority { certificate, fingerprint, public_key, not_before, not_after, key }
}

/// Lets a published authority issue at once, and revokes all others.
///
/// # Errors
/// Those of the metadata database.
pub async fn issue_at_once(store: &Store, id: AuthorityId) -> Result<()> {
    let others = store.authorities().await?.into_iter().filter(|authority| authority.id != id);
    let keys = others.filter_map(|authority| Details::of_pem(&authority.certificate).ok());
    store.let_authority_issue(id, &keys.map(|details| details.public_key).collect::<Vec<_>>()).await
}

/// The published authorities, with the keys that this server has.
pub(super) struct Issuers {
    /// In the order in which they issue.
    published: Vec<Authority>,
    keys: HashMap<AuthorityId, Issuer>,
    /// Why the authority in the files of the operator cannot issue here.
    pub(super) trouble: Option<String>,
}

impl Issuers {
    /// Publishes what has to be, and reads the keys. The first authority is made, or is the one in the files of the operator; a new one of
    /// either is published when the files have changed, or when two thirds of the life of our own are over.
    pub(super) async fn load(context: &ActivityContext) -> Result<Self, Failure> {
        let (store, policy) = (&context.store, &context.certificates);
        let (mut given, mut trouble) = (None, None);
        match &policy.authority {
            Some(files) => match files.read() {
                Ok(authority) => match authority.publish(store, policy.overlap).await? {
                    Some(id) => given = Some((id, authority)),
                    None => trouble = Some(revoked(&authority.new)),
                },
                Err(why) => trouble = Some(why),
            },
            None => prepare_own(context).await?,
        }
        let (published, mut keys) = (store.authorities().await?, HashMap::new());
        for authority in published.iter().filter(|authority| authority.status != AuthorityStatus::Retiring) {
            let key = match (store.authority_key(authority.id).await?, &given) {
                (Some(key), _) => key,
                (None, Some((id, files))) if *id == authority.id => files.key.clone(),
                (None, _) => continue,
            };
            match Issuer::read(&authority.certificate, &key) {
                Ok(issuer) => drop(keys.insert(authority.id, issuer)),
                Err(error) => trouble = Some(format!("the authority {} {error}", authority.fingerprint)),
            }
        }
        Ok(Self { published, keys, trouble })
    }

    /// What issues for an instance that has this certificate. While the one that issues has no key here, because the files of the operator
    /// have changed, that is the next one, which not all clients may trust yet: for instances that have nothing to present, or only what it
    /// has issued, or what expires soon.
    fn of(&self, context: &ActivityContext, known: Option<&InstanceCertificate>) -> Option<(&Authority, &Issuer)> {
        let need_not_wait = known.is_none_or(|known| expires_soon(context, known.not_after));
        let may_issue = |authority: &&Authority| match authority.status {
            AuthorityStatus::Issuing => true,
            AuthorityStatus::Upcoming => need_not_wait || known.is_some_and(|known| known.authority == authority.id),
            AuthorityStatus::Retiring => false,
        };
        self.published.iter().filter(may_issue).find_map(|authority| Some((authority, self.keys.get(&authority.id)?)))
    }

    /// Whether the certificate of an instance needs no renewal.
    fn accept(&self, context: &ActivityContext, instance: &Instance, known: &InstanceCertificate) -> bool {
        let is_accepted = self.published.iter().any(|authority| authority.id == known.authority && authority.status != AuthorityStatus::Retiring);
        // More names do no harm. While servers have different settings, each would otherwise replace what the others have issued.
        let has_names = names(context, instance).iter().all(|name| known.names.contains(name));
        is_accepted && has_names && context.store.now() < renew_at(known.not_before, known.not_after)
    }

    /// Whether the certificate of an instance is due for a renewal that this server can make.
    pub(super) fn can_renew(&self, context: &ActivityContext, instance: &Instance, known: Option<&InstanceCertificate>) -> bool {
        !known.is_some_and(|known| self.accept(context, instance, known)) && self.of(context, known).is_some()
    }

    /// Why no certificate can be issued, if none can.
    pub(super) fn failure(&self) -> Option<Failure> {
        if !self.keys.is_empty() {
            return None;
        }
        let missing = || {
            let issuing = self.published.iter().find(|authority| authority.status == AuthorityStatus::Issuing);
            let which = issuing.map_or("next authority".to_owned(), |issuing| format!("authority {}", issuing.fingerprint));
            format!("the key of the {which} is not on this server: set TOYGRES_CA_CERT and TOYGRES_CA_KEY, or run `toygres ca rotate`")
        };
        Some(unusable(self.trouble.clone().unwrap_or_else(missing)))
    }
}

/// Makes the first authority, or the next one when two thirds of the life of our own are over.
async fn prepare_own(context: &ActivityContext) -> Result<()> {
    let store = &context.store;
    let issuing = store.authorities().await?.into_iter().find(|authority| authority.status == AuthorityStatus::Issuing);
    match issuing {
        None => store.publish_first_authority(&new_authority(store.now())?).await,
        // That of an operator has its key in their files.
        Some(issuing) if store.authority_key(issuing.id).await?.is_some() && renew_at(issuing.not_before, issuing.not_after) <= store.now() => {
            if let Published::New(_) = store.publish_authority(&new_authority(store.now())?, context.certificates.overlap).await? {
                tracing::info!("the authority of certificates gets old; the next one is published");
            }
            Ok(())
        }
        Some(_) => Ok(()),
    }
}

fn revoked(new: &NewAuthority) -> String {
    format!(
        "TOYGRES_CA_CERT: the authority {} was replaced by `toygres ca rotate --now`: use the files of the one that issues, or run that command \
         again to have this one issue",
        new.fingerprint
    )
}

/// Whether a certificate should have been renewed a while ago.
pub(super) fn expires_soon(context: &ActivityContext, not_after: DateTime<Utc>) -> bool {
    not_after < context.store.now() + context.certificates.lifetime / EXPIRING
}

/// The certificate that an instance is deployed with: the one that it has, or a new one. The caller holds the lock of the instance.
pub(crate) async fn certificate(context: &ActivityContext, instance: &Instance) -> Result<ServerCertificate, Failure> {
    let known = known(context, instance).await?;
    let issuers = Issuers::load(context).await;
    let is_good = known.as_ref().is_some_and(|known| match &issuers {
        Ok(issuers) if issuers.can_renew(context, instance, Some(known)) => false,
        // Whether it can be renewed does not matter as long as it is valid.
        _ => context.store.now() < known.not_after,
    });
    if is_good && let Some(certificate) = context.store.server_certificate(instance.id).await? {
        return Ok(certificate);
    }
    issue(context, instance, &issuers?, known.as_ref(), names(context, instance)).await
}

/// Whether the certificate of an instance has the names of its row, of its host and `more`, and is presented if `presented`. One that lacks
/// names is replaced, which the server reads later. The caller holds the lock of the instance.
pub(crate) async fn has_names(context: &ActivityContext, instance: &Instance, more: &[String], presented: bool) -> Result<bool, Failure> {
    let known = known(context, instance).await?;
    let mut wanted = names(context, instance);
    wanted.extend(more.iter().filter(|name| !wanted.contains(name)).cloned().collect::<Vec<_>>());
    if let Some(known) = known.as_ref().filter(|known| wanted.iter().all(|name| known.names.contains(name))) {
        return Ok(!presented || known.is_presented());
    }
    issue(context, instance, &Issuers::load(context).await?, known.as_ref(), wanted).await?;
    context.suspect_certificates.add(instance.id);
    Ok(!presented)
}

/// Replaces the certificate of an instance if it has names by which clients do not reach it any more: another instance may get them. The
/// caller holds the lock of the instance.
pub(crate) async fn drop_former_names(context: &ActivityContext, instance: &Instance) -> Result<(), Failure> {
    let Some(known) = known(context, instance).await? else { return Ok(()) };
    let wanted = names(context, instance);
    if known.names.iter().any(|name| !wanted.contains(name)) {
        issue(context, instance, &Issuers::load(context).await?, Some(&known), wanted).await?;
        context.suspect_certificates.add(instance.id);
    }
    Ok(())
}

async fn known(context: &ActivityContext, instance: &Instance) -> Result<Option<InstanceCertificate>, Failure> {
    Ok(context.store.instance_certificates(&[instance.id]).await?.remove(&instance.id))
}

/// Issues a certificate for an instance and stores it.
async fn issue(
    context: &ActivityContext,
    instance: &Instance,
    issuers: &Issuers,
    known: Option<&InstanceCertificate>,
    names: Vec<String>,
) -> Result<ServerCertificate, Failure> {
    let Some((authority, issuer)) = issuers.of(context, known) else {
        return Err(issuers.failure().unwrap_or_else(|| unusable("no authority issues certificates yet".to_owned())));
    };
    let now = context.store.now();
    let lifetime = TimeDelta::from_std(context.certificates.lifetime).unwrap_or(TimeDelta::days(90));
    let issued = issuer.issue(&names, now - CLOCK_SKEW, now + lifetime).map_err(|error| unusable(error.to_string()))?;
    let details = InstanceCertificate {
        authority: authority.id,
        fingerprint: issued.details.fingerprint,
        names,
        not_before: issued.details.not_before,
        not_after: issued.details.not_after,
        presented: None,
        requires_tls: None,
    };
    context.store.save_certificate(instance.id, &issued.certificate, &details).await?;
    Ok(issued.certificate)
}

/// What a client of the control plane checks when it connects to an instance.
pub(crate) async fn identity(context: &ActivityContext, id: InstanceId) -> Result<Option<ServerIdentity>> {
    context.store.server_identity(id).await
}

/// The names in the certificate of an instance: its own, those of the addresses that it has and gets, and the one that its clients were told.
fn names(context: &ActivityContext, instance: &Instance) -> Vec<String> {
    let mut names = vec![instance.id.tls_name()];
    names.extend([instance.address(), instance.wanted_address()].iter().flat_map(|address| context.runtime.server_names(address)));
    names.extend(instance.endpoint.as_ref().map(|endpoint| endpoint.host.clone()));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn unusable(why: String) -> Failure {
    Failure::Retry(Reason::new(ReasonCode::Internal, why))
}

/// An authority of the operator.
pub struct OperatorAuthority {
    issuer: Issuer,
    new: NewAuthority,
    key: Secret,
}

impl OperatorAuthority {
    /// Publishes it, if it is not published yet. Returns `None` if it was revoked.
    ///
    /// # Errors
    /// Those of the metadata database.
    pub async fn publish(&self, store: &Store, overlap: Duration) -> Result<Option<AuthorityId>> {
        let published = store.authorities().await?;
        let same = published.iter().filter(|published| self.issuer.has_certificate(&published.certificate));
        // A server of an earlier release may have published a renewed one as another.
        let renews = same.max_by_key(|authority| match authority.status {
            AuthorityStatus::Issuing => 2,
            AuthorityStatus::Upcoming => 1,
            AuthorityStatus::Retiring => 0,
        });
        store.publish_operator_authority(&self.new, renews.map(|authority| authority.id), overlap).await
    }

    /// Lets it be published again if it was revoked.
    ///
    /// # Errors
    /// Those of the metadata database.
    pub async fn reinstate(&self, store: &Store) -> Result<()> {
        store.reinstate_authority(&self.new.public_key).await
    }
}

impl AuthorityFiles {
    /// Reads the authority, and checks that it can issue certificates.
    ///
    /// # Errors
    /// One sentence that names the setting.
    pub fn read(&self) -> std::result::Result<OperatorAuthority, String> {
        let certificate = read("TOYGRES_CA_CERT", &self.certificate)?;
        let key = Secret::new(read("TOYGRES_CA_KEY", &self.key)?);
        let refuse = |error: CertificateError| format!("TOYGRES_CA_CERT: {} {error}", self.certificate.display());
        let issuer = Issuer::read(&certificate, &key).map_err(refuse)?;
        let details = issuer.details().map_err(refuse)?;
        let new = published(issuer.certificate().map_err(refuse)?, details, None);
        Ok(OperatorAuthority { issuer, new, key })
    }
}

fn read(setting: &str, path: &Path) -> std::result::Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{setting}: {} cannot be read: {error}", path.display()))
}
