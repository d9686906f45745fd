//! Tests of the workflows: every kind of operation as a [`saga`], and what is particular to each. They run on duroxide's in-memory
//! provider, and those of [`saga`] that depend on it also on the one that servers use, with a fake runtime in which failures can be
//! injected, over the real metadata in a real PostgreSQL.

mod create;
mod delete;
mod health;
mod janitor;
mod monitor;
mod registry;
mod restart;
mod retry;
mod saga;
mod support;
mod sweeper;
mod upgrade;
