//! `toygres instances set-parameters`

use clap::Args;

use super::find_id;
use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::{Failure, Result},
    mutation::{OperationOptions, operation_mutation},
};

/// Change parameters of the PostgreSQL server of an instance.
///
/// `toygres instances parameters` lists those that can be set. If the server does not start with the new values, it gets its former ones
/// again, and the operation fails with what the server says.
#[derive(Args, Debug)]
pub struct SetParameters {
    /// Name or id of the instance.
    #[arg(value_name = "NAME")]
    id: String,
    /// A parameter and its value, for example work_mem=64MB; may be repeated.
    #[arg(value_name = "PARAMETER=VALUE", value_parser = parse_change)]
    parameters: Vec<ParameterInput>,
    /// Give a parameter its default again; may be repeated.
    #[arg(long = "reset", value_name = "PARAMETER")]
    reset: Vec<String>,
    /// Restart the server if a parameter needs that. Otherwise such a parameter waits for the next restart.
    #[arg(long)]
    allow_restart: bool,
    /// Change the instance only at this revision.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first result instead of changing the instance again.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(super) struct ParameterInput {
    name: String,
    value: Option<String>,
}

#[derive(cynic::InputObject)]
struct SetParametersInput {
    id: cynic::Id,
    parameters: Vec<ParameterInput>,
    allow_restart: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(SetParametersInput: "setParameters" -> "SetParametersPayload");

impl SetParameters {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let reset = self.reset.into_iter().map(|name| ParameterInput { name, value: None });
        let parameters: Vec<_> = self.parameters.into_iter().chain(reset).collect();
        if parameters.is_empty() && !self.allow_restart {
            return Err(Failure::usage(
                "nothing to change: give PARAMETER=VALUE, --reset PARAMETER, or --allow-restart for what waits for a restart",
            ));
        }
        let input = SetParametersInput {
            id: find_id(client, &self.id).await?,
            parameters,
            allow_restart: Some(self.allow_restart),
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run::<Self>(client, input).await
    }
}

/// Parses `name=value`.
pub(super) fn parse_parameter(text: &str) -> std::result::Result<ParameterInput, String> {
    let (name, value) = text.split_once('=').ok_or("a parameter has the form name=value")?;
    Ok(ParameterInput { name: name.to_owned(), value: Some(value.to_owned()) })
}

/// The same where a parameter can be reset.
fn parse_change(text: &str) -> std::result::Result<ParameterInput, String> {
    parse_parameter(text).map_err(|error| error + "; --reset name gives it its default again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_be_empty_and_may_contain_an_equals_sign() {
        let parse = |text: &str| parse_parameter(text).map(|parameter| (parameter.name, parameter.value.unwrap()));
        assert_eq!(parse("search_path=a=b"), Ok(("search_path".to_owned(), "a=b".to_owned())));
        assert_eq!(parse("shared_preload_libraries="), Ok(("shared_preload_libraries".to_owned(), String::new())));
        assert_eq!(parse("work_mem").unwrap_err(), "a parameter has the form name=value");
        assert!(parse_change("work_mem").unwrap_err().ends_with("; --reset name gives it its default again"));
    }
}
