//! `toygres operations get`

use clap::Args;

use super::find;
use crate::{client::Client, contract::Operation, failure::Result, output::OutputOptions, progress::describe};

/// Show an operation and its steps.
#[derive(Args, Debug)]
pub struct Get {
    /// Id of the operation, or name or id of its instance.
    #[arg(value_name = "OPERATION")]
    id: String,
    #[command(flatten)]
    output: OutputOptions,
}

impl Get {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        self.output.output.print(&find(client, &self.id).await?, page)
    }
}

/// The operation for people, with the commands that it allows now.
fn page(operation: &Operation) -> String {
    let mut text = describe(operation, None);
    for (allowed, verb) in [(operation.can_cancel, "cancel"), (operation.can_retry, "retry")] {
        if allowed {
            text += &format!("({verb} it with `toygres operations {verb} {}`)\n", operation.id.inner());
        }
    }
    text
}
