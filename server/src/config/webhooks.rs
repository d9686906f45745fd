//! Webhooks.

use clap::{ArgAction, Args};
use ipnet::IpNet;

use super::values::{parse_bool, parse_network};
use crate::webhooks::AddressPolicy;

/// Webhooks.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Webhooks")]
pub struct WebhooksConfig {
    /// Networks, separated by ',', that messages are sent to although they are not public, for example 10.0.0.0/8. Loopback, private, link-local and
    /// other special addresses are refused otherwise.
    #[arg(long, env = "TOYGRES_WEBHOOK_ALLOWED_NETWORKS", value_delimiter = ',', value_parser = parse_network)]
    pub webhook_allowed_networks: Vec<IpNet>,
    /// Whether messages may be sent by plain HTTP.
    #[arg(long, env = "TOYGRES_WEBHOOK_ALLOW_HTTP", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set, value_parser = parse_bool)]
    pub webhook_allow_http: bool,
}

impl WebhooksConfig {
    /// Where messages may be sent to.
    #[must_use]
    pub fn policy(&self) -> AddressPolicy {
        AddressPolicy::new(&self.webhook_allowed_networks, self.webhook_allow_http)
    }
}
