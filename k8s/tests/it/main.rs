//! The tests of the Kubernetes runtime: the objects against golden files, the judgement against recordings of a real
//! cluster, and the verbs against an API server in this process.

mod connecting;
mod contract;
mod crashes;
mod double;
mod fixture;
mod golden;
mod nudging;
mod observations;
mod permissions;
mod recordings;
mod verbs;
