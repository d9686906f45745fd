//! `toygres ca`: the certificate authorities of the instances of a server.

use std::{fs, io::Write as _, path::PathBuf};

use chrono::{DateTime, Utc};
use clap::Subcommand;
use cynic::{MutationBuilder as _, QueryBuilder as _};
use serde::Serialize;

use crate::{
    client::Client,
    contract::{CaStatus, UserError, lower_case, schema},
    failure::{Failure, Kind, Result},
    output::{OutputOptions, Table, print},
    words::worded,
};

/// A subcommand of `toygres ca`.
#[derive(Debug, Subcommand)]
pub enum CaCommand {
    /// Show the certificate authorities that clients of instances should trust.
    Show {
        /// Print the certificates in PEM, as `/ca.pem` answers them: for sslrootcert.
        #[arg(long)]
        pem: bool,
        /// The output format.
        #[command(flatten)]
        output: OutputOptions,
    },
    /// Replace the certificate authority. The next one is published first, and issues when clients have had time to trust it.
    Rotate {
        /// Let the next one issue at once and revoke all others, as after a key was exposed. Clients that do not trust it yet refuse the
        /// instances.
        #[arg(long)]
        now: bool,
    },
}

/// An authority, as the contract has it.
#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CaCertificate {
    fingerprint: String,
    pem: String,
    status: CaStatus,
    not_after: DateTime<Utc>,
    issues_from: DateTime<Utc>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query")]
struct Show {
    control_plane: ControlPlane,
}

#[derive(cynic::QueryFragment)]
struct ControlPlane {
    ca_certificates: Vec<CaCertificate>,
}

#[derive(cynic::InputObject)]
struct RotateCertificateAuthorityInput {
    now: Option<bool>,
}

#[derive(cynic::QueryVariables)]
struct RotateVariables {
    input: RotateCertificateAuthorityInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "RotateVariables")]
struct Rotate {
    #[arguments(input: $input)]
    rotate_certificate_authority: RotateCertificateAuthorityPayload,
}

#[derive(cynic::QueryFragment)]
struct RotateCertificateAuthorityPayload {
    ca_certificates: Vec<CaCertificate>,
    user_errors: Vec<UserError>,
}

pub(crate) async fn run(command: CaCommand, client: &Client) -> Result<()> {
    match command {
        CaCommand::Show { pem, output } => {
            let authorities = client.run(Show::build(())).await?.control_plane.ca_certificates;
            if pem { print(&bundle(&authorities)) } else { output.output.print(&authorities, |authorities| table(authorities).to_string()) }
        }
        CaCommand::Rotate { now } => {
            let variables = RotateVariables { input: RotateCertificateAuthorityInput { now: Some(now) } };
            let RotateCertificateAuthorityPayload { ca_certificates, user_errors } =
                client.run(Rotate::build(variables)).await?.rotate_certificate_authority;
            match user_errors.first() {
                Some(error) => Err(Failure::new(Kind::Conflict, worded(&error.message))),
                None => print(&table(&ca_certificates).to_string()),
            }
        }
    }
}

/// Writes authorities to a file for libpq, and returns its path. It is kept: psql reads it again when it reconnects.
pub(crate) fn save(authorities: &[CaCertificate]) -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = cache.or_else(|| Some(std::env::home_dir()?.join(".cache"))).unwrap_or_else(std::env::temp_dir).join("toygres");
    let name: Vec<_> = authorities.iter().map(|authority| authority.fingerprint.get(..16).unwrap_or("other")).collect();
    let file = directory.join(format!("ca-{}.pem", name.join("-")));
    let draft = directory.join(format!(".ca-{}", std::process::id()));
    let write = || {
        fs::create_dir_all(&directory)?;
        let mut written = fs::File::create(&draft)?;
        written.write_all(bundle(authorities).as_bytes())?;
        fs::rename(&draft, &file)
    };
    write().map_err(|error| Failure::new(Kind::Failed, format!("the certificate authorities cannot be written to {}: {error}", file.display())))?;
    Ok(file)
}

fn bundle(authorities: &[CaCertificate]) -> String {
    authorities.iter().map(|authority| authority.pem.as_str()).collect()
}

fn table(authorities: &[CaCertificate]) -> Table {
    let mut table = Table::with_header(["FINGERPRINT", "STATUS", "ISSUES FROM", "EXPIRES"]);
    for CaCertificate { fingerprint, pem: _, status, not_after, issues_from } in authorities {
        let day = |time: &DateTime<Utc>| time.format("%Y-%m-%d %H:%M").to_string();
        table.row([fingerprint.clone(), lower_case(status), day(issues_from), day(not_after)]);
    }
    table
}
