//! `toygres backups delete`

use clap::Args;
use cynic::MutationBuilder as _;

use crate::{
    client::Client,
    contract::{UserError, schema},
    failure::{Failure, Result},
    input::confirm,
    output::print,
};

/// Delete a backup, and with it the points in time that only it can restore.
#[derive(Args, Debug)]
#[command(visible_alias = "rm")]
pub struct Delete {
    /// Id of the backup.
    #[arg(value_name = "BACKUP")]
    id: String,
    /// Do not ask for confirmation. Required when stdin is not a terminal.
    #[arg(long, short)]
    yes: bool,
}

#[derive(cynic::InputObject)]
struct DeleteBackupInput {
    id: cynic::Id,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: DeleteBackupInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct Mutation {
    #[arguments(input: $input)]
    delete_backup: DeleteBackupPayload,
}

#[derive(cynic::QueryFragment)]
struct DeleteBackupPayload {
    user_errors: Vec<UserError>,
}

impl Delete {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        if !self.yes {
            confirm(&format!("Delete the backup {}?", self.id), "--yes")?;
        }
        let input = DeleteBackupInput { id: cynic::Id::new(self.id.clone()) };
        let DeleteBackupPayload { user_errors } = client.run(Mutation::build(Variables { input })).await?.delete_backup;
        if user_errors.is_empty() {
            print(&format!("backup {} is being deleted\n", self.id))
        } else {
            Err(Failure::user_errors::<Self>(&user_errors))
        }
    }
}
