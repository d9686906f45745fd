//! `toygres instances activity`

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use cynic::QueryBuilder as _;
use serde::Serialize;

use super::{find_id, not_found};
use crate::{
    client::Client,
    contract::{Reason, ReasonCode, SessionState, lower_case, schema},
    failure::{Failure, Kind, Result},
    output::{OutputOptions, Table, format_duration},
};

/// Show what the sessions of clients do in an instance: those that do something first.
#[derive(Args, Debug)]
pub struct Activity {
    /// Name or id of the instance.
    name: String,
    /// Sessions to show at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: i32,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    id: cynic::Id,
    first: i32,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct ActivityQuery {
    #[arguments(id: $id)]
    instance: Option<Instance>,
}

#[derive(cynic::QueryFragment)]
#[cynic(variables = "Variables")]
struct Instance {
    #[arguments(first: $first)]
    activity: InstanceActivity,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceActivity {
    pub(super) read_at: Option<DateTime<Utc>>,
    pub(super) total_sessions: Option<i32>,
    pub(super) sessions: Vec<ClientSession>,
    #[serde(skip)]
    pub(super) reason: Option<Reason>,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientSession {
    id: cynic::Id,
    pid: i32,
    username: Option<String>,
    database: Option<String>,
    application_name: Option<String>,
    client_address: Option<String>,
    pub(super) state: Option<SessionState>,
    wait_event_type: Option<String>,
    wait_event: Option<String>,
    pub(super) blocked_by: Vec<i32>,
    connected_at: DateTime<Utc>,
    age_seconds: f64,
    transaction_seconds: Option<f64>,
    statement_seconds: Option<f64>,
    state_seconds: Option<f64>,
    statement: Option<String>,
}

impl Activity {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let id = find_id(client, &self.name).await?;
        let activity = read(client, &self.name, &id, self.limit).await?;
        self.output.output.print(&activity, |activity| {
            let shown = i32::try_from(activity.sessions.len()).unwrap_or(i32::MAX);
            let more = activity.total_sessions.map_or(0, |total| total - shown);
            match activity.sessions.as_slice() {
                [] => "There are no sessions of clients.\n".to_owned(),
                sessions if more > 0 => format!("{}({more} more sessions: raise --limit)\n", table(sessions)),
                sessions => table(sessions).to_string(),
            }
        })
    }
}

/// The sessions of an instance; an error if they could not be read.
pub(super) async fn read(client: &Client, name: &str, id: &cynic::Id, first: i32) -> Result<InstanceActivity> {
    let activity = ask(client, name, id, first).await?;
    match &activity.reason {
        Some(reason) => Err(unavailable(name, reason)),
        None => Ok(activity),
    }
}

/// The sessions of an instance, or the reason why they could not be read.
pub(super) async fn ask(client: &Client, name: &str, id: &cynic::Id, first: i32) -> Result<InstanceActivity> {
    let ActivityQuery { instance } = client.run(ActivityQuery::build(Variables { id: id.clone(), first })).await?;
    Ok(instance.ok_or_else(|| not_found(name))?.activity)
}

/// The failure when an instance cannot be asked.
pub(super) fn unavailable(name: &str, Reason { code, message }: &Reason) -> Failure {
    let kind = match code {
        ReasonCode::NotRunning | ReasonCode::Suspended => Kind::Conflict,
        _ => Kind::Failed,
    };
    Failure::new(kind, format!("{name}: {message}"))
}

/// The table of sessions. The first part of a session is the process, which `BLOCKED BY` names.
pub(super) fn table(sessions: &[ClientSession]) -> Table {
    let mut table = Table::with_header(["SESSION", "USER", "DATABASE", "CLIENT", "STATE", "FOR", "TRANSACTION", "WAIT", "BLOCKED BY", "STATEMENT"]);
    for session in sessions {
        let duration = |seconds: Option<f64>| seconds.map_or_else(String::new, |seconds| format_duration(milliseconds(seconds)));
        let client: Vec<_> = [&session.application_name, &session.client_address].into_iter().flatten().map(String::as_str).collect();
        let wait: Vec<_> = [&session.wait_event_type, &session.wait_event].into_iter().flatten().map(String::as_str).collect();
        let blockers: Vec<_> = session.blocked_by.iter().map(ToString::to_string).collect();
        table.row([
            session.id.inner().to_owned(),
            session.username.clone().unwrap_or_default(),
            session.database.clone().unwrap_or_default(),
            client.join(" "),
            session.state.as_ref().map(lower_case).unwrap_or_default(),
            duration(if session.state == Some(SessionState::Active) { session.statement_seconds } else { session.state_seconds }),
            duration(session.transaction_seconds),
            wait.join(":"),
            blockers.join(" "),
            one_line(session.statement.as_deref().unwrap_or_default()),
        ]);
    }
    table
}

#[expect(clippy::cast_possible_truncation, reason = "ages are far below the range, and what is not is as large as it can be")]
fn milliseconds(seconds: f64) -> TimeDelta {
    TimeDelta::try_milliseconds((seconds * 1000.0) as i64).unwrap_or(TimeDelta::MAX)
}

/// Characters of a statement in a table.
const MAX_STATEMENT: usize = 120;

/// A statement in one line, which may be cut.
pub(super) fn one_line(statement: &str) -> String {
    let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_STATEMENT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_session_is_one_line() {
        let session: ClientSession = serde_json::from_value(serde_json::json!({
            "id": "4711-hol8m4zmap", "pid": 4711, "username": "app", "database": "shop", "applicationName": "psql", "clientAddress": "127.0.0.1",
            "state": "ACTIVE", "waitEventType": "Lock", "waitEvent": "transactionid", "blockedBy": [4710, 0], "connectedAt": "2026-01-01T00:00:00Z",
            "ageSeconds": 7200.0, "transactionSeconds": 130.5, "statementSeconds": 12.9, "stateSeconds": 12.9, "statement": "UPDATE t\n  SET a = 1",
        }))
        .unwrap();
        let text = table(&[session]).to_string();
        let cells: Vec<_> = text.lines().nth(1).unwrap().split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(
            cells,
            ["4711-hol8m4zmap", "app", "shop", "psql 127.0.0.1", "active", "12s", "2m", "Lock:transactionid", "4710 0", "UPDATE t SET a = 1"]
        );
    }

    #[test]
    fn a_long_statement_is_cut() {
        assert_eq!(one_line(&"ü".repeat(121)).chars().count(), 121);
        assert!(one_line(&"ü".repeat(121)).ends_with('…') && !one_line(&"ü".repeat(120)).ends_with('…'));
    }
}
