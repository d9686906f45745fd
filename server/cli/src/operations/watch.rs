//! `toygres operations watch`

use std::time::Instant;

use clap::Args;

use super::find;
use crate::{
    client::Client,
    contract::Operation,
    failure::{Failure, Kind, Result},
    follow::{Observer, TimeoutOption, check_outcome, expired, follow},
    output::{print_line, stdout_is_terminal},
    progress::Progress,
};

/// Follow an operation until it has finished: its steps in a terminal, a JSON object per line in a pipe.
///
/// Exit code 0 means that the operation succeeded.
#[derive(Args, Debug)]
pub struct Watch {
    /// Id of the operation, or name or id of its instance.
    #[arg(value_name = "OPERATION")]
    id: String,
    #[command(flatten)]
    timeout: TimeoutOption,
}

impl Watch {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let started = Instant::now();
        let id = tokio::select! {
            found = find(client, &self.id) => found?.id,
            () = expired(self.timeout.timeout) => return Err(Failure::new(Kind::TimedOut, "the timeout expired")),
        };
        let left = self.timeout.timeout.map(|timeout| timeout.saturating_sub(started.elapsed()));
        let operation = match stdout_is_terminal() {
            true => follow(client, &id, left, &mut Progress::on_stdout()).await?,
            false => follow(client, &id, left, &mut JsonLines).await?,
        };
        check_outcome(&operation)
    }
}

/// Prints every change as a JSON object.
struct JsonLines;

impl Observer for JsonLines {
    fn changed(&mut self, operation: &Operation) -> Result<()> {
        print_line(operation)
    }
}
