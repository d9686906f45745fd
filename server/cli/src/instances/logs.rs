//! `toygres instances logs`

use std::{fmt::Write as _, time::Duration};

use chrono::{DateTime, Utc};
use clap::Args;
use cynic::{QueryBuilder as _, SubscriptionBuilder as _};
use serde::Serialize;

use super::{activity::unavailable, find_id, not_found};
use crate::{
    client::Client,
    contract::{LogSeverity, Reason, schema},
    failure::{Failure, Kind, Result},
    follow::{TimeoutOption, expired},
    input::parse_duration,
    output::{Format, OutputOptions, print, print_line, printable, report},
    subscription::{Event, Subscription},
};

/// Show what the server of an instance logs: the newest entries, and with -f those to come.
#[derive(Args, Debug)]
pub struct Logs {
    /// Name or id of the instance.
    name: String,
    /// Keep showing entries as they are written, until Ctrl-C or the instance is deleted. With -o json, each entry is one line.
    #[arg(short, long)]
    follow: bool,
    /// Entries to show at most, before those to come.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100)]
    limit: i32,
    /// Only entries of this severity and above.
    #[arg(long, value_enum, ignore_case = true)]
    severity: Option<LogSeverity>,
    /// Only entries of as long ago (90s, 5m, 2h, 3d, 1w).
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    since: Option<Duration>,
    /// Only entries with this text in their message, another text or a name; upper and lower case are the same.
    #[arg(long, value_name = "TEXT")]
    contains: Option<String>,
    /// Only entries after this cursor, which an earlier run has printed with -o json.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    #[command(flatten)]
    timeout: TimeoutOption,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    id: cynic::Id,
    limit: Option<i32>,
    after: Option<String>,
    severity: Option<LogSeverity>,
    since: Option<DateTime<Utc>>,
    contains: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct LogsQuery {
    #[arguments(id: $id)]
    instance: Option<Instance>,
}

#[derive(cynic::QueryFragment)]
#[cynic(variables = "Variables")]
struct Instance {
    #[arguments(first: $limit, after: $after, severity: $severity, since: $since, contains: $contains)]
    logs: LogEntryConnection,
}

#[derive(cynic::QueryFragment)]
struct LogEntryConnection {
    nodes: Vec<LogEntry>,
    gap: bool,
    reason: Option<Reason>,
}

#[derive(Clone, cynic::QueryVariables)]
struct FollowVariables {
    id: cynic::Id,
    tail: Option<i32>,
    after: Option<String>,
    severity: Option<LogSeverity>,
    contains: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Subscription", variables = "FollowVariables")]
struct LogsSubscription {
    #[arguments(instanceId: $id, tail: $tail, after: $after, severity: $severity, contains: $contains)]
    instance_logs: InstanceLogBatch,
}

#[derive(cynic::QueryFragment)]
struct InstanceLogBatch {
    cursor: String,
    entries: Vec<LogEntry>,
    gap: bool,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct LogEntry {
    cursor: String,
    time: Option<DateTime<Utc>>,
    severity: LogSeverity,
    sqlstate: Option<String>,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    context: Option<String>,
    statement: Option<String>,
    username: Option<String>,
    database: Option<String>,
    application_name: Option<String>,
    pid: Option<i32>,
}

impl Logs {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let showing = async {
            let id = find_id(client, &self.name).await?;
            let since = self.since.map(|since| Utc::now() - since);
            if self.follow { self.follow(client, id, since).await } else { self.page(client, id, since).await }
        };
        tokio::select! {
            result = showing => result,
            () = expired(self.timeout.timeout) => Err(Failure::new(Kind::TimedOut, "the timeout expired")),
        }
    }

    async fn page(&self, client: &Client, id: cynic::Id, since: Option<DateTime<Utc>>) -> Result<()> {
        let variables = Variables {
            id,
            limit: Some(self.limit),
            after: self.after.clone(),
            severity: self.severity.clone(),
            since,
            contains: self.contains.clone(),
        };
        let LogsQuery { instance } = client.run(LogsQuery::build(variables)).await?;
        let LogEntryConnection { nodes, gap, reason } = instance.ok_or_else(|| not_found(&self.name))?.logs;
        if let Some(reason) = reason {
            return Err(unavailable(&self.name, &reason));
        }
        report_gap(gap);
        self.output.output.print(&nodes, |entries| entries.iter().map(LogEntry::to_text).collect())
    }

    async fn follow(&self, client: &Client, id: cynic::Id, since: Option<DateTime<Utc>>) -> Result<()> {
        let mut variables = FollowVariables {
            id,
            tail: Some(self.limit),
            after: self.after.clone(),
            severity: self.severity.clone(),
            contains: self.contains.clone(),
        };
        let mut subscription = Subscription::new(client);
        loop {
            let request = LogsSubscription::build(variables.clone());
            match subscription.next_with_ticks(&request, |_| Ok(())).await? {
                Event::Item(LogsSubscription { instance_logs: InstanceLogBatch { cursor, mut entries, gap } }) => {
                    report_gap(gap);
                    entries.retain(|entry| since.is_none_or(|since| entry.time.is_none_or(|time| time >= since)));
                    match self.output.output {
                        Format::Table => print(&entries.iter().map(LogEntry::to_text).collect::<String>())?,
                        Format::Json => entries.iter().try_for_each(print_line)?,
                        // A list goes on with each of its items.
                        Format::Yaml => entries.iter().try_for_each(|entry| self.output.output.print(&[entry], |_| String::new()))?,
                    }
                    variables.after = Some(cursor);
                }
                Event::Reconnected => {}
                Event::MustRefetch => variables.after = None,
                Event::Complete => return Ok(()),
            }
        }
    }
}

fn report_gap(gap: bool) {
    if gap {
        report("toygres: entries are missing here: the host of the instance does not keep them any more");
    }
}

impl LogEntry {
    /// As PostgreSQL writes it: a line, and those that belong to it with a tab in front of them.
    fn to_text(&self) -> String {
        let Self { cursor: _, time, severity, sqlstate, message, detail, hint, context, statement, username, database, application_name, pid } = self;
        let mut text = time.map_or_else(|| "-".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string());
        let who = [pid.map(|pid| pid.to_string()), username.clone(), database.clone(), application_name.clone()];
        let who: Vec<_> = who.into_iter().flatten().map(|name| printable(&name)).collect();
        if !who.is_empty() {
            let _ = write!(text, " [{}]", who.join(" "));
        }
        let _ = write!(text, " {}", cynic_name(severity));
        if let Some(sqlstate) = sqlstate {
            let _ = write!(text, " {sqlstate}");
        }
        let _ = writeln!(text, ": {}", indented(message));
        for (label, part) in [("DETAIL", detail), ("HINT", hint), ("CONTEXT", context), ("STATEMENT", statement)] {
            if let Some(part) = part {
                let _ = writeln!(text, "\t{label}: {}", indented(part));
            }
        }
        text
    }
}

fn cynic_name(severity: &LogSeverity) -> String {
    crate::contract::lower_case(severity).to_uppercase()
}

fn indented(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_line_with_those_that_belong_to_it() {
        let entry: serde_json::Value = serde_json::json!({
            "cursor": "1.0.1", "time": "2026-11-30T03:29:05.167Z", "severity": "ERROR", "sqlstate": "22012", "message": "division\nby \u{1b}[1mzero",
            "detail": null, "hint": null, "context": null, "statement": "SELECT\n1/0", "username": "app", "database": "shop",
            "applicationName": "psql", "pid": 7,
        });
        let entry: LogEntry = serde_json::from_value(entry).unwrap();
        let text = "2026-11-30 03:29:05.167 UTC [7 app shop psql] ERROR 22012: division\n\tby  [1mzero\n\tSTATEMENT: SELECT\n\t1/0\n";
        assert_eq!(entry.to_text(), text);
        let other =
            LogEntry { time: None, pid: None, username: None, database: None, application_name: None, sqlstate: None, statement: None, ..entry };
        assert_eq!(LogEntry { message: "a".to_owned(), severity: LogSeverity::Log, ..other }.to_text(), "- LOG: a\n");
    }
}
