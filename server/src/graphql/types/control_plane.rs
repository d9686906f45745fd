//! `ControlPlane`: the server about itself.

use async_graphql::{Context, Object, SimpleObject};

use super::TokenRole;
use crate::{
    access,
    app::{App, HealthReport},
};

/// The control plane itself.
pub struct ControlPlane;

/// How the parts of the control plane are.
#[derive(SimpleObject)]
pub struct ControlPlaneHealth {
    /// Everything below is well.
    ready: bool,
    /// The metadata database answers.
    database: bool,
    /// The listening connection stands, so that subscriptions are live.
    live_delivery: bool,
    /// The workflows are at work in this server.
    workflows: bool,
}

/// Who asks, and what it may do; so that a page can leave out what would be refused.
#[derive(SimpleObject)]
pub struct Caller {
    /// What the caller may do: the role of its token, or `ADMIN` where the server asks for none.
    role: TokenRole,
    /// The name of its token; null where the server asks for none.
    token_name: Option<String>,
}

/// The control plane itself.
#[Object]
impl ControlPlane {
    /// The version of this server.
    async fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }
    /// Where instances run: `process` or `kubernetes`.
    async fn runtime(&self, ctx: &Context<'_>) -> &'static str {
        ctx.data_unchecked::<App>().runtime.name()
    }
    /// The PostgreSQL versions that can be asked for, the newest (which is the default) first.
    async fn postgres_versions(&self, ctx: &Context<'_>) -> Vec<String> {
        ctx.data_unchecked::<App>().runtime.versions().iter().map(ToString::to_string).collect()
    }
    /// Who asks.
    async fn caller(&self, ctx: &Context<'_>) -> Caller {
        let caller = ctx.data_unchecked::<access::Caller>();
        Caller { role: caller.role.into(), token_name: caller.name.as_deref().map(str::to_owned) }
    }
    /// How its parts are.
    async fn health(&self, ctx: &Context<'_>) -> ControlPlaneHealth {
        let report = ctx.data_unchecked::<App>().health.report().await;
        let HealthReport { database, live_delivery, workflows, stopping: _ } = report;
        ControlPlaneHealth { ready: report.ready(), database, live_delivery, workflows }
    }
}
