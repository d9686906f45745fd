//! The mutations of the demo.

pub(super) use clone::clone;
pub(super) use create::create;
pub(super) use delete::delete;
pub(super) use restart::restart;

mod create {
    use crate::{
        client::Client,
        contract::{LabelInput, schema},
        demo::Demo,
        failure::Result,
        mutation::{Accepted, operation_mutation, send},
    };

    #[derive(cynic::InputObject)]
    struct CreateInstanceInput {
        name: String,
        storage_gb: Option<i32>,
        memory_mb: Option<i32>,
        labels: Option<Vec<LabelInput>>,
    }

    operation_mutation!(CreateInstanceInput: "createInstance" -> "CreateInstancePayload");

    /// A small instance.
    pub(in crate::demo) async fn create(client: &Client, name: &str, label: LabelInput) -> Result<Accepted> {
        let input = CreateInstanceInput { name: name.to_owned(), storage_gb: Some(1), memory_mb: Some(256), labels: Some(vec![label]) };
        send::<Demo, _>(client, input).await
    }
}

mod clone {
    use crate::{
        client::Client,
        contract::{LabelInput, schema},
        demo::Demo,
        failure::Result,
        mutation::{Accepted, operation_mutation, send},
    };

    #[derive(cynic::InputObject)]
    struct CloneInstanceInput {
        source_id: cynic::Id,
        name: String,
        labels: Option<Vec<LabelInput>>,
    }

    operation_mutation!(CloneInstanceInput: "cloneInstance" -> "CloneInstancePayload");

    pub(in crate::demo) async fn clone(client: &Client, source_id: cynic::Id, name: &str, label: LabelInput) -> Result<Accepted> {
        send::<Demo, _>(client, CloneInstanceInput { source_id, name: name.to_owned(), labels: Some(vec![label]) }).await
    }
}

mod restart {
    use crate::{
        client::Client,
        contract::schema,
        demo::Demo,
        failure::Result,
        mutation::{Accepted, operation_mutation, send},
    };

    #[derive(cynic::InputObject)]
    struct RestartInstanceInput {
        id: cynic::Id,
    }

    operation_mutation!(RestartInstanceInput: "restartInstance" -> "RestartInstancePayload");

    pub(in crate::demo) async fn restart(client: &Client, id: cynic::Id) -> Result<Accepted> {
        send::<Demo, _>(client, RestartInstanceInput { id }).await
    }
}

mod delete {
    use crate::{
        client::Client,
        contract::schema,
        demo::Demo,
        failure::Result,
        mutation::{Accepted, operation_mutation, send},
    };

    #[derive(cynic::InputObject)]
    struct DeleteInstanceInput {
        id: cynic::Id,
        backup_retention_days: Option<i32>,
    }

    operation_mutation!(DeleteInstanceInput: "deleteInstance" -> "DeleteInstancePayload");

    /// With its backups.
    pub(in crate::demo) async fn delete(client: &Client, id: cynic::Id) -> Result<Accepted> {
        send::<Demo, _>(client, DeleteInstanceInput { id, backup_retention_days: Some(0) }).await
    }
}
