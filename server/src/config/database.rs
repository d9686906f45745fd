//! The metadata database, the engine's database, and the key that seals passwords.

use clap::{ArgAction, Args, value_parser};
use toygres_domain::secret::SecretKeys;

use super::values::{parse_bool, parse_engine_url, parse_secret_keys, parse_url};

/// The databases of a server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Databases")]
pub struct DatabasesConfig {
    /// URL of the metadata database [default: an embedded one, with the process runtime only].
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = parse_url)]
    pub database_url: Option<String>,
    /// URL of the workflow engine's database, when it has a role of its own [default: the metadata database's].
    #[arg(long, env = "TOYGRES_ENGINE_DATABASE_URL", hide_env_values = true, value_parser = parse_engine_url)]
    pub engine_database_url: Option<String>,
    /// Create the schemas in an external database that already holds tables of another program.
    #[arg(long, env = "TOYGRES_SHARE_DATABASE", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set, value_parser = parse_bool)]
    pub share_database: bool,
    /// Maximum number of connections to the metadata database.
    #[arg(long, env = "TOYGRES_DATABASE_CONNECTIONS", default_value = "32", value_parser = value_parser!(u32).range(4..=1000))]
    pub database_connections: u32,
    /// Key that seals passwords: 32 random bytes in base64. While it is replaced, several separated by commas, of which the first
    /// seals and all open [default: kept in the data directory].
    #[arg(long, env = "TOYGRES_SECRET_KEY", hide_env_values = true, value_parser = parse_secret_keys)]
    pub secret_key: Option<SecretKeys>,
}

impl DatabasesConfig {
    /// The URL of the engine's database, given that of the metadata.
    #[must_use]
    pub fn engine_url(&self, database_url: &str) -> String {
        self.engine_database_url.clone().unwrap_or_else(|| database_url.to_owned())
    }
}
