//! Where the server listens, and who is admitted.

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgAction, Args, ValueEnum};
use ipnet::IpNet;

use crate::base_path::BasePath;

use super::values::{Origin, parse_bool, parse_enum, parse_listen, parse_metrics_listen, parse_network};

/// Where the server listens, and who is admitted.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Access")]
pub struct ListenConfig {
    /// Address to listen on. Without access control it must be a loopback address.
    #[arg(long, env = "TOYGRES_LISTEN", default_value = "127.0.0.1:8080", value_parser = parse_listen)]
    pub listen: SocketAddr,
    /// Address on which `/metrics`, `/health` and the probes are served to everybody who reaches it, also when there is no room for
    /// another client. At the other address, metrics and details of the health need a token if callers do.
    #[arg(long, env = "TOYGRES_METRICS_LISTEN", value_parser = parse_metrics_listen)]
    pub metrics_listen: Option<SocketAddr>,
    /// Who is admitted: everybody on this machine (local), or bearers of API tokens (tokens).
    #[arg(long, env = "TOYGRES_ACCESS", default_value = "local", value_parser = parse_enum::<Access>)]
    pub access: Access,
    /// Origins, separated by ',', whose pages may use the API in addition to the server's own, for example
    /// `https://dash.example.com`.
    #[arg(long, env = "TOYGRES_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<Origin>,
    /// Path below which a proxy publishes this server, for example `/toygres`. The proxy may remove it from requests or leave it.
    #[arg(long, env = "TOYGRES_BASE_PATH", default_value = "")]
    pub base_path: BasePath,
    /// PEM file of the server's certificate, followed by the intermediate ones: serves HTTPS. Read again when it changes.
    #[arg(long, env = "TOYGRES_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file of the key of that certificate.
    #[arg(long, env = "TOYGRES_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
    /// Whether a proxy before the server ends TLS, so that tokens may arrive over plain HTTP from other machines.
    #[arg(long, env = "TOYGRES_BEHIND_PROXY", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set, value_parser = parse_bool)]
    pub behind_proxy: bool,
    /// Networks of those proxies, separated by ',', whose X-Forwarded-For names the address of the client. That of others is ignored.
    #[arg(long, env = "TOYGRES_PROXY_ADDRESSES", value_delimiter = ',', value_parser = parse_network)]
    pub proxy_addresses: Vec<IpNet>,
}

/// Who is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Access {
    /// Everybody on this machine.
    Local,
    /// Bearers of API tokens.
    Tokens,
}

impl ListenConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.access == Access::Local && !self.listen.ip().is_loopback() {
            return Err(format!(
                "TOYGRES_LISTEN must be a loopback address, not {}, unless TOYGRES_ACCESS is tokens: without tokens everybody who reaches the server is its administrator",
                self.listen.ip()
            ));
        }
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => return Err("TOYGRES_TLS_KEY must be set too: the file with the key of TOYGRES_TLS_CERT".to_owned()),
            (None, Some(_)) => return Err("TOYGRES_TLS_CERT must be set too: the file with the certificate of TOYGRES_TLS_KEY".to_owned()),
            _ => {}
        }
        if !self.proxy_addresses.is_empty() && !self.behind_proxy {
            return Err("TOYGRES_PROXY_ADDRESSES has no effect unless TOYGRES_BEHIND_PROXY is true".to_owned());
        }
        if self.access == Access::Tokens && !self.listen.ip().is_loopback() && self.tls_cert.is_none() && !self.behind_proxy {
            return Err(format!(
                "TOYGRES_LISTEN is {}, where tokens would arrive unencrypted: set TOYGRES_TLS_CERT and TOYGRES_TLS_KEY, or TOYGRES_BEHIND_PROXY=true if a proxy before the server ends TLS",
                self.listen
            ));
        }
        Ok(())
    }

    /// The scheme of the server's own URLs.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.tls_cert.is_some() { "https" } else { "http" }
    }
}
