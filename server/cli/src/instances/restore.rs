//! `toygres instances restore`

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use super::{
    find_id,
    like_source::{LikeSource, like_source_input},
};
use crate::{
    client::Client,
    contract::schema,
    failure::Result,
    input::{DURATIONS, parse_duration},
    mutation::{OperationOptions, operation_mutation},
};

/// Create an instance with the data of another one, as it was at a point in time. What is not said is as in the other one.
#[derive(Args, Debug)]
pub struct Restore {
    /// Name or id of the instance that was backed up; of a deleted one, its id.
    #[arg(value_name = "SOURCE")]
    source_id: String,
    /// Time to restore, such as 2026-11-29T10:15:00Z, or how long ago, such as 5m or 2d [default: everything that was archived].
    #[arg(long = "to", value_name = "TIME", value_parser = parse_point, group = "target")]
    target_time: Option<DateTime<Utc>>,
    /// Position in the write-ahead log to restore, such as 0/3000060.
    #[arg(long = "lsn", value_name = "LSN", group = "target")]
    target_lsn: Option<String>,
    /// Id of the backup to restore, as it was when it was complete.
    #[arg(long = "backup", value_name = "BACKUP", group = "target")]
    target_backup_id: Option<String>,
    #[command(flatten)]
    like: LikeSource,
    #[command(flatten)]
    options: OperationOptions,
}

like_source_input!(RestoreInstanceInput with RestoreTargetInput);

#[derive(cynic::InputObject)]
struct RestoreTargetInput {
    #[cynic(skip_serializing_if = "Option::is_none")]
    time: Option<DateTime<Utc>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    lsn: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    backup_id: Option<cynic::Id>,
}

operation_mutation!(RestoreInstanceInput: "restoreInstance" -> "RestoreInstancePayload");

impl Restore {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let (time, lsn, backup_id) = (self.target_time, self.target_lsn, self.target_backup_id.map(cynic::Id::new));
        let is_chosen = time.is_some() || lsn.is_some() || backup_id.is_some();
        let target = is_chosen.then_some(RestoreTargetInput { time, lsn, backup_id });
        let input = RestoreInstanceInput { target, ..RestoreInstanceInput::new(find_id(client, &self.source_id).await?, self.like)? };
        self.options.run::<Self>(client, input).await
    }
}

/// A time, or how long ago it was.
fn parse_point(text: &str) -> std::result::Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let ago = parse_duration(text).ok().and_then(|ago| TimeDelta::from_std(ago).ok());
    let time = ago.and_then(|ago| Utc::now().checked_sub_signed(ago));
    time.ok_or_else(|| format!("it must be a time with a time zone, such as 2026-11-29T10:15:00Z, or how long ago, such as {DURATIONS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_a_time_or_how_long_ago() {
        assert_eq!(parse_point("2026-11-29T12:15:00+02:00").unwrap().to_rfc3339(), "2026-11-29T10:15:00+00:00");
        let ago = Utc::now() - parse_point("5m").unwrap();
        assert!((299..310).contains(&ago.num_seconds()), "{ago}");
        let point = parse_point("2d").unwrap();
        assert_eq!((Utc::now() - point).num_days(), 2);
        assert!(parse_point("yesterday").unwrap_err().contains("time zone") && parse_point("2026-11-29 10:15").is_err());
    }
}
