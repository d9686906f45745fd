//! `toygres users create`

use std::path::Path;

use clap::Args;
use cynic::MutationBuilder as _;
use serde::Serialize;

use crate::{
    client::Client,
    contract::{BigInt, DatabaseAccess, Instance, Operation, UserError, schema},
    failure::{Failure, Kind, Result},
    input::read_secret,
    instances::find_id,
    mutation::{Accepted, OperationOptions},
};

/// Create a user in an instance, and print its password. The password cannot be shown again.
#[derive(Args, Debug)]
pub struct Create {
    /// Name or id of the instance.
    #[arg(value_name = "INSTANCE")]
    instance_id: String,
    /// Name of the user.
    name: String,
    /// What the user may do.
    #[arg(long)]
    access: DatabaseAccess,
    /// Database in which the user may do that [default: for read-write and read-only, that of the instance; for owner, those that are created for it].
    #[arg(long)]
    database: Option<String>,
    /// Read the password from stdin [default: generate a password].
    #[arg(long = "password-stdin")]
    password: bool,
    /// Do it only at this revision of the instance.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first result, without the password.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

// No `Debug`, because it contains a password.
#[derive(cynic::InputObject)]
struct CreateDatabaseUserInput {
    instance_id: cynic::Id,
    name: String,
    access: DatabaseAccess,
    #[cynic(skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: CreateDatabaseUserInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct CreateUser {
    #[arguments(input: $input)]
    create_database_user: CreateDatabaseUserPayload,
}

#[derive(cynic::QueryFragment)]
struct CreateDatabaseUserPayload {
    instance: Option<Instance>,
    operation: Option<Operation>,
    password: Option<String>,
    user_errors: Vec<UserError>,
}

/// What is printed before the operation is followed, because it cannot be shown again.
#[derive(Serialize)]
struct Shown {
    user: String,
    password: String,
}

impl Create {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = CreateDatabaseUserInput {
            instance_id: find_id(client, &self.instance_id).await?,
            name: self.name.clone(),
            access: self.access,
            database: self.database,
            password: self.password.then(|| read_secret(Path::new("-"))).transpose()?,
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        let payload = client.run(CreateUser::build(Variables { input })).await?.create_database_user;
        let CreateDatabaseUserPayload { instance: Some(instance), operation: Some(operation), password, user_errors } = payload else {
            return Err(match payload.user_errors.as_slice() {
                [] => Failure::new(Kind::Failed, "the server accepted the request, but returned no operation"),
                errors => Failure::user_errors::<Self>(errors),
            });
        };
        if !user_errors.is_empty() {
            return Err(Failure::user_errors::<Self>(&user_errors));
        }
        if let Some(password) = password {
            let shown = Shown { user: self.name.clone(), password };
            self.options.print_first(&shown, |Shown { user, password }| format!("The password of {user} is {password} (it is not shown again)\n"))?;
        }
        self.options.finish(client, Accepted { instance, operation }, Some(&self.name)).await
    }
}
