//! The process runtime.

use std::path::PathBuf;

use clap::{Args, value_parser};
use toygres_process::DataDir;

/// The process runtime.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "With the process runtime")]
pub struct ProcessConfig {
    /// Directory of local instances, the embedded database and the secret key [default: /var/lib/toygres for root, else the
    /// user's data directory].
    #[arg(long, env = "TOYGRES_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Directories of PostgreSQL server binaries, separated by ':' [default: wherever they are installed].
    #[arg(long, env = "TOYGRES_PG_BIN")]
    pub pg_bin: Option<String>,
    /// The user that PostgreSQL runs as when the server runs as root, which PostgreSQL refuses.
    #[arg(long, env = "TOYGRES_PG_USER", default_value = "postgres")]
    pub pg_user: String,
    /// Megabytes that must be available on the disk of the data directory. With less, the server is not ready and says so, instances are
    /// unhealthy, and creations wait. 0 turns this off.
    #[arg(long, env = "TOYGRES_MIN_FREE_DISK_MB", default_value = "64", value_parser = value_parser!(u32).range(0..))]
    pub min_free_disk_mb: u32,
}

impl ProcessConfig {
    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(DataDir::default_path)
    }
}
