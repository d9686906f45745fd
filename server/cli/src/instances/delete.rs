//! `toygres instances delete`

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use cynic::QueryBuilder as _;

use super::find;
use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::Result,
    input::confirm,
    mutation::{OperationOptions, operation_mutation},
    output::report,
};

/// Delete an instance and its data. Its backups are kept for their days: `toygres instances restore` makes an instance of them.
#[derive(Args, Debug)]
#[command(visible_alias = "rm")]
pub struct Delete {
    /// Name or id of the instance.
    #[arg(value_name = "NAME")]
    id: String,
    /// Do not ask for confirmation. Required when stdin is not a terminal.
    #[arg(long, short)]
    yes: bool,
    /// Keep the volumes with the data.
    #[arg(long)]
    keep_volumes: bool,
    /// Days for which its backups are kept; 0 deletes them at once, unless one is locked [default: those of the instance].
    #[arg(long, value_name = "DAYS")]
    backup_retention_days: Option<i32>,
    /// Take a base backup before anything is removed. The deletion waits for it; --final-backup=false has one that waits go on without.
    #[arg(long, value_name = "BOOL", default_missing_value = "true", num_args = 0..=1, require_equals = true)]
    final_backup: Option<bool>,
    /// Delete the instance only at this revision.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first result.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

#[derive(cynic::InputObject)]
struct DeleteInstanceInput {
    id: cynic::Id,
    keep_volumes: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    backup_retention_days: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    final_backup: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(DeleteInstanceInput: "deleteInstance" -> "DeleteInstancePayload");

impl Delete {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let instance = find(client, &self.id).await?;
        if !self.yes {
            let data = if self.keep_volumes { "its data is kept" } else { "its data is lost" };
            let backups = match kept(client, &instance.id).await? {
                Some(kept) => kept.before(self.backup_retention_days),
                None => "it has no backups".to_owned(),
            };
            confirm(&format!("Delete the instance {} ({data}; {backups})?", instance.name), "--yes")?;
        }
        let id = instance.id.clone();
        let input = DeleteInstanceInput {
            id: instance.id,
            keep_volumes: Some(self.keep_volumes),
            backup_retention_days: self.backup_retention_days,
            final_backup: self.final_backup,
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run::<Self>(client, input).await?;
        if let Some(kept) = kept(client, &id).await? {
            report(&kept.after(self.backup_retention_days, &id));
        }
        Ok(())
    }
}

#[derive(cynic::QueryVariables)]
struct KeptVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "KeptVariables")]
struct KeptQuery {
    #[arguments(id: $id)]
    instance: Option<Kept>,
}

/// What is kept of an instance.
#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
struct Kept {
    deleted_at: Option<DateTime<Utc>>,
    backup_policy: BackupPolicy,
    recovery: Option<Recovery>,
}

#[derive(cynic::QueryFragment)]
struct BackupPolicy {
    retention_days: i32,
}

#[derive(cynic::QueryFragment)]
struct Recovery {
    to: Option<DateTime<Utc>>,
}

/// What is kept of an instance, if it can be restored.
async fn kept(client: &Client, id: &cynic::Id) -> Result<Option<Kept>> {
    let KeptQuery { instance } = client.run(KeptQuery::build(KeptVariables { id: id.clone() })).await?;
    Ok(instance.filter(|kept| kept.recovery.as_ref().is_some_and(|recovery| recovery.to.is_some())))
}

impl Kept {
    /// For whoever is asked whether to delete it. The days of the deletion take the place of its own.
    fn before(&self, days: Option<i32>) -> String {
        match days.unwrap_or(self.backup_policy.retention_days) {
            0 => "its backups are deleted too, unless one is locked".to_owned(),
            days => format!("its backups are kept until {}, and `toygres instances restore` restores them", date(Utc::now(), days)),
        }
    }

    /// For whoever has deleted it.
    fn after(&self, days: Option<i32>, id: &cynic::Id) -> String {
        let days = match self.deleted_at {
            Some(_) => self.backup_policy.retention_days,
            None => days.unwrap_or(self.backup_policy.retention_days),
        };
        match days {
            0 => "Its backups are deleted too, unless one is locked.".to_owned(),
            days => {
                let until = date(self.deleted_at.unwrap_or_else(Utc::now), days);
                format!("Its backups are kept until {until}; restore it with: toygres instances restore {} NAME", id.inner())
            }
        }
    }
}

fn date(from: DateTime<Utc>, days: i32) -> String {
    (from + TimeDelta::days(days.into())).format("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_until_when_backups_are_kept() {
        let deleted_at = "2026-11-30T19:27:00Z".parse().ok();
        let kept = |retention_days, deleted_at| Kept { deleted_at, backup_policy: BackupPolicy { retention_days }, recovery: None };
        let id = cynic::Id::new("01a210fd");
        assert_eq!(
            kept(7, deleted_at).after(None, &id),
            "Its backups are kept until 2026-12-07 19:27 UTC; restore it with: toygres instances restore 01a210fd NAME"
        );
        assert!(kept(0, deleted_at).after(Some(0), &id).contains("deleted too") && kept(7, None).before(Some(0)).contains("deleted too"));
        let until = |days| date(Utc::now(), days)[..10].to_owned();
        let said = kept(7, None).before(Some(30));
        assert!(said.contains(&until(30)) && !said.contains(&until(7)), "{said}");
    }
}
