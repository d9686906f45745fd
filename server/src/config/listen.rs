//! Where the server listens, and who is admitted.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

use super::values::{Origin, parse_enum, parse_listen, parse_metrics_listen};

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
        Ok(())
    }
}
