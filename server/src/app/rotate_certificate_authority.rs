//! Replaces the certificate authority.

use std::time::Duration;

use toygres_domain::{
    Error, Result, UserErrorCode,
    certificate::{Authority, AuthorityStatus},
};
use toygres_store::Published;
use toygres_workflows::certificates::new_authority;

use super::App;

/// The input.
#[derive(Clone, Copy, Debug, Default)]
pub struct RotateCertificateAuthority {
    /// Whether the next authority issues at once.
    pub now: bool,
}

impl App {
    /// Publishes a new authority, which issues after the overlap or at once; or lets one issue at once that is published already. Returns
    /// all that are published.
    ///
    /// # Errors
    /// [`Error::User`] with `Conflict` when a rotation is in progress, or the authority is one of the operator.
    pub async fn rotate_certificate_authority(&self, input: RotateCertificateAuthority) -> Result<Vec<Authority>> {
        let RotateCertificateAuthority { now } = input;
        let upcoming = self.store.authorities().await?.into_iter().find(|authority| authority.status == AuthorityStatus::Upcoming);
        match upcoming {
            Some(next) if now => self.store.let_authority_issue(next.id).await?,
            Some(next) => return Err(in_progress(&next)),
            None if self.certificates.authority.is_some() => {
                return Err(conflict(
                    "the authority is that of TOYGRES_CA_CERT and TOYGRES_CA_KEY: replace these files, and the servers publish it".to_owned(),
                ));
            }
            None => {
                let overlap = if now { Duration::ZERO } else { self.certificates.overlap };
                if let Published::Refused(next) = self.store.publish_authority(&new_authority(self.store.now())?, overlap).await? {
                    return Err(in_progress(&next));
                }
            }
        }
        self.store.authorities().await
    }
}

fn in_progress(next: &Authority) -> Error {
    conflict(format!(
        "the next authority is published already, and issues from {}; with `now` it issues at once",
        next.issues_from.format("%Y-%m-%d %H:%M:%S UTC")
    ))
}

fn conflict(why: String) -> Error {
    Error::user(UserErrorCode::Conflict, "now", why)
}
