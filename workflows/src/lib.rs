//! The durable workflows of Toygres on duroxide, and everything that starts, follows and repairs them.
//!
//! Four workflows, one file each: [`create_instance`], [`delete_instance`], [`health_check`] and [`monitor_operation`].
//! Six [`activities`]. The [`engine`] hosts them; the [`dispatcher`] starts what the operations table asks for; the
//! [`sweeper`] repairs what got lost; [`nudges`] carries hints of the runtime to waiting workflows; the [`janitor`] drops what
//! nobody needs any more; [`gauges`] tells the metrics what the tables hold.
//!
//! A workflow's history is stored as plain JSON: only ids travel through it, never a secret.

pub mod activities;
pub mod create_instance;
pub mod delete_instance;
pub mod dispatcher;
pub mod engine;
pub mod gauges;
pub mod health_check;
pub mod janitor;
pub mod monitor_operation;
pub mod nudges;
pub mod registry;
pub mod step;
pub mod sweeper;

pub use engine::{Engine, EngineOptions};
