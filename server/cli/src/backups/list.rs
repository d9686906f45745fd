//! `toygres backups list`

use chrono::{DateTime, Utc};
use clap::Args;
use cynic::QueryBuilder as _;
use serde::Serialize;

use crate::{
    client::Client,
    contract::{
        BackupDurability, BackupKeptFor, BackupProtection, BackupStatus, BackupTrigger, BackupVerificationStatus, BigInt, PageInfo, Reason,
        RecoveryGapReason, lower_case, schema,
    },
    failure::Result,
    instances::find_id,
    output::{OutputOptions, Table, age},
};

/// List the backups of an instance, and what can be restored. Also of a deleted one, by its id.
#[derive(Args, Debug)]
pub struct List {
    /// Name or id of the instance.
    #[arg(value_name = "INSTANCE")]
    instance_id: String,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    id: cynic::Id,
    after: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct Query {
    #[arguments(id: $id)]
    instance: Option<Instance>,
}

#[derive(cynic::QueryFragment)]
#[cynic(variables = "Variables")]
struct Instance {
    backup_policy: BackupPolicy,
    recovery: Option<Recovery>,
    #[arguments(first: 500, after: $after)]
    backups: BackupConnection,
}

#[derive(cynic::QueryFragment)]
struct BackupConnection {
    nodes: Vec<Backup>,
    page_info: PageInfo,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct BackupPolicy {
    enabled: bool,
    interval_hours: i32,
    retention_days: i32,
    store: Option<String>,
    durability: Option<BackupDurability>,
    protection: BackupProtection,
    reason: Option<Reason>,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Recovery {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    gaps: Vec<RecoveryGap>,
    last_durable_at: Option<DateTime<Utc>>,
    lag_seconds: Option<f64>,
    incomplete: Option<Reason>,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct RecoveryGap {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    reason: RecoveryGapReason,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Backup {
    id: cynic::Id,
    status: BackupStatus,
    trigger: BackupTrigger,
    bytes: BigInt,
    stored_bytes: Option<BigInt>,
    path: Option<String>,
    error: Option<Reason>,
    locked: bool,
    expires_at: Option<DateTime<Utc>>,
    kept_for: Option<BackupKeptFor>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    verification: BackupVerification,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct BackupVerification {
    status: BackupVerificationStatus,
    ended_at: Option<DateTime<Utc>>,
    restore_seconds: Option<f64>,
    reason: Option<Reason>,
}

/// What is printed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    backup_policy: BackupPolicy,
    recovery: Option<Recovery>,
    backups: Vec<Backup>,
}

impl List {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let id = find_id(client, &self.instance_id).await?;
        let (mut listed, mut after): (Option<Listed>, _) = (None, None);
        while let Query { instance: Some(Instance { backup_policy, recovery, backups }) } =
            client.run(Query::build(Variables { id: id.clone(), after })).await?
        {
            let mut all = listed.map(|listed| listed.backups).unwrap_or_default();
            all.extend(backups.nodes);
            listed = Some(Listed { backup_policy, recovery, backups: all });
            if !backups.page_info.has_next_page {
                break;
            }
            after = backups.page_info.end_cursor;
        }
        let listed = listed.ok_or_else(|| crate::instances::not_found(&self.instance_id))?;
        self.output.output.print(&listed, page)
    }
}

/// The backups for people.
fn page(Listed { backup_policy, recovery, backups }: &Listed) -> String {
    let reason = backup_policy.reason.as_ref().map(|reason| format!(": {}", reason.text())).unwrap_or_default();
    let mut text = format!("Protection: {}{reason}\n", lower_case(&backup_policy.protection));
    if let (Some(store), Some(durability)) = (&backup_policy.store, &backup_policy.durability) {
        text += &format!("Store: {store} ({})\n", lower_case(durability));
    }
    if let Some(Recovery { from: Some(from), to: Some(to), gaps, lag_seconds, .. }) = recovery {
        let lag = lag_seconds.map(|lag| format!(", {lag:.0}s behind")).unwrap_or_default();
        text += &format!("Recoverable: {} to {}{lag}\n", time(*from), time(*to));
        for gap in gaps {
            text += &format!("Gap: {} to {} ({})\n", time(gap.from), time(gap.to), lower_case(&gap.reason));
        }
    }
    if let Some(incomplete) = recovery.as_ref().and_then(|recovery| recovery.incomplete.as_ref()) {
        text += &format!("Incomplete: {}\n", incomplete.text());
    }
    if backups.is_empty() {
        return text + "There are no backups.\n";
    }
    let mut table = Table::with_header(["ID", "STATUS", "TRIGGER", "SIZE", "STORED", "AGE", "EXPIRES", "VERIFIED"]);
    for backup in backups {
        let status = match &backup.error {
            Some(error) => format!("{} ({})", lower_case(&backup.status), error.text()),
            None => lower_case(&backup.status),
        };
        table.row([
            backup.id.inner().to_owned(),
            status,
            lower_case(&backup.trigger),
            size(&backup.bytes),
            backup.stored_bytes.as_ref().map(size).unwrap_or_default(),
            age(backup.created_at),
            expires(backup),
            if matches!(backup.status, BackupStatus::Failed) { "–".to_owned() } else { verified(&backup.verification) },
        ]);
    }
    text + &table.to_string()
}

/// Until when a backup is kept, and why it still is when that has passed.
fn expires(Backup { locked, expires_at, kept_for, .. }: &Backup) -> String {
    let until = expires_at.map(time).unwrap_or_default();
    match kept_for {
        _ if *locked => "locked".to_owned(),
        Some(BackupKeptFor::RestorePoints) => format!("{until} (restore points need it)"),
        Some(BackupKeptFor::Newest) => format!("{until} (the newest is kept)"),
        Some(BackupKeptFor::Locked | BackupKeptFor::Retention | BackupKeptFor::KeepUntil | BackupKeptFor::Other(_)) | None => until,
    }
}

/// What came of a verification, and how long a restoration takes.
fn verified(BackupVerification { status, restore_seconds, reason, .. }: &BackupVerification) -> String {
    match (restore_seconds, reason) {
        (Some(seconds), _) => format!("restored in {seconds:.1}s"),
        (None, Some(reason)) => format!("{} ({})", lower_case(status), reason.text()),
        (None, None) => lower_case(status),
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn size(bytes: &BigInt) -> String {
    let mib = bytes.0.parse().unwrap_or(0.0) / f64::from(1 << 20);
    if mib < 10_240.0 { format!("{mib:.1} MiB") } else { format!("{:.1} GiB", mib / 1024.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_says_what_can_be_restored() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let policy = BackupPolicy {
            enabled: true,
            interval_hours: 24,
            retention_days: 7,
            store: Some("directory /b".to_owned()),
            durability: Some(BackupDurability::SameMachine),
            protection: BackupProtection::Protected,
            reason: None,
        };
        let (from, to) = (at("2026-11-29T10:00:00Z"), at("2026-11-29T11:00:00Z"));
        let gaps = vec![RecoveryGap { from, to, reason: RecoveryGapReason::SlotLost }];
        let backup = |locked, kept_for| Backup {
            id: cynic::Id::new("1"),
            status: BackupStatus::Available,
            trigger: BackupTrigger::Schedule,
            bytes: BigInt("1".to_owned()),
            stored_bytes: None,
            path: None,
            error: None,
            locked,
            expires_at: Some(from),
            kept_for,
            created_at: from,
            finished_at: Some(from),
            verification: BackupVerification { status: BackupVerificationStatus::Pending, ended_at: None, restore_seconds: None, reason: None },
        };
        for (locked, kept_for, expected) in [
            (false, None, "2026-11-29T10:00:00Z"),
            (false, Some(BackupKeptFor::Retention), "2026-11-29T10:00:00Z"),
            (false, Some(BackupKeptFor::RestorePoints), "2026-11-29T10:00:00Z (restore points need it)"),
            (false, Some(BackupKeptFor::Newest), "2026-11-29T10:00:00Z (the newest is kept)"),
            (true, Some(BackupKeptFor::Locked), "locked"),
            (true, None, "locked"),
        ] {
            assert_eq!(expires(&backup(locked, kept_for)), expected);
        }
        let recovery = Recovery { from: Some(from), to: Some(to), gaps, last_durable_at: Some(to), lag_seconds: Some(0.4), incomplete: None };
        let text = page(&Listed { backup_policy: policy, recovery: Some(recovery), backups: Vec::new() });
        assert_eq!(
            text,
            "Protection: protected\nStore: directory /b (same machine)\nRecoverable: 2026-11-29T10:00:00Z to 2026-11-29T11:00:00Z, 0s behind\n\
             Gap: 2026-11-29T10:00:00Z to 2026-11-29T11:00:00Z (slot lost)\nThere are no backups.\n"
        );
        assert_eq!((size(&BigInt("1572864".to_owned())), size(&BigInt("21474836480".to_owned()))), ("1.5 MiB".to_owned(), "20.0 GiB".to_owned()));
    }
}
