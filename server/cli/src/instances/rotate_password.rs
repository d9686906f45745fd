//! `toygres instances rotate-password`

use std::path::Path;

use clap::Args;

use super::find_id;
use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::Result,
    input::read_secret,
    mutation::{OperationOptions, operation_mutation},
};

/// Give the role of an instance another password.
///
/// The instance stays running, and open sessions stay open. `toygres instances get NAME --connection-string` shows the password, and
/// `toygres instances connect` uses it.
#[derive(Args, Debug)]
pub struct RotatePassword {
    /// Name or id of the instance.
    #[arg(value_name = "NAME")]
    id: String,
    /// Read the new password from stdin [default: generate a password].
    #[arg(long = "password-stdin")]
    password: bool,
    /// End the open sessions of the role once the new password is confirmed.
    #[arg(long)]
    terminate_sessions: bool,
    /// Rotate the password only at this revision of the instance.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first result instead of rotating again.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

// No `Debug`, because it contains a password.
#[derive(cynic::InputObject)]
struct RotatePasswordInput {
    id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    terminate_sessions: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(RotatePasswordInput: "rotatePassword" -> "RotatePasswordPayload");

impl RotatePassword {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = RotatePasswordInput {
            id: find_id(client, &self.id).await?,
            password: self.password.then(|| read_secret(Path::new("-"))).transpose()?,
            terminate_sessions: self.terminate_sessions.then_some(true),
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run::<Self>(client, input).await
    }
}
