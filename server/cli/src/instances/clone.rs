//! `toygres instances clone`

use clap::Args;

use super::{
    find_id,
    like_source::{LikeSource, like_source_input},
};
use crate::{
    client::Client,
    contract::schema,
    failure::Result,
    mutation::{OperationOptions, operation_mutation},
};

/// Create an instance with the data of another one, as it is now. What is not said is as in the other one.
#[derive(Args, Debug)]
pub struct Clone {
    /// Name or id of the instance whose data the new one gets. It goes on.
    #[arg(value_name = "SOURCE")]
    source_id: String,
    #[command(flatten)]
    like: LikeSource,
    #[command(flatten)]
    options: OperationOptions,
}

like_source_input!(CloneInstanceInput);

operation_mutation!(CloneInstanceInput: "cloneInstance" -> "CloneInstancePayload");

impl Clone {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = CloneInstanceInput::new(find_id(client, &self.source_id).await?, self.like)?;
        self.options.run::<Self>(client, input).await
    }
}
