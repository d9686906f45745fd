//! What a hosted PostgreSQL instance is: the vocabulary and the rules, pure.
//!
//! This crate knows no database, transport, workflow engine or host. It holds the vocabulary ([`instance`], [`operation`],
//! [`event`], [`health`], [`token`], [`data`], [`backup`], [`parameter`], [`certificate`], [`database`], [`database_user`],
//! [`drift`], [`upgrade`], [`volume`], [`storage`], [`wal`], [`session`], [`server_log`], [`statement_statistics`], [`metric`],
//! [`error`]), the [`masking`] of secrets,
//! and the [`runtime::Runtime`] trait, which every host of instances implements.

pub mod address;
pub mod backup;
pub mod certificate;
pub mod connection_string;
pub mod data;
pub mod database;
pub mod database_user;
pub mod drift;
pub mod error;
pub mod event;
pub mod hba;
pub mod health;
pub mod id;
pub mod instance;
pub mod maintenance;
pub mod masking;
pub mod metric;
pub mod name;
pub mod notice;
pub mod operation;
pub mod parameter;
pub mod postgres_release;
pub mod recovery;
pub mod restoration;
pub mod roles;
pub mod runtime;
pub mod scram;
pub mod secret;
pub mod server_log;
pub mod server_settings;
pub mod session;
pub mod statement_statistics;
pub mod storage;
pub mod token;
pub mod upgrade;
pub mod verification;
pub mod volume;
pub mod wal;
pub mod webhook;

pub use error::{Error, FieldError, Result, UserErrorCode};
pub use id::{InstanceId, OperationId};
