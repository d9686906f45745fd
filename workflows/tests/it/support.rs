//! The test support.

pub mod assertions;
pub mod control_plane;
pub mod fake_runtime;
pub mod faults;
pub mod hooks;
pub mod operations;
pub mod proxy;
pub mod requests;
mod samples;
pub mod serial_provider;
pub mod waiting;

pub use control_plane::{Harness, timing};
pub use fake_runtime::{FakeRuntime, away};
pub use faults::{EVERY, FailureKind, Fault, Ways, crashes, fails, failure, failures, injected, late, panic_quietly, panics, reported, twice};
pub use hooks::Call;
pub use operations::{EACH_SHAPE, Example, Plan, archive_instances, back_up, by_shape, each_shape, is_exhaustive};
pub use proxy::Proxy;
pub use requests::{DEADLINE, request};
pub use samples::{Sample, Variant};
pub use waiting::{concurrently, eventually, with_retry};
