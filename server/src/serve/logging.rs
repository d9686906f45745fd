//! The log: to stderr, so that stdout holds only what a caller waits for.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogConfig, LogFormat};

/// The workflow engine warns of what is normal here, such as a timer that fires after the workflow it raced has ended; what
/// matters of it is logged by the monitor of the operation.
const QUIET: &str = "duroxide=error,sqlx=warn";

/// At its finest level it writes whole frames, and frames hold connection strings. No filter may ask for that.
const NEVER: &str = "tungstenite=debug";

/// Has to come before the engine starts, which would otherwise install a log of its own.
pub(super) fn start(config: &LogConfig) -> Result<(), String> {
    let named = config.log.contains("duroxide") || config.log.contains("sqlx");
    let directives = if named { format!("{},{NEVER}", config.log) } else { format!("{},{QUIET},{NEVER}", config.log) };
    let filter = EnvFilter::try_new(&directives)
        .map_err(|error| format!("TOYGRES_LOG '{}' is no log filter; write for example info or toygres_server=debug: {error}", config.log))?;
    let registry = tracing_subscriber::registry().with(filter);
    match config.log_format {
        LogFormat::Text => registry.with(fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal())).try_init(),
        LogFormat::Json => registry.with(fmt::layer().json().with_writer(stderr)).try_init(),
    }
    .map_err(|error| error.to_string())
}
