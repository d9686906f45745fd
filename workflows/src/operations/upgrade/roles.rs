//! The roles of an instance whose server has become another version.

use toygres_domain::{certificate::ServerIdentity, instance::Endpoint};
use toygres_postgres::{Target, clients::Clients};
use toygres_store::Work;

use super::params;
use crate::{Failure, activities::generate_connection_string::insist, activity::ActivityContext, certificates::identity};

/// Gives the roles what the new version can give, before clients get in: `pg_upgrade` keeps what they had, such as the limits of connections
/// that versions before 16 need.
pub(super) async fn adapt_roles(context: &ActivityContext, work: &Work, endpoint: Endpoint) -> Result<(), Failure> {
    let id = work.instance.id;
    // In an instance that an earlier release created, the owner is a superuser.
    let Some(platform) = context.store.credentials(id).await?.platform else { return Ok(()) };
    let speaks_tls = context.runtime.speaks_tls(params(&work.operation)?.version);
    let identity = identity(context, id).await?.map(|identity| ServerIdentity { required: identity.required && speaks_tls, ..identity });
    let superuser = Target::of_superuser(endpoint, &platform).verifying(identity);
    let users = context.store.other_users(&work.instance).await?;
    let clients = Clients { owner: &work.instance.spec.username, users: &users };
    insist(|| context.configuration.adapt(id, &superuser, clients)).await
}
