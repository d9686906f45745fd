//! What goes wrong with local processes, and how a workflow sees it.

use std::{fmt::Display, io};

use toygres_domain::{instance::ReasonCode, runtime::RuntimeError};

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something about local PostgreSQL processes did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody has to change something on this machine; the sentence says what.
    #[error("{0}")]
    Setup(String),
    /// The PostgreSQL binaries that are needed are not installed; the sentence says what to install.
    #[error("{0}")]
    PostgresMissing(String),
    /// What was asked for is nothing that local processes can offer.
    #[error("{0}")]
    Refused(String),
    /// The operating system said no.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried, as the end of a sentence that starts with "cannot".
        what: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A program of PostgreSQL did not do its work.
    #[error("{0}")]
    Program(String),
    /// Something else is in the way for the moment.
    #[error("{0}")]
    Busy(String),
}

impl From<Error> for RuntimeError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Setup(_) => Self::lasting(ReasonCode::RuntimeUnavailable, message),
            Error::PostgresMissing(_) => Self::lasting(ReasonCode::PostgresMissing, message),
            Error::Refused(_) => Self::lasting(ReasonCode::AdmissionRefused, message),
            Error::Io { source, .. } if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
                Self::passing(ReasonCode::DiskFull, message)
            }
            Error::Io { .. } | Error::Program(_) | Error::Busy(_) => Self::passing(ReasonCode::RuntimeUnavailable, message),
        }
    }
}

/// Says what was tried when the operating system said no.
pub(super) trait Trying<T> {
    /// `what` ends the sentence "cannot ...".
    fn trying(self, what: impl Display) -> Result<T>;
}

impl<T> Trying<T> for io::Result<T> {
    fn trying(self, what: impl Display) -> Result<T> {
        self.map_err(|source| Error::Io { what: what.to_string(), source })
    }
}
