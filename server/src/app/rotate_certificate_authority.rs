//! Replaces the certificate authority.

use toygres_domain::{
    Error, Result, UserErrorCode,
    certificate::{Authority, AuthorityStatus},
};
use toygres_store::Published;
use toygres_workflows::certificates::{AuthorityFiles, issue_at_once, new_authority};

use super::App;

/// The input.
#[derive(Clone, Copy, Debug, Default)]
pub struct RotateCertificateAuthority {
    /// Whether the next authority issues at once.
    pub now: bool,
}

impl App {
    /// Publishes a new authority, which issues after the overlap or at once; or lets one issue at once that is published already. One that
    /// issues at once revokes all others. Returns all that are published.
    ///
    /// # Errors
    /// [`Error::User`] with `Conflict` when a rotation is in progress, or the authority in the files of the operator issues already.
    pub async fn rotate_certificate_authority(&self, input: RotateCertificateAuthority) -> Result<Vec<Authority>> {
        let RotateCertificateAuthority { now } = input;
        match &self.certificates.authority {
            Some(files) => self.rotate_to_files(files, now).await?,
            None => self.rotate_to_new(now).await?,
        }
        self.store.authorities().await
    }

    async fn rotate_to_new(&self, now: bool) -> Result<()> {
        let next = match self.store.publish_authority(&new_authority(self.store.now())?, self.certificates.overlap).await? {
            Published::New(next) => next,
            Published::Refused(next) if now => next.id,
            Published::Refused(next) => return Err(in_progress(&next)),
        };
        if now { issue_at_once(&self.store, next).await } else { Ok(()) }
    }

    async fn rotate_to_files(&self, files: &AuthorityFiles, now: bool) -> Result<()> {
        let authority = files.read().map_err(conflict)?;
        if now {
            authority.reinstate(&self.store).await?;
        }
        let id = authority.publish(&self.store, self.certificates.overlap).await?;
        let published = self.store.authorities().await?;
        let given = published.iter().find(|published| Some(published.id) == id);
        match given {
            Some(given) if given.status == AuthorityStatus::Issuing => Err(conflict(
                "the authority in the file of TOYGRES_CA_CERT issues already: replace this file and that of TOYGRES_CA_KEY, and the servers \
                 publish the next one"
                    .to_owned(),
            )),
            Some(given) if now => issue_at_once(&self.store, given.id).await,
            Some(given) => Err(in_progress(given)),
            None => {
                Err(conflict("the authority in the file of TOYGRES_CA_CERT was replaced at once; with `now` it issues again, and at once".to_owned()))
            }
        }
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
