//! Instances on Kubernetes: the [`Runtime`](toygres_domain::runtime::Runtime) of the product, and the only crate that
//! knows kube.
//!
//! [`build`] computes the objects of an instance without a client; `apply`, `address`, `restart` and `remove` change the cluster;
//! [`observe`] derives the state of an instance from its objects; [`drift`] compares them with what was deployed; `watch` turns changes into nudges. [`permissions`] lists every
//! call that is made.

mod address;
mod apply;
pub mod build;
mod cluster;
pub mod drift;
mod errors;
pub mod observe;
pub mod permissions;
mod remove;
mod resize;
mod restart;
mod restore;
mod runtime;
pub mod settings;
mod suspend;
mod upgrade;
mod verify;
mod watch;
mod wording;

pub use cluster::ConnectError;
pub use runtime::KubernetesRuntime;
pub use settings::{InvalidSetting, Settings};
