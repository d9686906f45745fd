//! `--wait`: an operation's steps as they go, until it ends.

use std::{
    io::{self, IsTerminal as _},
    pin::pin,
    time::Duration,
};

use chrono::Utc;
use clap::Args;
use cynic::SubscriptionBuilder as _;
use tokio::time::{interval, sleep};

use super::{
    client::Client,
    contract::{Operation, OperationKind, OperationStatus, StepStatus, schema, word},
    failure::{Failure, Kind, Result},
    input::parse_duration,
    live::{Live, Next},
    output::{Display, notice, printable},
};

/// Whether to wait, and for how long.
#[derive(Args, Clone, Copy, Debug)]
pub struct WaitOptions {
    /// Wait until the operation has ended, with its steps on stderr. Exit code 0 says that it succeeded.
    #[arg(long)]
    pub(super) wait: bool,
    /// Give up waiting after this time (90s, 5m, 2h), with exit code 124; the operation goes on.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, requires = "wait")]
    pub(super) timeout: Option<Duration>,
}

/// How long to watch.
#[derive(Args, Clone, Copy, Debug)]
pub struct TimeoutOption {
    /// Give up after this time (90s, 5m, 2h), with exit code 124.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(super) timeout: Option<Duration>,
}

#[derive(cynic::QueryVariables)]
struct OperationVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Subscription", variables = "OperationVariables")]
struct OperationSubscription {
    #[arguments(id: $id)]
    operation: Operation,
}

/// Hears how an operation goes.
pub(super) trait Watcher {
    /// It has changed, or is seen for the first time.
    fn changed(&mut self, operation: &Operation) -> Result<()>;

    /// A second has passed, maybe without a connection.
    fn tick(&mut self, _away: bool) -> Result<()> {
        Ok(())
    }

    /// Whether it shows by itself that the server is away.
    fn shows_absence(&self) -> bool {
        false
    }
}

/// Follows an operation to its end; the operation as it was then.
///
/// It lasts through a restart of the server. Ctrl-C and the time-out end the following, not the operation.
pub(super) async fn follow(client: &Client, id: &cynic::Id, timeout: Option<Duration>, watcher: &mut impl Watcher) -> Result<Operation> {
    let following = async {
        let request = OperationSubscription::build(OperationVariables { id: id.clone() });
        let mut live = if watcher.shows_absence() { Live::silent(client) } else { Live::new(client) };
        let away = live.away();
        let mut ticks = interval(Duration::from_secs(1));
        let mut latest = None;
        loop {
            let mut next = pin!(live.next::<OperationSubscription>(&request));
            let next = loop {
                tokio::select! {
                    next = &mut next => break next?,
                    _ = ticks.tick() => watcher.tick(away.get())?,
                }
            };
            match next {
                Next::Item(OperationSubscription { operation }) => {
                    watcher.changed(&operation)?;
                    latest = Some(operation);
                }
                Next::Again | Next::MustRefetch => {}
                Next::End => return latest.ok_or_else(|| Failure::new(Kind::NotFound, format!("there is no operation {}", id.inner()))),
            }
        }
    };
    let again = format!("follow it with `toygres operations watch {}`", id.inner());
    tokio::select! {
        outcome = following => outcome,
        () = passed(timeout) => Err(Failure::new(Kind::TimedOut, format!("the time is over; the operation goes on: {again}"))),
        _ = tokio::signal::ctrl_c() => Err(Failure::new(Kind::Interrupted, format!("interrupted; the operation goes on: {again}"))),
    }
}

/// Progress for people: drawn in place in a terminal, else a line for each change.
pub(super) struct Progress<W: io::Write> {
    display: Option<Display<W>>,
    seen: Option<Operation>,
}

impl Progress<io::Stderr> {
    /// On stderr, so that stdout has the result only.
    pub(super) fn on_stderr() -> Self {
        Self { display: io::stderr().is_terminal().then(|| Display::new(io::stderr())), seen: None }
    }
}

impl Progress<io::Stdout> {
    /// On stdout, which is a terminal.
    pub(super) fn on_stdout() -> Self {
        Self { display: Some(Display::new(io::stdout())), seen: None }
    }
}

impl<W: io::Write> Watcher for Progress<W> {
    fn changed(&mut self, operation: &Operation) -> Result<()> {
        match &mut self.display {
            Some(display) => display.draw(&describe(operation))?,
            None => {
                for line in news(self.seen.as_ref(), operation) {
                    eprintln!("{line}");
                }
            }
        }
        self.seen = Some(operation.clone());
        Ok(())
    }

    fn tick(&mut self, away: bool) -> Result<()> {
        match (&mut self.display, &self.seen) {
            (Some(display), Some(operation)) => display.draw(&(describe(operation) + notice(away))),
            _ => Ok(()),
        }
    }

    fn shows_absence(&self) -> bool {
        self.display.is_some()
    }
}

/// An operation with its steps, as people read it.
pub(super) fn describe(operation: &Operation) -> String {
    let mut text = format!("{}  ({})\n", headline(operation), operation.id.inner());
    for step in &operation.steps {
        let mark = match step.status {
            StepStatus::Succeeded => "✓",
            StepStatus::Failed => "✗",
            StepStatus::Running => "›",
            _ => "·",
        };
        let mut line = format!("  {mark} {:<28}", word(&step.name));
        if let Some(started) = step.started_at {
            let took = step.finished_at.unwrap_or_else(Utc::now) - started;
            line += &format!("{:>7.1} s", took.max(chrono::TimeDelta::zero()).as_seconds_f64());
        }
        if step.attempt > 1 {
            line += &format!("  attempt {}", step.attempt);
        }
        if let Some(error) = &step.error {
            line += &format!("  {}", printable(&error.message));
        }
        text += line.trim_end();
        text.push('\n');
    }
    if let Some(error) = &operation.error {
        text += &format!("  {}: {}\n", word(&error.code), printable(&error.message));
    }
    text
}

/// `create orders: running`
fn headline(operation: &Operation) -> String {
    let kind = match operation.kind {
        OperationKind::Other(_) => "operation on".to_owned(),
        _ => word(&operation.kind),
    };
    let cancelling = operation.cancel_requested && operation.finished_at.is_none();
    format!("{kind} {}: {}{}", operation.instance.name, word(&operation.status), if cancelling { " (cancelling)" } else { "" })
}

/// A line for each thing that is new.
fn news(before: Option<&Operation>, now: &Operation) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, step) in now.steps.iter().enumerate() {
        let old = before.and_then(|before| before.steps.get(place));
        let same = old.is_some_and(|old| old.status == step.status && old.attempt == step.attempt);
        if same || step.status == StepStatus::Pending {
            continue;
        }
        let why = step.error.as_ref().map(|reason| format!(" ({})", printable(&reason.message))).unwrap_or_default();
        lines.push(format!("{}: {} {}{why}", now.instance.name, word(&step.name), word(&step.status)));
    }
    if before.is_none_or(|before| before.status != now.status) && now.status != OperationStatus::Running {
        lines.push(headline(now));
    }
    lines
}

/// What the end of an operation means for the exit code.
pub(super) fn verdict(operation: &Operation) -> Result<()> {
    let why = operation.error.as_ref().map(|reason| format!(": {}", printable(&reason.message))).unwrap_or_default();
    let id = operation.id.inner();
    match operation.status {
        OperationStatus::Failed => Err(Failure::new(
            Kind::Failed,
            format!("the operation failed{why}\n(try it again with `toygres operations retry {id}`, or delete the instance)"),
        )),
        OperationStatus::Cancelled => {
            Err(Failure::new(Kind::Failed, format!("the operation was cancelled{why}\n(try it again with `toygres operations retry {id}`)")))
        }
        _ => Ok(()),
    }
}

/// Completes after a time; never without one.
pub(super) async fn passed(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => sleep(timeout).await,
        None => std::future::pending().await,
    }
}
