//! Who this server is to Azure: the sources that `DefaultAzureCredential` of other languages tries, in its order.

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

/// Which sources are tried, as the Azure SDKs name it: `prod`, `dev`, or one source.
const SELECTION: &str = "AZURE_TOKEN_CREDENTIALS";

/// How long a source that has never given a token may take: off Azure, the address of managed identities may swallow what is
/// sent to it.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

const NONE_YET: usize = usize::MAX;

/// A chain of sources. The first one that gives a token is the one that is asked from then on.
pub(super) struct Identity {
    sources: Vec<(&'static str, Arc<dyn TokenCredential>)>,
    chosen: AtomicUsize,
}

impl Identity {
    /// The sources that the environment speaks of.
    pub(super) fn from_environment() -> Result<Self, ConnectError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let wanted = Wanted::parse(variable(SELECTION).as_deref())?;
        let broken = |error: Error| ConnectError(format!("The Azure identity cannot be set up: {}", one_line(&error.to_string())));
        let mut sources: Vec<(&'static str, Arc<dyn TokenCredential>)> = Vec::new();
        // The webhook of workload identity sets the file; without it there is none, and that is no mistake.
        if wanted.workload && variable("AZURE_FEDERATED_TOKEN_FILE").is_some() {
            sources.push(("workload identity", WorkloadIdentityCredential::new(None).map_err(broken)?));
        }
        if wanted.managed {
            let user_assigned_id = variable("AZURE_CLIENT_ID").map(UserAssignedId::ClientId);
            let options = ManagedIdentityCredentialOptions { user_assigned_id, ..ManagedIdentityCredentialOptions::default() };
            sources.push(("managed identity", ManagedIdentityCredential::new(Some(options)).map_err(broken)?));
        }
        if wanted.developer {
            sources.push(("developer tools", DeveloperToolsCredential::new(None).map_err(broken)?));
        }
        Ok(Self::of(sources))
    }

    pub(super) fn of(sources: Vec<(&'static str, Arc<dyn TokenCredential>)>) -> Self {
        Self { sources, chosen: AtomicUsize::new(NONE_YET) }
    }
}

#[async_trait::async_trait]
impl TokenCredential for Identity {
    async fn get_token(&self, scopes: &[&str], options: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        if let Some((_, source)) = self.sources.get(self.chosen.load(Ordering::Relaxed)) {
            return source.get_token(scopes, options).await;
        }
        let mut refusals = Vec::new();
        for (number, (name, source)) in self.sources.iter().enumerate() {
            match tokio::time::timeout(FIRST_ANSWER, source.get_token(scopes, options.clone())).await {
                Ok(Ok(token)) => {
                    tracing::info!(source = name, "Azure knows this server");
                    self.chosen.store(number, Ordering::Relaxed);
                    return Ok(token);
                }
                Ok(Err(error)) => refusals.push(format!("{name}: {}", one_line(&error.to_string()))),
                Err(_) => refusals.push(format!("{name}: no answer within {} s", FIRST_ANSWER.as_secs())),
            }
        }
        let why = if refusals.is_empty() {
            "there is no workload identity (AZURE_FEDERATED_TOKEN_FILE is not set)".to_owned()
        } else {
            refusals.join("; ")
        };
        Err(Error::with_message(ErrorKind::Credential, why))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sources.iter().map(|(name, _)| name)).finish()
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    workload: bool,
    managed: bool,
    developer: bool,
}

impl Wanted {
    fn parse(selection: Option<&str>) -> Result<Self, ConnectError> {
        let (workload, managed, developer) = match selection.map(str::to_ascii_lowercase).as_deref() {
            None => (true, true, true),
            Some("prod") => (true, true, false),
            Some("dev") => (false, false, true),
            Some("workloadidentitycredential") => (true, false, false),
            Some("managedidentitycredential") => (false, true, false),
            Some(other) => {
                return Err(ConnectError(format!(
                    "{SELECTION} is '{other}': it must be prod, dev, WorkloadIdentityCredential or ManagedIdentityCredential."
                )));
            }
        };
        Ok(Self { workload, managed, developer })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use azure_core::time::{Duration as Span, OffsetDateTime};

    use super::*;

    #[derive(Debug, Default)]
    struct Source {
        token: Option<&'static str>,
        asked: AtomicUsize,
    }

    #[async_trait::async_trait]
    impl TokenCredential for Source {
        async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let token = self.token.ok_or_else(|| Error::with_message(ErrorKind::Credential, "not\n  here"))?;
            Ok(AccessToken::new(token, OffsetDateTime::now_utc() + Span::hours(1)))
        }
    }

    #[tokio::test]
    async fn the_first_source_that_answers_is_asked_from_then_on() {
        let (dumb, good, spare) =
            (Arc::new(Source::default()), Arc::new(Source { token: Some("a"), ..Source::default() }), Arc::new(Source::default()));
        let identity = Identity::of(vec![("one", dumb.clone()), ("two", good.clone()), ("three", spare.clone())]);
        for _ in 0..3 {
            assert_eq!(identity.get_token(&["scope"], None).await.unwrap().token.secret(), "a");
        }
        let asked = [&dumb, &good, &spare].map(|source| source.asked.load(Ordering::Relaxed));
        assert_eq!(asked, [1, 3, 0]);
    }

    #[tokio::test]
    async fn every_refusal_is_told_on_one_line() {
        let identity = Identity::of(vec![("one", Arc::new(Source::default())), ("two", Arc::new(Source::default()))]);
        let error = identity.get_token(&["scope"], None).await.unwrap_err();
        assert_eq!(error.to_string(), "one: not here; two: not here");
    }

    #[test]
    fn the_selection_is_that_of_the_azure_sdks() {
        assert_eq!(Wanted::parse(None).unwrap(), Wanted { workload: true, managed: true, developer: true });
        assert_eq!(Wanted::parse(Some("dev")).unwrap(), Wanted { workload: false, managed: false, developer: true });
        assert!(Wanted::parse(Some("ManagedIdentityCredential")).unwrap().managed);
        assert!(Wanted::parse(Some("magic")).unwrap_err().to_string().contains("AZURE_TOKEN_CREDENTIALS is 'magic'"));
    }
}
