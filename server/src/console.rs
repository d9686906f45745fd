//! stdout and stderr, either of which may be closed or full at any time: `print!` and `eprintln!` panic then.

use std::io::{self, Write as _, stdout};

pub(crate) use toygres_cli::report;

/// Writes a line to stdout.
pub(crate) fn write_line(text: &str) -> io::Result<()> {
    let mut stdout = stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// The result of a command: a line on stdout. That its reader has closed the pipe, as `head` does, is no error.
///
/// # Errors
/// One sentence for people.
pub(crate) fn print_line(text: &str) -> Result<(), String> {
    match write_line(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("the output cannot be written: {error}")),
        _ => Ok(()),
    }
}
