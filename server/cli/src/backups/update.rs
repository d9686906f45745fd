//! `toygres backups update`

use chrono::{DateTime, TimeDelta, Utc};
use clap::{ArgGroup, Args};
use cynic::MutationBuilder as _;

use crate::{
    client::Client,
    contract::{UserError, schema},
    failure::{Failure, Result},
    input::{DURATIONS, parse_duration},
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
    /// Keep it at least until this time, such as 2027-01-31T00:00:00Z, or for this long from now, such as 30d or 8w.
    #[arg(long, value_name = "TIME", value_parser = parse_until)]
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

/// A time, or how long from now it is.
fn parse_until(text: &str) -> std::result::Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let span = parse_duration(text).ok().and_then(|span| TimeDelta::from_std(span).ok());
    let time = span.and_then(|span| Utc::now().checked_add_signed(span));
    time.ok_or_else(|| format!("it must be a time with a time zone, such as 2027-01-31T00:00:00Z, or for how long from now, such as {DURATIONS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_time_or_how_long_from_now() {
        assert_eq!(parse_until("2027-01-31T02:00:00+02:00").unwrap().to_rfc3339(), "2027-01-31T00:00:00+00:00");
        assert_eq!((parse_until("30d").unwrap() - Utc::now()).num_hours(), 30 * 24 - 1);
        assert!(parse_until("1.5h").unwrap_err().contains("such as 90s, 5m, 2h") && parse_until("2027-01-31").is_err());
    }
}
