//! `toygres instances connect` and the connection string.

use std::{ffi::OsString, os::unix::process::CommandExt as _, process::Command};

use clap::Args;
use cynic::QueryBuilder as _;
use url::Url;

use super::find_id;
use crate::{
    client::Client,
    contract::{InstanceState, schema, word},
    failure::{Failure, Kind, Result},
};
use toygres_process::Binaries;

#[derive(Args, Debug)]
pub struct Connect {
    /// Its name or id.
    name: String,
    /// What else psql is told, for example: -- -c 'SELECT 1'
    #[arg(last = true, value_name = "PSQL_ARGUMENTS")]
    arguments: Vec<OsString>,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct ConnectionQuery {
    #[arguments(id: $id)]
    instance: Option<Connection>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
struct Connection {
    name: String,
    state: InstanceState,
    connection_string: Option<String>,
}

impl Connect {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let text = connection_string(client, &self.name).await?;
        let odd = || Failure::new(Kind::Failed, "the server's connection string is no PostgreSQL URL");
        let url = Url::parse(&text).map_err(|_| odd())?;
        let mut psql = Command::new(psql());
        // The environment of a process is its owner's to read, its arguments are everybody's.
        psql.env("PGHOST", url.host_str().ok_or_else(odd)?.trim_matches(['[', ']'])).env("PGPORT", url.port().unwrap_or(5432).to_string());
        psql.env("PGUSER", decoded(url.username())).env("PGPASSWORD", decoded(url.password().unwrap_or_default()));
        psql.env("PGDATABASE", decoded(url.path().trim_start_matches('/')));
        for (key, value) in url.query_pairs() {
            if key == "sslmode" {
                psql.env("PGSSLMODE", &*value);
            }
        }
        // These would lead elsewhere, or are nothing of psql's.
        for name in ["PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "TOYGRES_TOKEN"] {
            psql.env_remove(name);
        }
        let error = psql.args(self.arguments).exec();
        Err(match error.kind() {
            std::io::ErrorKind::NotFound => {
                Failure::new(Kind::Failed, "psql is not installed: install postgresql-client (Debian, Ubuntu) or libpq (Homebrew)")
            }
            _ => Failure::new(Kind::Failed, format!("psql cannot be started: {error}")),
        })
    }
}

/// The URL with the password in it.
pub(super) async fn connection_string(client: &Client, name: &str) -> Result<String> {
    let id = find_id(client, name).await?;
    let ConnectionQuery { instance } = client.run(ConnectionQuery::build(Variables { id })).await?;
    let Connection { name, state, connection_string } = instance.ok_or_else(|| super::missing(name))?;
    connection_string.ok_or_else(|| {
        Failure::new(Kind::Conflict, format!("{name} is {} and has nothing to connect to; `toygres instances get {name}` says why", word(&state)))
    })
}

/// The one on the PATH, or the one beside the server's binaries.
fn psql() -> OsString {
    let on_path = std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join("psql").is_file()));
    let beside = || Some(Binaries::find(std::env::var("TOYGRES_PG_BIN").ok().as_deref()).ok()?.newest().bin.join("psql"));
    match on_path {
        true => "psql".into(),
        false => beside().map_or_else(|| "psql".into(), Into::into),
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
