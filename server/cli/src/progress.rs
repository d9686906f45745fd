//! The progress of an operation, for people.

use std::io::{self, IsTerminal as _};

use chrono::{TimeDelta, Utc};

use crate::{
    contract::{Operation, OperationKind, OperationStatus, OperationStep, StepName, StepStatus, lower_case},
    failure::Result,
    follow::Observer,
    output::{Display, connection_notice, printable, report},
    words::worded,
};

/// Shows the progress of an operation: redrawn in place in a terminal, a line per change otherwise.
pub(crate) struct Progress<W: io::Write> {
    display: Option<Display<W>>,
    object: Option<String>,
    latest: Option<Operation>,
}

impl Progress<io::Stderr> {
    /// On stderr, because stdout is for the result.
    pub(crate) fn on_stderr(object: Option<&str>) -> Self {
        Self { display: io::stderr().is_terminal().then(|| Display::new(io::stderr())), object: object.map(str::to_owned), latest: None }
    }
}

impl Progress<io::Stdout> {
    /// On stdout, which must be a terminal.
    pub(crate) fn on_stdout() -> Self {
        Self { display: Some(Display::new(io::stdout())), object: None, latest: None }
    }
}

impl<W: io::Write> Observer for Progress<W> {
    fn changed(&mut self, operation: &Operation) -> Result<()> {
        match &mut self.display {
            Some(display) => display.draw(&describe(operation, self.object.as_deref()))?,
            None => {
                for line in changes(self.latest.as_ref(), operation, self.object.as_deref()) {
                    report(&line);
                }
            }
        }
        self.latest = Some(operation.clone());
        Ok(())
    }

    fn tick(&mut self, disconnected: bool) -> Result<()> {
        match (&mut self.display, &self.latest) {
            (Some(display), Some(operation)) => display.draw(&(describe(operation, self.object.as_deref()) + connection_notice(disconnected))),
            _ => Ok(()),
        }
    }

    fn shows_connection(&self) -> bool {
        self.display.is_some()
    }
}

/// An operation with its steps. `object` is the database or user that it works on, where that is known: the API does not tell.
pub(crate) fn describe(operation: &Operation, object: Option<&str>) -> String {
    let mut text = format!("{}  ({})\n", summary(operation, object), operation.id.inner());
    for step in &operation.steps {
        text += &describe_step(step);
        text.push('\n');
        for finding in &step.findings {
            text += &format!("      {}\n", printable(&worded(finding)));
        }
    }
    if let Some(error) = &operation.error {
        text += &format!("  {}: {}\n", lower_case(&error.code), printable(&error.text()));
    }
    text
}

fn describe_step(step: &OperationStep) -> String {
    let mark = match step.status {
        StepStatus::Succeeded => "✓",
        StepStatus::Failed => "✗",
        StepStatus::Running => "›",
        _ => "·",
    };
    let mut line = format!("  {mark} {:<28}", step_label(&step.name));
    if let Some(started) = step.started_at {
        let duration = step.finished_at.unwrap_or_else(Utc::now) - started;
        line += &format!("{:>7.1}s", duration.max(TimeDelta::zero()).as_seconds_f64());
    }
    if step.attempt > 1 {
        line += &format!("  attempt {}", step.attempt);
    }
    if let Some(error) = &step.error {
        line += &format!("  {}", printable(&error.text()));
    }
    line.trim_end().to_owned()
}

/// What a step is for, where its name in the contract says how it works.
fn step_label(name: &StepName) -> String {
    match name {
        StepName::GetInstanceStatus => "wait for readiness".to_owned(),
        StepName::GenerateConnectionString => "verify connection".to_owned(),
        StepName::UpdateMetadata => "save metadata".to_owned(),
        _ => lower_case(name),
    }
}

/// For example `restart orders: running`, or `drop database shop of orders: running`.
fn summary(operation: &Operation, object: Option<&str>) -> String {
    let of = |verb: &str, what: &str| match object {
        Some(name) => format!("{verb} {what} {} of", printable(name)),
        None => format!("{verb} a {what} of"),
    };
    let kind = match operation.kind {
        OperationKind::Other(_) => format!("{} operation on", lower_case(&operation.kind)),
        OperationKind::Restore if operation.restoration.as_ref().is_some_and(|restoration| restoration.clones) => "clone".to_owned(),
        OperationKind::CreateDatabase => of("create", "database"),
        OperationKind::DropDatabase => of("drop", "database"),
        OperationKind::CreateDatabaseUser => of("create", "database user"),
        OperationKind::DropDatabaseUser => of("drop", "database user"),
        OperationKind::CreateBackup => "create a backup of".to_owned(),
        _ => lower_case(&operation.kind),
    };
    let cancelling = operation.cancel_requested && operation.finished_at.is_none();
    format!("{kind} {}: {}{}", operation.instance.name, lower_case(&operation.status), if cancelling { " (cancelling)" } else { "" })
}

/// A line for each step whose status changed, and one when the status of the operation did.
fn changes(before: Option<&Operation>, now: &Operation, object: Option<&str>) -> Vec<String> {
    let mut lines = Vec::new();
    for (position, step) in now.steps.iter().enumerate() {
        let old = before.and_then(|before| before.steps.get(position));
        let unchanged = old.is_some_and(|old| old.status == step.status && old.attempt == step.attempt);
        if unchanged || step.status == StepStatus::Pending {
            continue;
        }
        let reason = step.error.as_ref().map(|reason| format!(" ({})", printable(&reason.text()))).unwrap_or_default();
        lines.push(format!("{}: {} {}{reason}", now.instance.name, step_label(&step.name), lower_case(&step.status)));
        if step.status == StepStatus::Succeeded {
            lines.extend(step.findings.iter().map(|finding| format!("{}:   {}", now.instance.name, printable(&worded(finding)))));
        }
    }
    if before.is_none_or(|before| before.status != now.status) && now.status != OperationStatus::Running {
        lines.push(summary(now, object));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::contract::OperationRestoration;

    fn restart(status: &str, step: &str, error: &Value) -> Operation {
        from_value(json!({
            "id": "restart-x-1", "kind": "RESTART", "status": status, "instance": { "id": "1", "name": "orders" },
            "steps": [{ "name": "RESTART_POSTGRES", "status": step, "attempt": 1, "startedAt": "2026-01-01T00:00:00Z",
                        "finishedAt": "2026-01-01T00:00:02.5Z", "error": error, "findings": [] },
                      { "name": "UPDATE_METADATA", "status": "PENDING", "attempt": 0, "startedAt": null, "finishedAt": null, "error": null,
                        "findings": [] }],
            "restoration": null, "error": error, "cancelRequested": false, "canCancel": false, "canRetry": true, "deadline": "2026-01-01T00:10:00Z",
            "requestedBy": null, "createdAt": "2026-01-01T00:00:00Z", "startedAt": null, "finishedAt": null,
        }))
        .unwrap()
    }

    #[test]
    fn an_operation_is_shown_with_its_steps() {
        let text = describe(&restart("RUNNING", "SUCCEEDED", &Value::Null), None);
        assert_eq!(text, "restart orders: running  (restart-x-1)\n  ✓ restart PostgreSQL              2.5s\n  · save metadata\n");
        let error = json!({ "code": "CONNECTION_REFUSED", "message": "no answer\x1b[2J" });
        let text = describe(&restart("FAILED", "FAILED", &error), None);
        assert!(text.ends_with("  connection refused: no answer [2J\n"), "control characters are removed: {text:?}");
    }

    #[test]
    fn only_changes_are_printed() {
        let running = restart("RUNNING", "RUNNING", &Value::Null);
        assert_eq!(changes(None, &running, None), ["orders: restart PostgreSQL running"]);
        assert_eq!(changes(Some(&running), &running, None), Vec::<String>::new());
        let succeeded = restart("SUCCEEDED", "SUCCEEDED", &Value::Null);
        assert_eq!(changes(Some(&running), &succeeded, None), ["orders: restart PostgreSQL succeeded", "restart orders: succeeded"]);
    }

    #[test]
    fn what_a_step_found_is_shown() {
        let mut running = restart("RUNNING", "RUNNING", &Value::Null);
        running.steps[0].findings.push("the Service orders was deleted\x1b[2J".to_owned());
        let mut succeeded = running.clone();
        succeeded.steps[0].status = StepStatus::Succeeded;
        assert!(describe(&succeeded, None).contains("2.5s\n      the Service orders was deleted [2J\n  ·"), "{}", describe(&succeeded, None));
        assert_eq!(
            changes(Some(&running), &succeeded, None),
            ["orders: restart PostgreSQL succeeded", "orders:   the Service orders was deleted [2J"]
        );
        assert_eq!(changes(None, &running, None), ["orders: restart PostgreSQL running"], "until it is done it may find more");
    }

    #[test]
    fn what_a_step_found_has_the_words_of_the_command_line() {
        let mut succeeded = restart("SUCCEEDED", "SUCCEEDED", &Value::Null);
        succeeded.steps[0].findings.push("no room is left: resize it (resizeInstance)".to_owned());
        let expected = "no room is left: resize it (`toygres instances resize`)";
        assert!(describe(&succeeded, None).contains(expected), "{}", describe(&succeeded, None));
        assert!(changes(None, &succeeded, None).contains(&format!("orders:   {expected}")), "{:?}", changes(None, &succeeded, None));
    }

    #[test]
    fn a_clone_is_called_so() {
        let restoration = OperationRestoration { source_id: cynic::Id::new("1"), method: None, clones: true };
        let restore = Operation { kind: OperationKind::Restore, ..restart("RUNNING", "RUNNING", &Value::Null) };
        assert_eq!(summary(&restore, None), "restore orders: running");
        assert_eq!(summary(&Operation { restoration: Some(restoration), ..restore }, None), "clone orders: running");
    }

    #[test]
    fn what_is_dropped_is_not_the_instance() {
        for (kind, named, unnamed) in [
            (OperationKind::DropDatabase, "drop database shop of orders: running", "drop a database of orders: running"),
            (OperationKind::CreateDatabaseUser, "create database user shop of orders: running", "create a database user of orders: running"),
            (OperationKind::CreateBackup, "create a backup of orders: running", "create a backup of orders: running"),
            (OperationKind::Restart, "restart orders: running", "restart orders: running"),
        ] {
            let operation = Operation { kind, ..restart("RUNNING", "RUNNING", &Value::Null) };
            assert_eq!((summary(&operation, Some("shop")).as_str(), summary(&operation, None).as_str()), (named, unnamed));
        }
    }

    #[test]
    fn kinds_of_a_newer_server_are_shown_too() {
        let operation = Operation { kind: OperationKind::Other("RESIZE".to_owned()), ..restart("RUNNING", "RUNNING", &Value::Null) };
        assert_eq!(summary(&operation, None), "resize operation on orders: running");
    }
}
