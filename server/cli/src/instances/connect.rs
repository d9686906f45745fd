//! `toygres instances connect`, and the connection string.

use std::{borrow::Cow, ffi::OsString, io, os::unix::process::CommandExt as _, process::Command};

use clap::Args;
use cynic::QueryBuilder as _;
use percent_encoding::percent_decode_str;
use url::Url;

use super::find_id;
use crate::{
    authorities::{self, CaCertificate},
    client::Client,
    contract::{Endpoint, InstanceState, Reason, lower_case, schema},
    failure::{Failure, Kind, Result},
    psql,
};

/// Open psql on an instance.
///
/// The password is neither shown nor passed in the arguments of a process. psql asks for it if it was changed by SQL.
#[derive(Args, Debug)]
pub struct Connect {
    /// Name or id of the instance.
    name: String,
    /// Arguments of psql, for example: -- -c 'SELECT 1'
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
    control_plane: ControlPlane,
}

#[derive(cynic::QueryFragment)]
struct ControlPlane {
    ca_certificates: Vec<CaCertificate>,
}

#[derive(cynic::QueryFragment)]
struct Certificate {
    names: Vec<String>,
    renewing: bool,
}

/// How psql verifies the server.
struct Verification {
    authorities: Vec<CaCertificate>,
    /// `sslmode`.
    mode: &'static str,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
struct Connection {
    name: String,
    state: InstanceState,
    reason: Option<Reason>,
    connection_string: Option<String>,
    certificate: Option<Certificate>,
    endpoint: Option<Endpoint>,
}

impl Connect {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let mut command = psql(client, &self.name).await?;
        // This returns only when it fails.
        let error = command.args(self.arguments).exec();
        Err(match error.kind() {
            io::ErrorKind::NotFound => not_installed(),
            _ => Failure::new(Kind::Failed, format!("psql cannot be started: {error}")),
        })
    }
}

/// psql on an instance, which it verifies.
pub(crate) async fn psql(client: &Client, name: &str) -> Result<Command> {
    let Access { url, verification, suspended } = connection(client, name).await?;
    if let Some(why) = suspended {
        return Err(Failure::new(Kind::Conflict, format!("{name} is suspended: {why}; `toygres instances resume --wait {name}` starts it")));
    }
    let psql = psql::find().ok_or_else(not_installed)?;
    let mut command = command(psql, &url).ok_or_else(|| Failure::new(Kind::Failed, "the server returned an invalid connection string"))?;
    if let Some(Verification { authorities, mode }) = verification {
        command.env("PGSSLMODE", mode).env("PGSSLROOTCERT", authorities::save(&authorities)?);
    }
    Ok(command)
}

/// The connection string of an instance, with the password.
pub(super) async fn connection_string(client: &Client, name: &str) -> Result<String> {
    Ok(connection(client, name).await?.url)
}

/// How to connect to an instance.
struct Access {
    /// The connection string, with the password.
    url: String,
    /// How to verify its server, unless it was not seen to have a certificate.
    verification: Option<Verification>,
    /// Why nobody can connect, if it is suspended.
    suspended: Option<String>,
}

async fn connection(client: &Client, name: &str) -> Result<Access> {
    let id = find_id(client, name).await?;
    let ConnectionQuery { instance, control_plane } = client.run(ConnectionQuery::build(Variables { id })).await?;
    let Connection { name, state, reason, connection_string, certificate, endpoint } = instance.ok_or_else(|| super::not_found(name))?;
    let url = connection_string.ok_or_else(|| {
        let state = lower_case(&state);
        Failure::new(Kind::Conflict, format!("{name} is {state} and has no connection string; `toygres instances get {name}` shows the reason"))
    })?;
    let verification = certificate.map(|Certificate { names, renewing }| {
        // The address of a load balancer gets into the certificate a moment after it is known.
        let is_named = !renewing && endpoint.is_some_and(|endpoint| names.contains(&endpoint.host));
        Verification { authorities: control_plane.ca_certificates, mode: if is_named { "verify-full" } else { "verify-ca" } }
    });
    let suspended = (state == InstanceState::Suspended).then(|| reason.map(|reason| reason.text()).unwrap_or_default());
    Ok(Access { url, verification, suspended })
}

/// psql with a connection in its environment, which only its user can read. Everybody can read arguments.
fn command(psql: impl Into<OsString>, url: &str) -> Option<Command> {
    let url = Url::parse(url).ok()?;
    let mut command = Command::new(psql.into());
    // What the caller has set is for other servers, and would change or break this connection. psql has no use for the token.
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PG") || name == "TOYGRES_TOKEN" {
            command.env_remove(name);
        }
    }
    command
        .env("PGHOST", url.host_str()?.trim_matches(['[', ']']))
        .env("PGPORT", url.port().unwrap_or(5432).to_string())
        .env("PGUSER", decode(url.username()).as_ref())
        .env("PGPASSWORD", decode(url.password().unwrap_or_default()).as_ref())
        .env("PGDATABASE", decode(url.path().trim_start_matches('/')).as_ref());
    if let Some((_, mode)) = url.query_pairs().find(|(key, _)| key == "sslmode") {
        command.env("PGSSLMODE", mode.as_ref());
    }
    Some(command)
}

fn decode(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

fn not_installed() -> Failure {
    Failure::new(Kind::Failed, "psql is not installed: install postgresql-client (Debian, Ubuntu) or libpq (Homebrew)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_is_in_the_environment() {
        let command = command("psql", "postgresql://app:p%40ss%2Fword@[::1]:6432/my%20db?sslmode=require").unwrap();
        let variable = |name: &str| command.get_envs().find(|(key, _)| *key == name).and_then(|(_, value)| value?.to_str());
        for (name, value) in
            [("PGHOST", "::1"), ("PGPORT", "6432"), ("PGUSER", "app"), ("PGPASSWORD", "p@ss/word"), ("PGDATABASE", "my db"), ("PGSSLMODE", "require")]
        {
            assert_eq!(variable(name), Some(value), "{name}");
        }
        assert_eq!(command.get_args().count(), 0);
    }

    #[test]
    fn a_connection_string_must_be_a_url_with_a_host() {
        assert!(command("psql", "host=localhost").is_none());
        assert!(command("psql", "postgresql:///db").is_none());
    }
}
