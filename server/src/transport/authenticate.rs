//! Authentication of callers.

use std::{any::Any, fmt, net::IpAddr, sync::Arc};

use async_graphql::Data;
use async_trait::async_trait;
use axum::http::HeaderMap;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::{connections::counted_address, cpu_bound::CallerKey};

/// Authenticates callers.
#[async_trait]
pub trait Authenticate: Send + Sync + 'static {
    /// Checks the credentials of a caller. Called once per HTTP request, event stream and socket.
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Session, Denied>;
}

/// The credentials of a caller.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The headers of the request, or of the request that opened the socket.
    pub headers: &'a HeaderMap,
    /// The payload of `connection_init`: `None` for anything but a socket, empty when the message had none.
    pub init: Option<&'a Map<String, Value>>,
    /// The address of the peer, if the server knows it. Behind a proxy it is the proxy's.
    pub address: Option<IpAddr>,
}

/// Inserts one value into the data of a request.
type Insert = Arc<dyn Fn(&mut Data) + Send + Sync>;

/// The session of an authenticated caller.
#[derive(Clone, Default)]
pub struct Session {
    data: Vec<Insert>,
    ended: CancellationToken,
    caller: CallerKey,
    rights: Option<&'static str>,
}

impl Session {
    /// A session that lasts until `ended` completes. Then its sockets are closed with code 4403, and its event streams complete
    /// with an error.
    #[must_use]
    pub fn until(ended: CancellationToken) -> Self {
        Self { ended, ..Self::default() }
    }

    /// Sets what identifies the caller, for limits per caller. Without it, callers of one address count as one.
    #[must_use]
    pub fn of(mut self, caller: impl fmt::Display) -> Self {
        self.caller = CallerKey::Named(caller.to_string().into());
        self
    }

    /// Sets what the caller may see. Subscriptions of callers with the same rights share results; without it, they share none.
    #[must_use]
    pub fn seeing(mut self, rights: &'static str) -> Self {
        self.rights = Some(rights);
        self
    }

    pub(super) fn rights(&self) -> Option<&'static str> {
        self.rights
    }

    /// Sets the address that identifies the caller if nothing else does.
    pub(super) fn or_address(mut self, address: Option<IpAddr>) -> Self {
        if let CallerKey::Address(_) = self.caller {
            self.caller = CallerKey::Address(address.map(counted_address));
        }
        self
    }

    pub(super) fn caller(&self) -> &CallerKey {
        &self.caller
    }

    /// Adds a value that resolvers get with `ctx.data::<T>()`.
    #[must_use]
    pub fn with<T: Any + Clone + Send + Sync>(mut self, value: T) -> Self {
        self.data.push(Arc::new(move |data| data.insert(value.clone())));
        self
    }

    /// Completes when the session has ended.
    pub(super) fn ended(&self) -> impl Future<Output = ()> + Send + 'static {
        self.ended.clone().cancelled_owned()
    }

    pub(super) fn insert_into(&self, data: &mut Data) {
        self.data.iter().for_each(|insert| insert(data));
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("ended", &self.ended.is_cancelled()).finish_non_exhaustive()
    }
}

/// Why authentication failed. The text is for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Credentials are missing, wrong or expired: 401, or close code 4403.
    #[error("{0}")]
    Unauthenticated(String),
    /// The caller has presented too many wrong ones: 429, or close code 1013.
    #[error("{0}")]
    TooMany(String),
    /// The credentials cannot be checked at present: 503, or close code 1013, after which clients reconnect.
    #[error("{0}")]
    Unavailable(String),
}

/// Accepts every caller, without a time limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

#[async_trait]
impl Authenticate for Open {
    async fn authenticate(&self, _: Credentials<'_>) -> Result<Session, Denied> {
        Ok(Session::default())
    }
}
