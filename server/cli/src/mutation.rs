//! Mutations that start or change an operation: send one, follow its operation with `--wait`, print the result.

use clap::Args;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    client::Client,
    contract::{Instance, Operation, UserError},
    failure::{Failure, Kind, Result},
    follow::{WaitOptions, check_outcome, follow},
    instances,
    output::OutputOptions,
    progress::{Progress, describe},
};

/// The input of a mutation; implemented by [`operation_mutation`].
pub(crate) trait MutationInput {
    type Data: DeserializeOwned;
    type Variables: Serialize;

    fn request(self) -> cynic::Operation<Self::Data, Self::Variables>;
    fn payload(data: Self::Data) -> Payload;
}

/// The fields that the payloads of these mutations have in common.
pub(crate) struct Payload {
    pub(crate) instance: Option<Instance>,
    pub(crate) operation: Option<Operation>,
    pub(crate) user_errors: Vec<UserError>,
}

/// Declares the GraphQL document of a mutation: `operation_mutation!(RestartInstanceInput: "restartInstance" -> "RestartInstancePayload");`.
macro_rules! operation_mutation {
    ($Input:ident: $mutation:tt -> $Payload:tt) => {
        #[derive(cynic::QueryVariables)]
        struct Variables {
            input: $Input,
        }

        #[derive(cynic::QueryFragment)]
        #[cynic(graphql_type = "Mutation", variables = "Variables")]
        struct Mutation {
            #[arguments(input: $input)]
            #[cynic(rename = $mutation)]
            payload: Payload,
        }

        #[derive(cynic::QueryFragment)]
        #[cynic(graphql_type = $Payload)]
        struct Payload {
            instance: Option<crate::contract::Instance>,
            operation: Option<crate::contract::Operation>,
            user_errors: Vec<crate::contract::UserError>,
        }

        impl crate::mutation::MutationInput for $Input {
            type Data = Mutation;
            type Variables = Variables;

            fn request(self) -> cynic::Operation<Mutation, Variables> {
                cynic::MutationBuilder::build(Variables { input: self })
            }

            fn payload(Mutation { payload: Payload { instance, operation, user_errors } }: Mutation) -> crate::mutation::Payload {
                crate::mutation::Payload { instance, operation, user_errors }
            }
        }
    };
}
pub(crate) use operation_mutation;

/// An accepted mutation: its instance and its operation.
#[derive(Serialize)]
pub(crate) struct Accepted {
    pub(crate) instance: Instance,
    pub(crate) operation: Operation,
}

/// Sends a mutation. `C` is the command that the input came from.
pub(crate) async fn send<C: Args, I: MutationInput>(client: &Client, input: I) -> Result<Accepted> {
    match I::payload(client.run(input.request()).await?) {
        Payload { user_errors, .. } if !user_errors.is_empty() => Err(Failure::user_errors::<C>(&user_errors)),
        Payload { instance: Some(instance), operation: Some(operation), .. } => Ok(Accepted { instance, operation }),
        _ => Err(Failure::new(Kind::Failed, "the server accepted the request, but returned no operation")),
    }
}

/// The options of a command that starts an operation.
#[derive(Args, Clone, Copy, Debug)]
pub struct OperationOptions {
    #[command(flatten)]
    wait: WaitOptions,
    #[command(flatten)]
    output: OutputOptions,
}

impl OperationOptions {
    /// Sends a mutation, and prints its instance and operation; with `--wait`, when the operation has finished.
    pub(crate) async fn run<C: Args>(self, client: &Client, input: impl MutationInput) -> Result<()> {
        self.run_on::<C>(client, input, None).await
    }

    /// The same for an operation on a database or user of the instance, if there is a name.
    pub(crate) async fn run_on<C: Args>(self, client: &Client, input: impl MutationInput, object: Option<&str>) -> Result<()> {
        let accepted = send::<C, _>(client, input).await?;
        self.finish(client, accepted, object).await
    }

    /// Prints the instance and the operation of an accepted mutation; with `--wait`, when the operation has finished.
    pub(crate) async fn finish(self, client: &Client, mut accepted: Accepted, object: Option<&str>) -> Result<()> {
        if self.follow(client, &mut accepted.operation, object).await? {
            accepted.instance = instances::find(client, accepted.instance.id.inner()).await?;
        }
        self.output.output.print(&accepted, |Accepted { instance, operation }| match operation.finished_at {
            Some(_) => instances::table([instance]).to_string(),
            None => format!("{}(follow it with `toygres operations watch {}`)\n", describe(operation, object), operation.id.inner()),
        })?;
        check_outcome(&accepted.operation)
    }

    /// Prints something before the operation is followed. As JSON or YAML it is a document of its own, and so is the result.
    pub(crate) fn print_first<T: Serialize>(self, value: &T, table: impl FnOnce(&T) -> String) -> Result<()> {
        self.output.output.print(value, table)
    }

    /// Sends a mutation of an operation, and prints the operation; with `--wait`, when it has finished.
    pub(crate) async fn run_on_operation<C: Args>(self, client: &Client, input: impl MutationInput) -> Result<Operation> {
        let Accepted { mut operation, .. } = send::<C, _>(client, input).await?;
        self.follow(client, &mut operation, None).await?;
        self.output.output.print(&operation, |operation| describe(operation, None))?;
        Ok(operation)
    }

    /// With `--wait`, waits until the operation has finished; whether it did.
    async fn follow(self, client: &Client, operation: &mut Operation, object: Option<&str>) -> Result<bool> {
        if self.wait.wait {
            *operation = follow(client, &operation.id, self.wait.wait_timeout, &mut Progress::on_stderr(object)).await?;
        }
        Ok(self.wait.wait)
    }
}
