//! `toygres token`, through the server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use cynic::{MutationBuilder as _, QueryBuilder as _};
use serde::Serialize;

use super::{
    client::Client,
    contract::{CreateApiTokenInput, PageInfo, RevokeApiTokenInput, TokenRole, UserError, schema, word},
    failure::{Failure, Kind, Result},
    output::{OutputOptions, Table, ago, print},
};

/// A token to make.
#[derive(Args, Clone, Debug)]
pub struct TokenConfig {
    /// What it is for.
    #[arg(long)]
    pub name: String,
    /// What its bearer may do: viewer, operator or admin.
    #[arg(long, default_value = "viewer")]
    pub role: TokenRole,
    /// After so many days it ends by itself.
    #[arg(long)]
    pub expires_in_days: Option<i32>,
    /// Make it in the metadata database on this machine, whatever server is named.
    #[arg(long, conflicts_with_all = ["url", "context"])]
    pub local: bool,
    /// With --local: URL of the metadata database [default: the embedded one of the running server].
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = parse_url)]
    pub database_url: Option<String>,
    /// With --local: the server's data directory.
    #[arg(long, env = "TOYGRES_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print its secret: this is the only time that it is shown.
    ///
    /// Through the server when one is named (--url, --context, TOYGRES_URL, a current context) or a token is at hand
    /// (TOYGRES_TOKEN). Otherwise, or with --local, in the metadata database of the server on this machine: how the first
    /// token comes about.
    Create(TokenConfig),
    /// List tokens, the newest first.
    #[command(visible_alias = "ls")]
    List {
        /// How the list is written.
        #[command(flatten)]
        output: OutputOptions,
    },
    /// End a token at once, with the subscriptions it has open.
    Revoke {
        /// Its id, or its name if no other valid token has it.
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

pub(super) async fn run(command: TokenCommand, client: &Client) -> Result<()> {
    match command {
        TokenCommand::Create(config) => create(config, client).await,
        TokenCommand::List { output } => output.output.print(&all(client).await?, |tokens| table(tokens)),
        TokenCommand::Revoke { token } => revoke(&token, client).await,
    }
}

async fn create(config: TokenConfig, client: &Client) -> Result<()> {
    let input = CreateApiTokenInput { name: config.name, role: role(config.role), expires_in_days: config.expires_in_days };
    let CreateApiTokenPayload { api_token, secret, user_errors } = client.run(CreateToken::build(CreateVariables { input })).await?.create_api_token;
    match (api_token, secret) {
        _ if !user_errors.is_empty() => Err(Failure::refused(&user_errors)),
        (Some(ApiToken { id, name, role, .. }), Some(secret)) => {
            eprintln!("token {} ({name}, {}); this is the only time that its secret is shown:", id.inner(), word(&role));
            print(&(secret + "\n"))
        }
        _ => Err(Failure::new(Kind::Failed, "the server accepted the request without a token")),
    }
}

async fn revoke(token: &str, client: &Client) -> Result<()> {
    let id = match uuid::Uuid::parse_str(token) {
        Ok(id) => cynic::Id::new(id.to_string()),
        Err(_) => {
            let named: Vec<_> = all(client).await?.into_iter().filter(|known| known.name == token && known.status() == "valid").collect();
            match named.as_slice() {
                [one] => one.id.clone(),
                [] => return Err(Failure::new(Kind::NotFound, format!("there is no valid token {token}; `toygres token list` shows all"))),
                several => {
                    let ids: Vec<_> = several.iter().map(|token| token.id.inner()).collect();
                    return Err(Failure::new(Kind::Conflict, format!("several tokens have the name {token}; say one's id: {}", ids.join(", "))));
                }
            }
        }
    };
    let input = RevokeApiTokenInput { id: id.clone() };
    let RevokeApiTokenPayload { user_errors } = client.run(RevokeToken::build(RevokeVariables { input })).await?.revoke_api_token;
    match user_errors.is_empty() {
        true => print(&format!("{} is revoked\n", id.inner())),
        false => Err(Failure::refused(&user_errors)),
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

fn table(tokens: &[ApiToken]) -> String {
    let mut table = Table::new(&["ID", "NAME", "ROLE", "STATUS", "AGE", "LAST USED", "EXPIRES"]);
    for token in tokens {
        table.row([
            token.id.inner().to_owned(),
            token.name.clone(),
            word(&token.role),
            token.status().to_owned(),
            ago(token.created_at),
            token.last_used_at.map(|at| format!("{} ago", ago(at))).unwrap_or_default(),
            token.expires_at.map(|at| at.format("%Y-%m-%d").to_string()).unwrap_or_default(),
        ]);
    }
    table.render()
}

fn role(role: toygres_domain::token::TokenRole) -> TokenRole {
    match role {
        toygres_domain::token::TokenRole::Viewer => TokenRole::Viewer,
        toygres_domain::token::TokenRole::Operator => TokenRole::Operator,
        toygres_domain::token::TokenRole::Admin => TokenRole::Admin,
    }
}
