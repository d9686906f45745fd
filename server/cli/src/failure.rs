//! Errors of commands: a message that says what to do, and an exit code for scripts.

use std::{io, process::ExitCode};

use clap::{Args, Command};

use crate::{
    contract::{UserError, UserErrorCode},
    output::report,
    words::worded,
};

/// The exit codes, for `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
    0  success; with --wait, the operation succeeded
    1  failure: the operation ended FAILED or CANCELLED, or the server had an internal error
    2  invalid arguments
    3  the server cannot be reached, or is not ready
    4  no object with this name or id
    5  the token is missing or invalid, or its role does not allow the request
    6  conflict: name taken, deletion protected, wrong state or revision
  124  --timeout or --wait-timeout expired; the operation continues
  130  interrupted by Ctrl-C; the operation continues";

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
}

/// The kinds of failures, with their exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The reader of the output closed the pipe, as `head` does. This is not reported.
    BrokenPipe = 0,
    Failed = 1,
    Usage = 2,
    Unreachable = 3,
    NotFound = 4,
    Denied = 5,
    Conflict = 6,
    TimedOut = 124,
    Interrupted = 130,
}

// The second parameter is for derive macros, whose code names both.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Prints the message, and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if self.kind != Kind::BrokenPipe {
            report(&format!("toygres: {}", self.message));
        }
        ExitCode::from(self.kind as u8)
    }

    /// The user errors of a mutation, one per line. `C` is the command that the input came from: each error names its argument.
    pub(crate) fn user_errors<C: Args>(errors: &[UserError]) -> Self {
        let first = errors.first().map(|error| &error.code);
        let kind = match first {
            Some(UserErrorCode::NotFound) => Kind::NotFound,
            Some(
                UserErrorCode::NameTaken
                | UserErrorCode::Protected
                | UserErrorCode::Conflict
                | UserErrorCode::RevisionMismatch
                | UserErrorCode::IdempotencyMismatch,
            ) => Kind::Conflict,
            _ => Kind::Usage,
        };
        let hint = match first {
            Some(UserErrorCode::Protected) => "\n(remove the protection with `toygres instances update NAME --unprotect`)",
            _ => "",
        };
        let command = C::augment_args(Command::new("toygres"));
        let lines: Vec<_> = errors
            .iter()
            .map(|UserError { field, message, .. }| match field.as_slice() {
                [] => worded(message),
                path => format!("{}: {}", argument(&command, path).unwrap_or_else(|| path.join(".")), worded(message)),
            })
            .collect();
        Self::new(kind, lines.join("\n         ") + hint)
    }
}

/// The argument that an input field comes from, as it is typed: `--storage-gb`, or `NAME`.
///
/// The id of an argument (the name of its Rust field) is the path of the input field in snake case: `healthCheck.timeoutSeconds` is
/// `health_check_timeout_seconds`. A path into a list, such as `labels.0.key`, belongs to the argument of the list.
fn argument(command: &Command, path: &[String]) -> Option<String> {
    let path: Vec<_> = path.iter().map(|name| snake_case(name)).collect();
    let of = |id: &str| command.get_arguments().find(|argument| argument.get_id() == id);
    // What all operations have in common is said of the `id` of the instance, also where the field has another name.
    let common = || of("instance_id").filter(|_| path == ["id"]);
    let argument = (1..=path.len()).rev().find_map(|length| of(&path[..length].join("_"))).or_else(common)?;
    match argument.get_long() {
        Some(long) => Some(format!("--{long}")),
        None => Some(argument.get_value_names()?.first()?.to_string()),
    }
}

fn snake_case(name: &str) -> String {
    name.chars().flat_map(|c| c.is_ascii_uppercase().then_some('_').into_iter().chain([c.to_ascii_lowercase()])).collect()
}

impl From<io::Error> for Failure {
    /// For errors of writing to stdout and stderr.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Kind::BrokenPipe, ""),
            _ => Self::new(Kind::Failed, format!("the output cannot be written: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Args)]
    #[allow(dead_code, reason = "only the declarations are used")]
    struct Example {
        #[arg(value_name = "NAME")]
        id: String,
        #[arg(long = "timeout")]
        timeout_seconds: Option<i32>,
        #[arg(long = "source-range")]
        exposure_source_ranges: Vec<String>,
    }

    fn message(code: UserErrorCode, field: &[&str]) -> Failure {
        failure(code, field, "is wrong")
    }

    fn failure(code: UserErrorCode, field: &[&str], message: &str) -> Failure {
        let field = field.iter().map(ToString::to_string).collect();
        Failure::user_errors::<Example>(&[UserError { code, field, message: message.to_owned() }])
    }

    #[test]
    fn user_errors_name_the_argument() {
        for (field, expected) in [
            (&["id"][..], "NAME: is wrong"),
            (&["timeoutSeconds"], "--timeout: is wrong"),
            (&["exposure", "sourceRanges", "0"], "--source-range: is wrong"),
            (&["newField", "inner"], "newField.inner: is wrong"),
            (&[], "is wrong"),
        ] {
            assert_eq!(message(UserErrorCode::Invalid, field).message, expected);
        }
        let turned_off = failure(UserErrorCode::Conflict, &["id"], "turn backups on with updateInstance first");
        assert_eq!(turned_off.message, "NAME: turn backups on with `toygres instances update` first");
    }

    #[test]
    fn the_instance_of_a_user_or_database_is_named_too() {
        #[derive(Args)]
        #[allow(dead_code, reason = "only the declarations are used")]
        struct OfInstance {
            #[arg(value_name = "INSTANCE")]
            instance_id: String,
        }
        let error = UserError { code: UserErrorCode::Conflict, field: vec!["id".to_owned()], message: "is suspended".to_owned() };
        assert_eq!(Failure::user_errors::<OfInstance>(&[error]).message, "INSTANCE: is suspended");
    }

    #[test]
    fn a_hint_names_the_command_that_helps() {
        assert_eq!(
            message(UserErrorCode::Protected, &["id"]).message,
            "NAME: is wrong\n(remove the protection with `toygres instances update NAME --unprotect`)"
        );
        assert_eq!(message(UserErrorCode::NameTaken, &["id"]).message, "NAME: is wrong", "the server says what the name waits for");
    }

    #[test]
    fn the_code_of_a_user_error_decides_the_exit_code() {
        for (code, kind) in [
            (UserErrorCode::OutOfRange, Kind::Usage),
            (UserErrorCode::NotFound, Kind::NotFound),
            (UserErrorCode::RevisionMismatch, Kind::Conflict),
            (UserErrorCode::Other("NEW".to_owned()), Kind::Usage),
        ] {
            assert_eq!(message(code, &["id"]).kind(), kind);
        }
    }
}
