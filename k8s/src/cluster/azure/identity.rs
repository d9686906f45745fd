//! The identity of this process in Azure: a chain of credentials in the order of `DefaultAzureCredential`, which the Rust SDK
//! does not have.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use azure_core::{
    Error,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
};
use azure_identity::{
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
};

use super::{ConnectError, one_line};
use crate::settings::{Aks, AzureCredentials};

/// The time-out of a credential that has not issued a token yet: outside of Azure, packets to the address of managed identities may
/// be dropped.
const FIRST_TOKEN_TIMEOUT: Duration = Duration::from_secs(10);

const NONE_YET: usize = usize::MAX;

/// A chain of credentials. The first one that issues a token is used from then on.
pub(super) struct Identity {
    credentials: Vec<(&'static str, Arc<dyn TokenCredential>)>,
    /// Why other credentials are not available.
    unavailable: Vec<String>,
    chosen: AtomicUsize,
}

impl Identity {
    /// The credentials that the settings select.
    pub(super) fn new(aks: &Aks) -> Result<Self, ConnectError> {
        use AzureCredentials::{All, Development, ManagedIdentity, Production, WorkloadIdentity};

        let selected = |by: &[AzureCredentials]| by.contains(&aks.credentials);
        let invalid = |error: Error| ConnectError::Cluster(format!("The identity in Azure cannot be used: {}", one_line(&error.to_string())));
        let mut identity = Self::of(Vec::new());
        if selected(&[All, Production, WorkloadIdentity]) {
            // The webhook of workload identity configures it through the environment of the pod; elsewhere it is absent.
            match WorkloadIdentityCredential::new(None) {
                Ok(credential) => identity.credentials.push(("workload identity", credential)),
                Err(error) => identity.unavailable.push(format!("workload identity: {}", one_line(&error.to_string()))),
            }
        }
        if selected(&[All, Production, ManagedIdentity]) {
            let user_assigned_id = aks.client_id.clone().map(UserAssignedId::ClientId);
            let options = ManagedIdentityCredentialOptions { user_assigned_id, ..ManagedIdentityCredentialOptions::default() };
            identity.credentials.push(("managed identity", ManagedIdentityCredential::new(Some(options)).map_err(invalid)?));
        }
        if selected(&[All, Development]) {
            identity.credentials.push(("developer tools", DeveloperToolsCredential::new(None).map_err(invalid)?));
        }
        Ok(identity)
    }

    fn of(credentials: Vec<(&'static str, Arc<dyn TokenCredential>)>) -> Self {
        Self { credentials, unavailable: Vec::new(), chosen: AtomicUsize::new(NONE_YET) }
    }
}

#[async_trait::async_trait]
impl TokenCredential for Identity {
    async fn get_token(&self, scopes: &[&str], options: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        if let Some((_, credential)) = self.credentials.get(self.chosen.load(Ordering::Relaxed)) {
            return credential.get_token(scopes, options).await;
        }
        let mut errors = self.unavailable.clone();
        for (number, (name, credential)) in self.credentials.iter().enumerate() {
            match tokio::time::timeout(FIRST_TOKEN_TIMEOUT, credential.get_token(scopes, options.clone())).await {
                Ok(Ok(token)) => {
                    tracing::info!(credential = name, "the identity in Azure is chosen");
                    self.chosen.store(number, Ordering::Relaxed);
                    return Ok(token);
                }
                Ok(Err(error)) => errors.push(format!("{name}: {}", one_line(&error.to_string()))),
                Err(_) => errors.push(format!("{name}: no response within {} s", FIRST_TOKEN_TIMEOUT.as_secs())),
            }
        }
        Err(Error::with_message(ErrorKind::Credential, errors.join("; ")))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.credentials.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use azure_core::time::{Duration as Span, OffsetDateTime};

    use super::*;

    #[derive(Debug, Default)]
    struct FakeCredential {
        token: Option<&'static str>,
        requests: AtomicUsize,
    }

    #[async_trait::async_trait]
    impl TokenCredential for FakeCredential {
        async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
            self.requests.fetch_add(1, Ordering::Relaxed);
            let token = self.token.ok_or_else(|| Error::with_message(ErrorKind::Credential, "not\n  here"))?;
            Ok(AccessToken::new(token, OffsetDateTime::now_utc() + Span::hours(1)))
        }
    }

    #[tokio::test]
    async fn the_first_credential_that_issues_a_token_is_used_from_then_on() {
        let (failing, working, unused) = (
            Arc::new(FakeCredential::default()),
            Arc::new(FakeCredential { token: Some("a"), ..FakeCredential::default() }),
            Arc::new(FakeCredential::default()),
        );
        let identity = Identity::of(vec![("one", failing.clone()), ("two", working.clone()), ("three", unused.clone())]);
        for _ in 0..3 {
            assert_eq!(identity.get_token(&["scope"], None).await.unwrap().token.secret(), "a");
        }
        let requests = [&failing, &working, &unused].map(|credential| credential.requests.load(Ordering::Relaxed));
        assert_eq!(requests, [1, 3, 0]);
    }

    #[tokio::test]
    async fn all_errors_are_reported_on_one_line() {
        let identity = Identity::of(vec![("one", Arc::new(FakeCredential::default())), ("two", Arc::new(FakeCredential::default()))]);
        let error = identity.get_token(&["scope"], None).await.unwrap_err();
        assert_eq!(error.to_string(), "one: not here; two: not here");
    }

    #[test]
    fn the_settings_select_the_credentials() {
        let names = |credentials| {
            let aks = Aks {
                subscription: String::new(),
                resource_group: String::new(),
                name: String::new(),
                resource_manager: Aks::public_cloud(),
                credentials,
                client_id: None,
            };
            let identity = Identity::new(&aks).unwrap();
            let unavailable: Vec<String> = identity.unavailable.iter().map(|why| why.split(':').next().unwrap().to_owned()).collect();
            [unavailable, identity.credentials.iter().map(|(name, _)| (*name).to_owned()).collect()].concat()
        };
        // Tests do not run in a pod.
        assert_eq!(names(AzureCredentials::All), ["workload identity", "managed identity", "developer tools"]);
        assert_eq!(names(AzureCredentials::Production), ["workload identity", "managed identity"]);
        assert_eq!(names(AzureCredentials::Development), ["developer tools"]);
        assert_eq!(names(AzureCredentials::WorkloadIdentity), ["workload identity"]);
        assert_eq!(names(AzureCredentials::ManagedIdentity), ["managed identity"]);
    }
}
