//! `Node` and its ids.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Result};
use toygres_domain::{Error, InstanceId, OperationId, backup::BackupId, token::TokenRole, webhook::WebhookId};
use uuid::Uuid;

use super::{ApiToken, Backup, Database, DatabaseUser, HealthCheck, Instance, InstanceEvent, Operation, Webhook};
use crate::{
    access::Caller,
    app::{App, backups::ID_PREFIX},
    graphql::errors::error,
};

/// An object with a globally unique ID.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The globally unique ID of the object."))]
pub enum Node {
    /// An instance.
    Instance(Instance),
    /// An operation.
    Operation(Operation),
    /// An API token.
    ApiToken(ApiToken),
    /// A health check.
    HealthCheck(HealthCheck),
    /// An event.
    InstanceEvent(InstanceEvent),
    /// A user of an instance.
    DatabaseUser(DatabaseUser),
    /// A database of an instance.
    Database(Database),
    /// A base backup of an instance.
    Backup(Backup),
    /// A webhook.
    Webhook(Webhook),
}

const HEALTH_CHECK: &str = "health-check-";
const EVENT: &str = "event-";
const DATABASE_USER: &str = "database-user-";
const DATABASE: &str = "database-";
const WEBHOOK: &str = "webhook-";

/// A parsed id. The ids of instances, operations and API tokens are those in logs and labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeId {
    /// A UUID: an instance or an API token.
    InstanceOrApiToken(Uuid),
    /// `health-check-<instance>-<number>`
    HealthCheck(InstanceId, i64),
    /// `event-<number>`
    Event(i64),
    /// `database-user-<instance>-<name>`
    DatabaseUser(InstanceId, String),
    /// `database-<instance>-<name>`
    Database(InstanceId, String),
    /// `backup-<id>`
    Backup(BackupId),
    /// `webhook-<id>`
    Webhook(WebhookId),
    /// Any other text.
    Operation(OperationId),
}

impl NodeId {
    /// Reads an id.
    pub fn parse(text: &str) -> Self {
        let health_check = || {
            let (instance, number) = text.strip_prefix(HEALTH_CHECK)?.rsplit_once('-')?;
            Some(Self::HealthCheck(instance.parse().ok()?, number.parse().ok()?))
        };
        let event = || Some(Self::Event(text.strip_prefix(EVENT)?.parse().ok()?));
        // A name has no hyphens.
        let of_instance = |prefix| {
            let (instance, name) = text.strip_prefix(prefix)?.rsplit_once('-')?;
            Some((instance.parse().ok()?, name.to_owned()))
        };
        let user = || of_instance(DATABASE_USER).map(|(instance, name)| Self::DatabaseUser(instance, name));
        let database = || of_instance(DATABASE).map(|(instance, name)| Self::Database(instance, name));
        let uuid = || text.parse().ok().map(Self::InstanceOrApiToken);
        let backup = || Some(Self::Backup(text.strip_prefix(ID_PREFIX)?.parse().ok()?));
        let webhook = || Some(Self::Webhook(WebhookId(text.strip_prefix(WEBHOOK)?.parse().ok()?)));
        uuid()
            .or_else(backup)
            .or_else(webhook)
            .or_else(health_check)
            .or_else(event)
            .or_else(user)
            .or_else(database)
            .unwrap_or_else(|| Self::Operation(OperationId::from_any(text)))
    }

    /// Finds the object. Only administrators can find API tokens and webhooks.
    pub async fn find(self, ctx: &Context<'_>) -> Result<Option<Node>> {
        let store = &ctx.data_unchecked::<App>().store;
        let is_admin = ctx.data_opt::<Caller>().is_some_and(|caller| caller.role >= TokenRole::Admin);
        let found = async {
            Ok::<_, Error>(match self {
                Self::InstanceOrApiToken(id) => match store.instance(InstanceId(id)).await? {
                    Some(instance) => Some(Node::Instance(Instance(Arc::new(instance)))),
                    None if is_admin => store.tokens_by_id(&[id]).await?.into_iter().next().map(|token| Node::ApiToken(ApiToken(token))),
                    None => None,
                },
                Self::HealthCheck(instance, number) => {
                    let next = store.health_checks_after(instance, number.saturating_sub(1), 1).await?;
                    next.into_iter().find(|check| check.id == number).map(|check| Node::HealthCheck(HealthCheck(check)))
                }
                Self::Event(number) => store.event(number).await?.map(|event| Node::InstanceEvent(InstanceEvent::new(event, None, None))),
                Self::DatabaseUser(instance, name) => store.database_user(instance, &name).await?.map(|user| Node::DatabaseUser(DatabaseUser(user))),
                Self::Database(instance, name) => store.database(instance, &name).await?.map(|database| Node::Database(Database(database))),
                Self::Backup(id) => store.backup(id).await?.map(|backup| Node::Backup(Backup(backup))),
                Self::Webhook(id) if is_admin => store.webhook(id).await?.map(|webhook| Node::Webhook(Webhook(webhook))),
                Self::Webhook(_) => None,
                Self::Operation(id) => store.operation(&id).await?.map(|operation| Node::Operation(Operation(Arc::new(operation)))),
            })
        };
        found.await.map_err(error)
    }
}

impl From<NodeId> for ID {
    fn from(id: NodeId) -> Self {
        Self(match id {
            NodeId::InstanceOrApiToken(id) => id.to_string(),
            NodeId::HealthCheck(instance, number) => format!("{HEALTH_CHECK}{instance}-{number}"),
            NodeId::Event(number) => format!("{EVENT}{number}"),
            NodeId::DatabaseUser(instance, name) => format!("{DATABASE_USER}{instance}-{name}"),
            NodeId::Database(instance, name) => format!("{DATABASE}{instance}-{name}"),
            NodeId::Backup(id) => format!("{ID_PREFIX}{id}"),
            NodeId::Webhook(id) => id.to_string(),
            NodeId::Operation(id) => id.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use toygres_domain::operation::OperationKind;

    use super::*;

    #[test]
    fn every_id_says_what_it_is_the_id_of() {
        let instance = InstanceId::generate();
        let mut ids = vec![NodeId::InstanceOrApiToken(instance.0), NodeId::HealthCheck(instance, 7), NodeId::Event(7)];
        ids.extend([NodeId::DatabaseUser(instance, "a_b".to_owned()), NodeId::Database(instance, "user_x".to_owned())]);
        ids.extend([NodeId::Backup(BackupId::generate()), NodeId::Webhook(WebhookId::generate())]);
        ids.extend(OperationKind::ALL.iter().map(|kind| NodeId::Operation(OperationId::new(*kind, instance, 7))));
        for id in ids {
            assert_eq!(NodeId::parse(&ID::from(id.clone())), id);
        }
    }
}
