//! `toygres operations get` and `watch`

use clap::Args;

use super::find;
use crate::{
    client::Client,
    contract::Operation,
    failure::Result,
    follow::{Progress, TimeoutOption, Watcher, describe, follow, verdict},
    output::{OutputOptions, print_line, stdout_is_terminal},
};

#[derive(Args, Debug)]
pub struct Get {
    /// Its id, or an instance.
    id: String,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(Args, Debug)]
pub struct Watch {
    /// Its id, or an instance.
    id: String,
    #[command(flatten)]
    timeout: TimeoutOption,
}

impl Get {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        self.output.output.print(&find(client, &self.id).await?, describe)
    }
}

impl Watch {
    /// Its exit code tells how the operation ended.
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let id = find(client, &self.id).await?.id;
        let ended = match stdout_is_terminal() {
            true => follow(client, &id, self.timeout.timeout, &mut Progress::on_stdout()).await?,
            false => follow(client, &id, self.timeout.timeout, &mut Lines).await?,
        };
        verdict(&ended)
    }
}

/// A JSON object for each change.
struct Lines;

impl Watcher for Lines {
    fn changed(&mut self, operation: &Operation) -> Result<()> {
        print_line(operation)
    }
}
