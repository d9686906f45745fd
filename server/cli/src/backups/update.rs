//! `toygres backups update`

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args};
use cynic::MutationBuilder as _;

use crate::{
    client::Client,
    contract::{UserError, schema},
    failure::{Failure, Result},
    output::print,
};

/// Keep a backup longer than the retention of its instance.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("change").required(true).multiple(true).args(["lock", "unlock", "keep_until"]))]
pub struct Update {
    /// Id of the backup.
    #[arg(value_name = "BACKUP")]
    id: String,
    /// Keep it until it is unlocked.
    #[arg(long, conflicts_with = "unlock")]
    lock: bool,
    /// Leave it to the retention of its instance again.
    #[arg(long)]
    unlock: bool,
    /// Keep it at least until this time, such as 2027-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    keep_until: Option<DateTime<Utc>>,
}

#[derive(cynic::InputObject)]
struct UpdateBackupInput {
    id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    locked: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    keep_until: Option<DateTime<Utc>>,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: UpdateBackupInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct Mutation {
    #[arguments(input: $input)]
    update_backup: UpdateBackupPayload,
}

#[derive(cynic::QueryFragment)]
struct UpdateBackupPayload {
    user_errors: Vec<UserError>,
}

impl Update {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let locked = (self.lock || self.unlock).then_some(self.lock);
        let input = UpdateBackupInput { id: cynic::Id::new(self.id.clone()), locked, keep_until: self.keep_until };
        let UpdateBackupPayload { user_errors } = client.run(Mutation::build(Variables { input })).await?.update_backup;
        if user_errors.is_empty() { print(&format!("changed the backup {}\n", self.id)) } else { Err(Failure::user_errors::<Self>(&user_errors)) }
    }
}
