//! Authentication and authorisation of callers.
//!
//! Local mode admits everybody as administrator, which is why the server then listens on loopback only. With tokens, a caller
//! presents one in `Authorization: Bearer` or in the payload of `connection_init`; when it expires or is revoked, on
//! whichever server, its sockets are closed.

mod attempts;
mod slowed;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use axum::http::header;
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use toygres_domain::token::{ApiToken, TokenRole};
use toygres_store::Store;
use toygres_store::changes::Changes;
use uuid::Uuid;

use self::{
    attempts::{Attempts, Decision},
    slowed::Slowed,
};
use crate::transport::{Authenticate, Credentials, Denied, Session, counted_address};

/// Who sent a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What it may do.
    pub role: TokenRole,
    /// The name of its token; none in local mode.
    pub name: Option<Arc<str>>,
    /// The ID of its token; none in local mode.
    pub token: Option<Uuid>,
    /// When its token expires; none for never.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Admits everybody as administrator.
pub struct Local;

#[async_trait]
impl Authenticate for Local {
    async fn authenticate(&self, _: Credentials<'_>) -> Result<Session, Denied> {
        Ok(Session::default().seeing(TokenRole::Admin.as_str()).with(Caller { role: TokenRole::Admin, name: None, token: None, expires_at: None }))
    }
}

/// Admits bearers of valid tokens. Clones share the open sessions.
#[derive(Clone)]
pub struct Tokens {
    store: Store,
    sessions: Arc<Mutex<HashMap<Uuid, Sessions>>>,
    attempts: Arc<Attempts>,
    slowed: Slowed,
}

/// The open sessions of one token: one flag ends them all.
struct Sessions {
    ended: CancellationToken,
    token: ApiToken,
}

impl Tokens {
    /// Admits bearers of the tokens in `store`. Their sessions end once [`Self::watch`] runs.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, sessions: Arc::default(), attempts: Arc::default(), slowed: Slowed::default() }
    }

    /// Ends the sessions of tokens that expire or are revoked, until `shutdown`.
    pub async fn watch(self, changes: Changes, shutdown: CancellationToken) {
        let mut wakes = changes.tokens();
        while !shutdown.is_cancelled() {
            wakes.mark_unchanged();
            if let Err(error) = self.end_invalid().await {
                tracing::warn!(%error, "the tokens of open sessions could not be checked");
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                _ = wakes.changed() => {}
                () = tokio::time::sleep(self.next_expiry()) => {}
            }
        }
    }

    fn open(&self, token: ApiToken) -> Session {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = Caller { role: token.role, name: Some(token.name.as_str().into()), token: Some(token.id), expires_at: token.expires_at };
        let id = token.id;
        let ended = sessions.entry(id).or_insert_with(|| Sessions { ended: CancellationToken::new(), token }).ended.clone();
        Session::until(ended).of(id).seeing(caller.role.as_str()).with(caller)
    }

    async fn end_invalid(&self) -> toygres_domain::Result<()> {
        let known: Vec<Uuid> = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        if known.is_empty() {
            return Ok(());
        }
        let valid: HashMap<Uuid, ApiToken> =
            self.store.tokens_by_id(&known).await?.into_iter().filter(ApiToken::is_valid).map(|token| (token.id, token)).collect();
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, sessions| match valid.get(id) {
            // A session has the role that its token had when it began.
            Some(token) if token.role == sessions.token.role => {
                sessions.token = token.clone();
                true
            }
            // One that came in since the list was made is looked at the next time.
            None if !known.contains(id) => true,
            Some(_) | None => {
                sessions.ended.cancel();
                false
            }
        });
        Ok(())
    }

    fn next_expiry(&self) -> Duration {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let soonest = sessions.values().filter_map(|sessions| sessions.token.expires_at).min();
        let until = soonest.map_or(Duration::from_secs(60), |at| (at - Utc::now()).to_std().unwrap_or_default());
        // A new session can expire before those that were known when this was asked.
        until.clamp(Duration::from_millis(10), Duration::from_secs(1))
    }
}

#[async_trait]
impl Authenticate for Tokens {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Session, Denied> {
        let Some(secret) = presented(credentials) else {
            refused("missing");
            let message = "a token is needed: send `Authorization: Bearer <token>`, or the same in connection_init";
            return Err(Denied::Unauthenticated(message.to_owned()));
        };
        let address = credentials.address.map(counted_address);
        let look_up = self.store.token_by_secret(&secret);
        let (decision, found) = match (self.attempts.decide(&secret, address, Instant::now()), address) {
            (Decision::Unknown, _) => return Err(self.unknown(&secret, address)),
            (Decision::SlowLookUp, Some(address)) => match self.slowed.run(address, look_up).await {
                Some(found) => (Decision::SlowLookUp, found),
                None => {
                    // Nothing is known of the token: it was not looked up.
                    refused("throttled");
                    let message = "too many unknown tokens were presented from this address; try again in a moment";
                    return Err(Denied::TooMany(message.to_owned()));
                }
            },
            (decision, _) => (decision, look_up.await),
        };
        match found {
            Ok(Some(token)) if token.is_valid() => {
                self.attempts.verified(&secret, address, decision);
                Ok(self.open(token))
            }
            Ok(Some(_)) => Err(Self::invalid(
                "expired",
                "the token has expired or was revoked",
                self.attempts.expired(&secret, address, Instant::now()),
                address,
            )),
            Ok(None) => Err(self.unknown(&secret, address)),
            Err(error) => {
                self.attempts.not_checked(address, decision);
                tracing::warn!(%error, "a token cannot be checked");
                Err(Denied::Unavailable("the metadata database is not available; try again in a moment".to_owned()))
            }
        }
    }
}

impl Tokens {
    fn unknown(&self, secret: &str, address: Option<IpAddr>) -> Denied {
        Self::invalid("unknown", "the token is unknown", self.attempts.unknown(secret, address, Instant::now()), address)
    }

    /// Records that a caller was refused. `unlogged` is the number of such attempts to log.
    fn invalid(reason: &'static str, message: &str, unlogged: Option<u64>, address: Option<IpAddr>) -> Denied {
        refused(reason);
        if let Some(attempts) = unlogged {
            let address = address.map(tracing::field::display);
            tracing::warn!(address, attempts, "callers present tokens that are not valid");
        }
        Denied::Unauthenticated(message.to_owned())
    }
}

fn refused(reason: &'static str) {
    metrics::counter!("toygres_authentications_refused_total", "reason" => reason).increment(1);
}

/// The secret in the headers or, on a socket, in the payload of `connection_init`, whose keys browsers can set.
fn presented(credentials: Credentials<'_>) -> Option<String> {
    let init = credentials.init.and_then(|payload| {
        let (_, value) = payload.iter().find(|(key, _)| key.eq_ignore_ascii_case("authorization"))?;
        value.as_str()
    });
    let header = credentials.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, secret) = init.or(header)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim().to_owned())
}
