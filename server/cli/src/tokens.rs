//! `toygres token`, through a server.

use std::path::PathBuf;

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
    value_parser,
};
use cynic::{MutationBuilder as _, QueryBuilder as _};
use serde::Serialize;
use url::Url;

use crate::{
    client::Client,
    contract::{PageInfo, TokenRole, UserError, lower_case, schema},
    failure::{Failure, Kind, Result},
    output::{OutputOptions, Table, age, print, report},
};

/// The token to create.
#[derive(Args, Clone, Debug)]
pub struct TokenConfig {
    /// Name of the token.
    #[arg(long)]
    pub name: String,
    /// Role of the token.
    #[arg(long, default_value = "viewer", ignore_case = true, value_parser = roles())]
    pub role: toygres_domain::token::TokenRole,
    /// Days until the token expires [default: 90].
    #[arg(long, value_name = "DAYS", value_parser = value_parser!(i32).range(1..))]
    pub expires_in_days: Option<i32>,
    /// Create a token that does not expire.
    #[arg(long, conflicts_with = "expires_in_days")]
    pub never_expires: bool,
    /// Create the token in the metadata database on this machine, even if a server is selected.
    #[arg(long, conflicts_with_all = ["url", "context"])]
    pub local: bool,
    /// With --local: URL of the metadata database [default: the embedded database of the running server].
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = parse_database_url)]
    pub database_url: Option<String>,
    /// With --local: data directory of the server.
    #[arg(long, env = "TOYGRES_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

/// A subcommand of `toygres token`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Create a token, and print its secret. The secret cannot be shown again.
    ///
    /// The token is created by the selected server (--url, --context, TOYGRES_URL or the current context), or by the default server if
    /// TOYGRES_TOKEN is set. Otherwise, or with --local, it is created in the metadata database of the server on this machine: that is
    /// how to create the first token.
    Create(TokenConfig),
    /// List tokens, the newest first.
    #[command(visible_alias = "ls")]
    List {
        /// The output format.
        #[command(flatten)]
        output: OutputOptions,
    },
    /// Revoke a token. It takes effect immediately, and closes the subscriptions of the token.
    Revoke {
        /// Id of the token, or its name if only one valid token has that name.
        token: String,
    },
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct ApiToken {
    id: cynic::Id,
    name: String,
    role: TokenRole,
    created_at: chrono::DateTime<chrono::Utc>,
    expires_at: Option<chrono::DateTime<chrono::Utc>>,
    revoked_at: Option<chrono::DateTime<chrono::Utc>>,
    last_used_at: Option<chrono::DateTime<chrono::Utc>>,
}

#[derive(cynic::QueryVariables)]
struct ListVariables {
    first: i32,
    after: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "ListVariables")]
struct ListTokens {
    #[arguments(first: $first, after: $after)]
    api_tokens: ApiTokenConnection,
}

#[derive(cynic::QueryFragment)]
struct ApiTokenConnection {
    nodes: Vec<ApiToken>,
    page_info: PageInfo,
}

#[derive(cynic::InputObject)]
struct CreateApiTokenInput {
    name: String,
    role: TokenRole,
    #[cynic(skip_serializing_if = "Option::is_none")]
    expires_in_days: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    never_expires: Option<bool>,
}

#[derive(cynic::QueryVariables)]
struct CreateVariables {
    input: CreateApiTokenInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
struct CreateToken {
    #[arguments(input: $input)]
    create_api_token: CreateApiTokenPayload,
}

#[derive(cynic::QueryFragment)]
struct CreateApiTokenPayload {
    api_token: Option<ApiToken>,
    secret: Option<String>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::InputObject)]
struct RevokeApiTokenInput {
    id: cynic::Id,
}

#[derive(cynic::QueryVariables)]
struct RevokeVariables {
    input: RevokeApiTokenInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "RevokeVariables")]
struct RevokeToken {
    #[arguments(input: $input)]
    revoke_api_token: RevokeApiTokenPayload,
}

#[derive(cynic::QueryFragment)]
struct RevokeApiTokenPayload {
    user_errors: Vec<UserError>,
}

pub(crate) async fn run(command: TokenCommand, client: &Client) -> Result<()> {
    match command {
        TokenCommand::Create(config) => create(config, client).await,
        TokenCommand::List { output } => output.output.print(&all(client).await?, |tokens| table(tokens).to_string()),
        TokenCommand::Revoke { token } => revoke(&token, client).await,
    }
}

async fn create(config: TokenConfig, client: &Client) -> Result<()> {
    let TokenConfig { name, expires_in_days, never_expires, .. } = config;
    let input = CreateApiTokenInput { name, role: role(config.role), expires_in_days, never_expires: never_expires.then_some(true) };
    let CreateApiTokenPayload { api_token, secret, user_errors } = client.run(CreateToken::build(CreateVariables { input })).await?.create_api_token;
    match (api_token, secret) {
        _ if !user_errors.is_empty() => Err(Failure::user_errors::<TokenConfig>(&user_errors)),
        (Some(ApiToken { id, name, role, .. }), Some(secret)) => {
            report(&format!("created token {} ({name}, {}); its secret cannot be shown again:", id.inner(), lower_case(&role)));
            print(&(secret + "\n"))
        }
        _ => Err(Failure::new(Kind::Failed, "the server accepted the request, but returned no token")),
    }
}

async fn revoke(token: &str, client: &Client) -> Result<()> {
    let id = match uuid::Uuid::parse_str(token) {
        Ok(id) => cynic::Id::new(id.to_string()),
        Err(_) => find_by_name(token, client).await?,
    };
    let input = RevokeApiTokenInput { id: id.clone() };
    let RevokeApiTokenPayload { user_errors } = client.run(RevokeToken::build(RevokeVariables { input })).await?.revoke_api_token;
    match user_errors.as_slice() {
        [] => print(&format!("revoked token {}\n", id.inner())),
        // The only input is the token, which needs no name.
        errors => {
            let errors: Vec<_> = errors.iter().map(|error| UserError { field: Vec::new(), ..error.clone() }).collect();
            Err(Failure::user_errors::<TokenConfig>(&errors))
        }
    }
}

async fn find_by_name(name: &str, client: &Client) -> Result<cynic::Id> {
    let named: Vec<_> = all(client).await?.into_iter().filter(|token| token.name == name && token.status() == "valid").collect();
    match named.as_slice() {
        [token] => Ok(token.id.clone()),
        [] => Err(Failure::new(Kind::NotFound, format!("there is no valid token {name}; `toygres token list` lists the tokens"))),
        several => {
            let ids: Vec<_> = several.iter().map(|token| token.id.inner()).collect();
            Err(Failure::new(Kind::Conflict, format!("several tokens have the name {name}; use one of their ids: {}", ids.join(", "))))
        }
    }
}

async fn all(client: &Client) -> Result<Vec<ApiToken>> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let ListTokens { api_tokens: ApiTokenConnection { nodes, page_info } } =
            client.run(ListTokens::build(ListVariables { first: 500, after })).await?;
        all.extend(nodes);
        if !page_info.has_next_page {
            return Ok(all);
        }
        after = page_info.end_cursor;
    }
}

impl ApiToken {
    fn status(&self) -> &'static str {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(at)) if at <= chrono::Utc::now() => "expired",
            _ => "valid",
        }
    }
}

fn table(tokens: &[ApiToken]) -> Table {
    let mut table = Table::with_header(["ID", "NAME", "ROLE", "STATUS", "AGE", "LAST USED", "EXPIRES"]);
    for token in tokens {
        table.row([
            token.id.inner().to_owned(),
            token.name.clone(),
            lower_case(&token.role),
            token.status().to_owned(),
            age(token.created_at),
            token.last_used_at.map(|at| format!("{} ago", age(at))).unwrap_or_default(),
            token.expires_at.map(|at| at.format("%Y-%m-%d").to_string()).unwrap_or_default(),
        ]);
    }
    table
}

fn roles() -> impl TypedValueParser<Value = toygres_domain::token::TokenRole> {
    let names = toygres_domain::token::TokenRole::ALL.iter().map(|role| role.as_str());
    PossibleValuesParser::new(names).try_map(|name| name.to_ascii_lowercase().parse())
}

fn role(role: toygres_domain::token::TokenRole) -> TokenRole {
    match role {
        toygres_domain::token::TokenRole::Viewer => TokenRole::Viewer,
        toygres_domain::token::TokenRole::Operator => TokenRole::Operator,
        toygres_domain::token::TokenRole::Admin => TokenRole::Admin,
    }
}

fn parse_database_url(text: &str) -> std::result::Result<String, String> {
    // `Url::parse` accepts white space: it trims it, or encodes it.
    let has_scheme = text.starts_with("postgres://") || text.starts_with("postgresql://");
    match has_scheme && !text.contains(char::is_whitespace) && Url::parse(text).is_ok() {
        true => Ok(text.to_owned()),
        false => Err("DATABASE_URL must be a PostgreSQL URL, for example postgres://user:password@host:5432/database".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_urls() {
        for valid in ["postgres://u:p%40@db:5432/toygres", "postgresql://db/toygres?sslmode=require", "postgres:///toygres?host=/run/postgresql"] {
            assert_eq!(parse_database_url(valid).as_deref(), Ok(valid));
        }
        for invalid in ["", "mysql://db/toygres", "postgres:toygres", "postgres://db /toygres", "postgres://db/toygres\n", "postgres://db:port/x"] {
            assert!(parse_database_url(invalid).is_err(), "{invalid:?}");
        }
    }
}
