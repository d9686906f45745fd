//! `toygres instances terminate`

use clap::Args;
use cynic::MutationBuilder as _;

use super::find_id;
use crate::{
    client::Client,
    contract::{UserError, schema},
    failure::{Failure, Result},
    output::print,
};

/// End a session: its transaction is rolled back, and its connection is closed.
#[derive(Args, Debug)]
pub struct Terminate {
    /// Name or id of the instance.
    #[arg(value_name = "NAME")]
    instance_id: String,
    /// Session, as `toygres instances activity` lists it.
    #[arg(value_name = "SESSION")]
    session_id: String,
}

#[derive(cynic::InputObject)]
struct TerminateSessionInput {
    instance_id: cynic::Id,
    session_id: cynic::Id,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: TerminateSessionInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct Mutation {
    #[arguments(input: $input)]
    terminate_session: TerminateSessionPayload,
}

#[derive(cynic::QueryFragment)]
struct TerminateSessionPayload {
    ended: Option<bool>,
    user_errors: Vec<UserError>,
}

impl Terminate {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let (instance_id, session_id) = (find_id(client, &self.instance_id).await?, cynic::Id::new(self.session_id.as_str()));
        let input = TerminateSessionInput { instance_id, session_id };
        let TerminateSessionPayload { ended, user_errors } = client.run(Mutation::build(Variables { input })).await?.terminate_session;
        match user_errors.as_slice() {
            [] if ended == Some(true) => print(&format!("ended session {}\n", self.session_id)),
            [] => print(&format!("told session {} to end; it has not yet: look again with `toygres instances activity`\n", self.session_id)),
            errors => Err(Failure::user_errors::<Self>(errors)),
        }
    }
}
