//! Tests of the workflows as sagas: every activity repeated, late, failing and breaking; cancellation and deletion at every
//! step; and always a legal end, a clean slate and the reason kept. They run on duroxide's in-memory provider, with a double of
//! the runtime in which failures can be injected, over the real metadata on a real PostgreSQL.

mod create;
mod delete;
mod double;
mod harness;
mod health;
mod janitor;
mod monitor;
mod one_by_one;
mod retry;
mod sweeper;
mod upgrade;
