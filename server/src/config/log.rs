//! The log.

use clap::{Args, ValueEnum};

use super::values::parse_enum;

/// The log.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log")]
pub struct LogConfig {
    /// What is logged: a level, or levels per module (error, warn, info, debug, trace).
    #[arg(long, env = "TOYGRES_LOG", default_value = "info")]
    pub log: String,
    /// The format of the log.
    #[arg(long, env = "TOYGRES_LOG_FORMAT", default_value = "text", value_parser = parse_enum::<LogFormat>)]
    pub log_format: LogFormat,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}
