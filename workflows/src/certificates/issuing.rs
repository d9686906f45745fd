//! The authority that issues, and the certificate that it issues for an instance.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use toygres_certificates::{Authority as Issuer, CertificateError};
use toygres_domain::{
    Error, InstanceId, Result,
    certificate::{Authority, AuthorityStatus, ServerCertificate, ServerIdentity},
    instance::{Instance, Reason, ReasonCode},
    secret::Secret,
};
use toygres_store::{InstanceCertificate, NewAuthority, Published};

use super::{AuthorityFiles, renew_at};
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
    Ok(NewAuthority { certificate, fingerprint: details.fingerprint, not_before: details.not_before, not_after: details.not_after, key: Some(key) })
}

/// The authority that issues now. The first is made, or read from the files of the operator; a new one of either is published when the
/// files have changed, or when two thirds of the life of our own are over.
pub(super) async fn authority(context: &ActivityContext) -> Result<Authority, Failure> {
    let (store, policy) = (&context.store, &context.certificates);
    match &policy.authority {
        Some(files) => {
            let new = files.read().map_err(unusable)?.1;
            store.publish_authority(&new, policy.overlap).await?;
        }
        None => {
            let issuing = issuing(context).await?;
            match issuing {
                None => store.publish_first_authority(&new_authority(store.now())?).await?,
                Some(issuing) if renew_at(issuing.not_before, issuing.not_after) <= store.now() => {
                    if store.publish_authority(&new_authority(store.now())?, policy.overlap).await? == Published::New {
                        tracing::info!("the authority of certificates gets old; the next one is published");
                    }
                }
                Some(issuing) => return Ok(issuing),
            }
        }
    }
    issuing(context).await?.ok_or_else(|| unusable("no authority issues certificates yet".to_owned()))
}

async fn issuing(context: &ActivityContext) -> Result<Option<Authority>> {
    let authorities = context.store.authorities().await?;
    Ok(authorities.into_iter().find(|authority| authority.status == AuthorityStatus::Issuing))
}

/// The certificate that an instance is deployed with: the one that it has, or a new one. The caller holds the lock of the instance.
pub(crate) async fn certificate(context: &ActivityContext, instance: &Instance) -> Result<ServerCertificate, Failure> {
    let known = context.store.instance_certificates(&[instance.id]).await?.remove(&instance.id);
    let (issuing, is_good) = match (authority(context).await, &known) {
        (Ok(issuing), Some(known)) => (Ok(issuing.clone()), is_current(context, instance, known, &issuing)),
        // Whether it can be renewed does not matter as long as it is valid.
        (Err(failure), Some(known)) => (Err(failure), context.store.now() < known.not_after),
        (issuing, None) => (issuing, false),
    };
    if is_good && let Some(certificate) = context.store.server_certificate(instance.id).await? {
        return Ok(certificate);
    }
    let issuing = issuing?;
    let (issuer, now) = (issuer(context, &issuing).await?, context.store.now());
    let names = names(context, instance);
    let lifetime = TimeDelta::from_std(context.certificates.lifetime).unwrap_or(TimeDelta::days(90));
    let issued = issuer.issue(&names, now - CLOCK_SKEW, now + lifetime).map_err(|error| unusable(error.to_string()))?;
    let details = InstanceCertificate {
        authority: issuing.id,
        fingerprint: issued.details.fingerprint,
        names,
        not_before: issued.details.not_before,
        not_after: issued.details.not_after,
        presented: None,
    };
    context.store.save_certificate(instance.id, &issued.certificate, &details).await?;
    Ok(issued.certificate)
}

/// Whether the certificate of an instance needs no renewal.
pub(super) fn is_current(context: &ActivityContext, instance: &Instance, known: &InstanceCertificate, issuing: &Authority) -> bool {
    // More names do no harm. While servers have different settings, each would otherwise replace what the others have issued.
    let has_names = names(context, instance).iter().all(|name| known.names.contains(name));
    known.authority == issuing.id && context.store.now() < renew_at(known.not_before, known.not_after) && has_names
}

/// What a client of the control plane checks when it connects to an instance.
pub(crate) async fn identity(context: &ActivityContext, id: InstanceId) -> Result<Option<ServerIdentity>> {
    context.store.server_identity(id).await
}

/// The authority with its key.
async fn issuer(context: &ActivityContext, issuing: &Authority) -> Result<Issuer, Failure> {
    if let Some(key) = context.store.authority_key(issuing.id).await? {
        return Issuer::read(&issuing.certificate, &key).map_err(|error| unusable(format!("the authority {} {error}", issuing.fingerprint)));
    }
    let files = context.certificates.authority.as_ref().ok_or_else(|| {
        unusable(format!("the key of the authority {} is not on this server: set TOYGRES_CA_CERT and TOYGRES_CA_KEY", issuing.fingerprint))
    })?;
    let (issuer, new) = files.read().map_err(unusable)?;
    if new.fingerprint != issuing.fingerprint {
        return Err(unusable(format!(
            "the authority {} still issues, and TOYGRES_CA_KEY is that of the next one: put the former files back until {}, or let the next one \
             issue now (`toygres ca rotate --now`)",
            issuing.fingerprint, new.fingerprint
        )));
    }
    Ok(issuer)
}

/// The names in the certificate of an instance: its own, those that its runtime knows, and the one that its clients were told.
fn names(context: &ActivityContext, instance: &Instance) -> Vec<String> {
    let mut names = vec![instance.id.tls_name()];
    names.extend(context.runtime.server_names(&instance.name, &instance.spec.exposure));
    names.extend(instance.endpoint.as_ref().map(|endpoint| endpoint.host.clone()));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn unusable(why: String) -> Failure {
    Failure::Retry(Reason::new(ReasonCode::Internal, why))
}

impl AuthorityFiles {
    /// Reads the authority.
    ///
    /// # Errors
    /// One sentence that names the setting.
    pub(super) fn read(&self) -> std::result::Result<(Issuer, NewAuthority), String> {
        let certificate = read("TOYGRES_CA_CERT", &self.certificate)?;
        let key = Secret::new(read("TOYGRES_CA_KEY", &self.key)?);
        let refuse = |error: CertificateError| format!("TOYGRES_CA_CERT: {} {error}", self.certificate.display());
        let issuer = Issuer::read(&certificate, &key).map_err(refuse)?;
        let details = issuer.details().map_err(refuse)?;
        let new = NewAuthority {
            certificate: issuer.certificate().map_err(refuse)?,
            fingerprint: details.fingerprint,
            not_before: details.not_before,
            not_after: details.not_after,
            key: None,
        };
        Ok((issuer, new))
    }

    /// Checks that the authority can issue certificates.
    ///
    /// # Errors
    /// One sentence that names the setting.
    pub fn check(&self) -> std::result::Result<(), String> {
        self.read().map(drop)
    }
}

fn read(setting: &str, path: &Path) -> std::result::Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{setting}: {} cannot be read: {error}", path.display()))
}
