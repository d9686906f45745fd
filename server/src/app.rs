//! What the server can do, free of GraphQL and HTTP: one file per use case.

mod create_instance;
mod create_token;
mod health;

use std::{sync::Arc, time::Duration};

use toygres_domain::{Result, instance::HealthCheckPolicy, runtime::Runtime};
use toygres_store::{Request, Store};

pub(crate) use create_instance::labels;
pub use create_instance::{CreateInstance, ExposureKind, HealthCheckSettings};
pub(crate) use create_token::create_token;
pub use health::{Health, HealthReport};

use crate::live::Hub;

/// Everything that a use case works with. Clones share it.
#[derive(Clone)]
pub struct App {
    /// The metadata.
    pub store: Store,
    /// The host of instances.
    pub runtime: Arc<dyn Runtime>,
    /// Live delivery.
    pub hub: Hub,
    /// The control plane's own health.
    pub health: Health,
    /// How long an operation may take.
    pub operation_deadline: Duration,
    /// How instances are checked whose creator said nothing else.
    pub health_check: HealthCheckPolicy,
}

impl App {
    /// What comes with every mutation. `input` is what the idempotency key stands for.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] when the key is empty or too long.
    pub fn checked_request(&self, idempotency_key: Option<String>, input: &impl std::fmt::Debug, requested_by: Option<String>) -> Result<Request> {
        if let Some(key) = &idempotency_key {
            create_instance::check_idempotency_key(key)?;
        }
        Ok(Request {
            idempotency: idempotency_key.map(|key| (key, self.store.digests(format!("{input:?}").as_bytes()))),
            requested_by,
            deadline: self.operation_deadline,
        })
    }
}
