//! `toygres instances cancel`

use clap::Args;
use cynic::MutationBuilder as _;

use super::find_id;
use crate::{
    client::Client,
    contract::{UserError, schema},
    failure::{Failure, Result},
    output::print,
};

/// Cancel the statement that a session runs; the session goes on.
#[derive(Args, Debug)]
pub struct Cancel {
    /// Name or id of the instance.
    #[arg(value_name = "NAME")]
    instance_id: String,
    /// Session, as `toygres instances activity` lists it.
    #[arg(value_name = "SESSION")]
    session_id: String,
}

#[derive(cynic::InputObject)]
struct CancelQueryInput {
    instance_id: cynic::Id,
    session_id: cynic::Id,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: CancelQueryInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct Mutation {
    #[arguments(input: $input)]
    cancel_query: CancelQueryPayload,
}

#[derive(cynic::QueryFragment)]
struct CancelQueryPayload {
    user_errors: Vec<UserError>,
}

impl Cancel {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let (instance_id, session_id) = (find_id(client, &self.instance_id).await?, cynic::Id::new(self.session_id.as_str()));
        let input = CancelQueryInput { instance_id, session_id };
        let CancelQueryPayload { user_errors } = client.run(Mutation::build(Variables { input })).await?.cancel_query;
        match user_errors.as_slice() {
            [] => print(&format!("cancelled the statement of session {}\n", self.session_id)),
            errors => Err(Failure::user_errors::<Self>(errors)),
        }
    }
}
