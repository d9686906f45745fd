//! Instances on Kubernetes: the [`Runtime`](toygres_domain::runtime::Runtime) of the product, and the only crate that
//! knows kube.
//!
//! [`build`] computes the objects of an instance and holds no client; `apply` and `remove` bring them about; [`observe`]
//! reads what the cluster says of them; `watch` turns changes into nudges. [`permissions`] lists every call that is made.

mod apply;
pub mod build;
mod cluster;
mod errors;
pub mod observe;
pub mod permissions;
mod remove;
mod runtime;
pub mod settings;
mod watch;

pub use cluster::ConnectError;
pub use runtime::KubernetesRuntime;
pub use settings::Settings;
