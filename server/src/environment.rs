//! Prepares the environment of the commands that run a server or use its database: reads `.env`, and removes the variables of libpq.

use std::{ffi::OsString, fmt::Write as _, os::unix::process::CommandExt, path::Path, process::Command};

/// Prepares the environment for these arguments of the process. Commands that speak to a server over the network do not use it, so the
/// `.env` of the project in which they are called does not matter.
///
/// # Errors
/// One sentence for people.
pub(crate) fn prepare(arguments: &[OsString]) -> Result<(), String> {
    let is = |at: usize, word: &str| arguments.get(at).is_some_and(|argument| argument == word);
    let server = ["serve", "migrate", "postgres", "secrets"].into_iter().any(|command| is(0, command));
    if !server && !is(0, "token") {
        return Ok(());
    }
    without_libpq(arguments)?;
    if server || arguments.iter().any(|argument| argument == "--local") { read_dotenv(Path::new(".env")) } else { Ok(()) }
}

/// Whether libpq reads the variable (PGHOST, PGSSLMODE, PGOPTIONS, PGSERVICE, ...): chapter "Environment Variables" of its manual. The
/// Rust drivers read some of them too.
fn is_libpq(name: &str) -> bool {
    name.strip_prefix("PG").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// Executes the program again in this process (`exec`) without the variables of libpq, if there are any. They are meant for other
/// servers, but would change connections whose URLs are complete. A process cannot safely remove a variable from its own environment.
fn without_libpq(arguments: &[OsString]) -> Result<(), String> {
    let foreign: Vec<_> = std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_str().is_some_and(is_libpq)).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let program = std::env::current_exe().map_err(|error| format!("the path of this program is unknown: {error}"))?;
    let mut again = Command::new(program);
    again.args(arguments);
    for name in &foreign {
        again.env_remove(name);
    }
    // This returns only when it fails.
    let error = again.exec();
    Err(format!("{} must not be set, and this program cannot be started without it: {error}", foreign.join(&OsString::from(", ")).display()))
}

/// Reads the `.env` of the current directory, if there is one. Directories above it may belong to other projects.
fn read_dotenv(path: &Path) -> Result<(), String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("{} cannot be read: {error}", absolute(path))),
    };
    let text = relevant(&text);
    dotenvy::from_read(text.as_bytes()).map_err(|error| match error {
        dotenvy::Error::LineParse(line, _) => {
            let (number, name) = locate(&text, &line);
            format!(
                "{}, line {number}{}: it must have the form NAME=value; put a value with spaces or special characters in single quotes",
                absolute(path),
                name.map(|name| format!(" ({name})")).unwrap_or_default()
            )
        }
        error => format!("{} cannot be read: {error}", absolute(path)),
    })
}

/// The text without the variables of libpq, with the same numbers of lines.
fn relevant(text: &str) -> String {
    text.lines().fold(String::new(), |mut kept, line| {
        let line = if name(line).is_some_and(is_libpq) { "" } else { line };
        let _ = writeln!(kept, "{line}");
        kept
    })
}

/// The number of the line that an error shows (all of it, or only the value), and the name of its variable. Its value may be a secret.
fn locate<'a>(text: &'a str, shown: &str) -> (usize, Option<&'a str>) {
    let first = shown.lines().next().unwrap_or_default().trim();
    let is_wrong = |line: &str| line.trim_end().ends_with(first) && dotenvy::from_read_iter(line.as_bytes()).any(|item| item.is_err());
    let found = text.lines().enumerate().find(|(_, line)| is_wrong(line));
    found.map_or((1, None), |(index, line)| (index + 1, name(line)))
}

/// The name of the variable that a line sets.
fn name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let (name, _) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    Some(name.trim()).filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_of_libpq_are_recognised() {
        for name in ["PGHOST", "PGSSLMODE", "PGOPTIONS", "PGSERVICE", "PGAPPNAME", "PGTZ"] {
            assert!(is_libpq(name), "{name}");
        }
        for name in ["PG", "PG_BIN", "PGTEST1", "TOYGRES_PG_BIN", "DUROXIDE_PG_POOL_MAX"] {
            assert!(!is_libpq(name), "{name}");
        }
        assert_eq!(relevant("A=1\nPGSSLMODE=require\nexport PGHOST=x\nB=2\n"), "A=1\n\n\nB=2\n");
    }

    #[test]
    fn an_error_names_the_line_and_the_variable_but_not_the_value() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(".env");
        assert_eq!(read_dotenv(&file), Ok(()), "it need not exist");
        std::fs::write(&file, "# A comment\n\nTOYGRES_TEST_ONLY='two\nlines'\nAPP_NAME=My secret App\n").unwrap();
        let error = read_dotenv(&file).unwrap_err();
        assert!(error.contains(&format!("{}, line 5 (APP_NAME)", file.display())) && !error.contains("secret"), "{error}");
    }
}
