//! `ControlPlane`: information about the server.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use toygres_domain::{instance::PostgresVersion, parameter::catalog};

use super::{CaCertificate, Limits, Parameter, Reason, TokenRole};
use crate::{
    access,
    app::{App, HealthReport, Unreachable},
    graphql::errors::error,
};

/// More authorities than are ever published at a time: one that issues, one before and one after it.
const MOST_AUTHORITIES: usize = 5;

/// See the GraphQL type below.
pub struct ControlPlane;

/// The health of the control plane.
#[derive(SimpleObject)]
pub struct ControlPlaneHealth {
    /// Whether `database`, `liveDelivery` and `workflows` are true, and the server is not about to stop.
    ready: bool,
    /// Whether the metadata database answers.
    database: bool,
    /// Whether changes reach subscribers at once.
    live_delivery: bool,
    /// Whether this server runs workflows, or is not meant to.
    workflows: bool,
    /// The host of the instances. The server is ready without it, and operations wait for it.
    runtime: RuntimeHealth,
}

/// Whether the host of the instances answers.
#[derive(SimpleObject)]
pub struct RuntimeHealth {
    /// Whether it answers.
    reachable: bool,
    /// Since when it does not. Null if it does.
    unreachable_since: Option<DateTime<Utc>>,
    /// Why it does not. Null if it does.
    reason: Option<Reason>,
}

impl From<Option<Unreachable>> for RuntimeHealth {
    fn from(unreachable: Option<Unreachable>) -> Self {
        let (unreachable_since, reason) = unreachable.map(|Unreachable { since, reason }| (since, Reason::from(&reason))).unzip();
        Self { reachable: reason.is_none(), unreachable_since, reason }
    }
}

/// The caller of the API.
#[derive(SimpleObject)]
pub struct Caller {
    /// What the caller may do: the role of its token, or `ADMIN` on a server that requires no token.
    role: TokenRole,
    /// The name of the caller's token. Null on a server that requires no token.
    token_name: Option<String>,
    /// The ID of the caller's token. Null on a server that requires no token.
    token_id: Option<ID>,
    /// When the caller's token expires. Null for never, and on a server that requires no token.
    token_expires_at: Option<DateTime<Utc>>,
}

/// The control plane itself.
#[Object]
impl ControlPlane {
    /// The version of the server.
    async fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }
    /// Where instances run: `process` or `kubernetes`.
    async fn runtime(&self, ctx: &Context<'_>) -> &'static str {
        ctx.data_unchecked::<App>().runtime.name()
    }
    /// Whether `cloneInstance` copies the data of the source, and so needs no backups, and clones a suspended instance too. Otherwise it
    /// restores the archive of the source.
    async fn copies_instances(&self, ctx: &Context<'_>) -> bool {
        ctx.data_unchecked::<App>().runtime.copies()
    }
    /// The PostgreSQL versions on offer, newest first. The newest is the default.
    async fn postgres_versions(&self, ctx: &Context<'_>) -> Vec<String> {
        ctx.data_unchecked::<App>().runtime.versions().iter().map(ToString::to_string).collect()
    }
    /// The parameters that the owner of an instance with this major version of PostgreSQL can set, by name. Empty if the version is not on
    /// offer.
    #[graphql(complexity = "250 * child_complexity + 1")]
    async fn parameters(&self, #[graphql(desc = "The major version, for example 17.")] postgres_version: String) -> Vec<Parameter> {
        let version = postgres_version.parse().map(PostgresVersion);
        version.map_or_else(|_| Vec::new(), |version| catalog::parameters(version).iter().map(Parameter::from).collect())
    }
    /// The caller of this request.
    async fn caller(&self, ctx: &Context<'_>) -> Caller {
        let caller = ctx.data_unchecked::<access::Caller>();
        Caller {
            role: caller.role.into(),
            token_name: caller.name.as_deref().map(str::to_owned),
            token_id: caller.token.map(ID::from),
            token_expires_at: caller.expires_at,
        }
    }
    /// The certificate authorities that clients of instances should trust, in the order in which they issue. `/ca.pem` answers all of them
    /// as one file.
    #[graphql(complexity = "MOST_AUTHORITIES * child_complexity + 1")]
    async fn ca_certificates(&self, ctx: &Context<'_>) -> Result<Vec<CaCertificate>> {
        let authorities = ctx.data_unchecked::<App>().store.authorities().await.map_err(error)?;
        Ok(authorities.into_iter().map(CaCertificate::from).collect())
    }
    /// The health of the control plane.
    async fn health(&self, ctx: &Context<'_>) -> ControlPlaneHealth {
        let report = ctx.data_unchecked::<App>().health.report().await;
        let ready = report.ready();
        let HealthReport { database, live_delivery, workflows, stopping: _, unreachable } = report;
        ControlPlaneHealth { ready, database, live_delivery, workflows, runtime: unreachable.into() }
    }
    /// The limits of inputs.
    async fn limits(&self, ctx: &Context<'_>) -> Limits {
        let app = ctx.data_unchecked::<App>();
        Limits::new(app.health_check, app.backups.policy)
    }
}
