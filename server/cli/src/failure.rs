//! How a command can end other than well: one sentence that names the remedy, and an exit code that scripts can rely on.

use std::{io, process::ExitCode};

use super::contract::{UserError, UserErrorCode};

/// The exit codes, for `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
    0  done; with --wait: the operation succeeded
    1  it failed: the operation ended FAILED or CANCELLED, or the server had a fault
    2  a mistake in the arguments, found here or by the server
    3  the server cannot be reached, or is not ready
    4  nothing has this name or id
    5  a token is missing, was refused, or its role does not allow this
    6  a conflict with how things are: name taken, deletion protected, wrong state or revision
  124  --timeout passed; what was asked for goes on
  130  interrupted by Ctrl-C; what was asked for goes on";

/// Why a command did not end well.
#[derive(Debug)]
pub(super) struct Failure {
    kind: Kind,
    /// What to print; nothing when it was printed before.
    message: String,
}

/// What kind of failure it is; each has its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Failed = 1,
    Usage = 2,
    Unreachable = 3,
    NotFound = 4,
    Refused = 5,
    Conflict = 6,
    TimedOut = 124,
    Interrupted = 130,
    /// Whoever read the output has had enough, which is no failure.
    NobodyReads = 0,
}

/// The default serves the derive macros, which name both.
pub(super) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Prints the message; the exit code.
    pub(super) fn report(&self) -> ExitCode {
        if !self.message.is_empty() && self.kind != Kind::NobodyReads {
            eprintln!("toygres: {}", self.message);
        }
        ExitCode::from(self.kind as u8)
    }

    /// What the server found wrong with the input, a line for each mistake.
    pub(super) fn refused(mistakes: &[UserError]) -> Self {
        let kind = match mistakes.first().map(|mistake| &mistake.code) {
            Some(UserErrorCode::NotFound) => Kind::NotFound,
            Some(UserErrorCode::NameTaken | UserErrorCode::Protected | UserErrorCode::Conflict) => Kind::Conflict,
            Some(UserErrorCode::RevisionMismatch | UserErrorCode::IdempotencyMismatch) => Kind::Conflict,
            _ => Kind::Usage,
        };
        let lines: Vec<_> = mistakes
            .iter()
            .map(|UserError { field, message, .. }| match field.is_empty() {
                true => message.clone(),
                false => format!("{}: {message}", field.join(".")),
            })
            .collect();
        let remedy = match mistakes.first().map(|mistake| &mistake.code) {
            Some(UserErrorCode::Protected) => "\n(lift the protection with `toygres instances update NAME --unprotect`)",
            Some(UserErrorCode::NameTaken) => "\n(`toygres instances list` shows the names in use)",
            _ => "",
        };
        Self::new(kind, lines.join("\n         ") + remedy)
    }
}

impl From<io::Error> for Failure {
    /// Only writing to stdout and stderr ends up here.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Kind::NobodyReads, ""),
            _ => Self::new(Kind::Failed, format!("the output cannot be written: {error}")),
        }
    }
}
