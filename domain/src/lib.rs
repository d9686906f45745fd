//! What a hosted PostgreSQL instance *is*, and the metadata database that remembers it.
//!
//! This crate knows no transport, no workflow engine and no host. It holds the vocabulary ([`instance`], [`operation`],
//! [`event`], [`error`]), the two things every other crate is written against (the [`runtime::Runtime`] trait and the
//! [`store::Store`]), and [`probe`], the one place that connects to a hosted instance.

pub mod changes;
#[cfg(feature = "contract-tests")]
pub mod contract;
pub mod error;
pub mod event;
pub mod health;
pub mod id;
pub mod instance;
pub mod name;
pub mod operation;
pub mod probe;
pub mod runtime;
pub mod secret;
pub mod store;
#[cfg(feature = "test-support")]
pub mod testing;
pub mod token;

pub use error::{Error, FieldError, Result, UserErrorCode};
pub use id::{InstanceId, OperationId};
