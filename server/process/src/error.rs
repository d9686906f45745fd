//! The errors of local processes, and their conversion for workflows.

use std::{fmt::Display, io};

use toygres_domain::{data::data_lost, instance::ReasonCode, runtime::RuntimeError};

/// The result of the operations of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on local PostgreSQL processes failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The setup of this machine is wrong; the sentence says what to change.
    #[error("{0}")]
    Setup(String),
    /// The PostgreSQL binaries that are needed are not installed; the sentence says what to install.
    #[error("{0}")]
    PostgresMissing(String),
    /// Local processes do not support the request.
    #[error("{0}")]
    Refused(String),
    /// A call to the operating system failed.
    #[error("cannot {what}: {source}")]
    Io {
        /// The action that failed, as the end of a sentence that starts with "cannot".
        what: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A program of PostgreSQL failed.
    #[error("{0}")]
    Program(String),
    /// Another task or program temporarily prevents the operation.
    #[error("{0}")]
    Busy(String),
    /// The disk of the data directory has too little space.
    #[error("{0}")]
    DiskFull(String),
    /// The instance has run before, and its data is gone.
    #[error("{0}")]
    DataLost(String),
    /// The log of an instance is not in this data directory.
    #[error("{0}")]
    LogNotHere(String),
}

impl From<Error> for RuntimeError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Setup(_) => Self::permanent(ReasonCode::RuntimeUnavailable, message),
            Error::PostgresMissing(_) => Self::permanent(ReasonCode::PostgresMissing, message),
            Error::DataLost(_) => Self { reason: data_lost(&message), retryable: false },
            Error::LogNotHere(_) => Self::permanent(ReasonCode::LogNotHere, message),
            Error::DiskFull(_) => Self::temporary(ReasonCode::DiskFull, message),
            Error::Refused(_) => Self::permanent(ReasonCode::AdmissionRefused, message),
            Error::Io { source, .. } if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
                Self::temporary(ReasonCode::DiskFull, message)
            }
            Error::Io { .. } | Error::Program(_) | Error::Busy(_) => Self::temporary(ReasonCode::RuntimeUnavailable, message),
        }
    }
}

/// Adds the failed action to an error of the operating system.
pub(super) trait IoContext<T> {
    /// `what` ends the sentence "cannot ...".
    fn context(self, what: impl Display) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn context(self, what: impl Display) -> Result<T> {
        self.map_err(|source| Error::Io { what: what.to_string(), source })
    }
}
