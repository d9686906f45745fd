//! Secrets, confirmations, and the values of arguments.

use std::{
    fs,
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::Path,
    time::Duration,
};

use crate::{
    contract::LabelInput,
    failure::{Failure, Result},
};

/// Reads a secret from a file, or from stdin when the path is `-`. Secrets are not arguments, because other users can read those.
pub(crate) fn read_secret(path: &Path) -> Result<String> {
    let mut text = String::new();
    let read = match path.as_os_str() == "-" {
        true => io::stdin().read_to_string(&mut text).map(drop),
        false => fs::read_to_string(path).map(|content| text = content),
    };
    let source = if path.as_os_str() == "-" { "stdin".to_owned() } else { path.display().to_string() };
    read.map_err(|error| Failure::usage(format!("{source} cannot be read: {error}")))?;
    let secret = text.trim_end_matches(['\n', '\r']);
    match secret.is_empty() {
        true => Err(Failure::usage(format!("the secret is missing: {source} is empty"))),
        false => Ok(secret.to_owned()),
    }
}

/// Asks for confirmation in the terminal. Without a terminal, `flag` is required.
pub(crate) fn confirm(question: &str, flag: &str) -> Result<()> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Failure::usage(format!("confirmation needs a terminal: use {flag} to skip it")));
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::usage("aborted")),
    }
}

/// Parses `key=value`.
pub(crate) fn parse_label(text: &str) -> std::result::Result<LabelInput, String> {
    let (key, value) = text.split_once('=').ok_or("a label has the form key=value")?;
    Ok(LabelInput { key: key.to_owned(), value: value.to_owned() })
}

/// The forms that [`parse_duration`] takes, for messages.
pub(crate) const DURATIONS: &str = "90s, 5m, 2h, 3d or 1w";

/// Parses `90`, `90s`, `5m`, `2h`, `3d` or `1w`.
pub(crate) fn parse_duration(text: &str) -> std::result::Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(86_400),
        "w" => Some(604_800),
        _ => None,
    };
    let seconds = seconds.and_then(|unit| number.parse::<u64>().ok()?.checked_mul(unit));
    seconds.map(Duration::from_secs).ok_or_else(|| format!("a time has the form {DURATIONS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let accepted = [("90", 90), ("90s", 90), ("5m", 300), ("2h", 7200), ("3d", 259_200), ("1w", 604_800)];
        for (text, seconds) in accepted {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text:?}");
        }
        for text in ["", "m", "1y", "1.5h", "1d2h", "18446744073709551615w"] {
            assert_eq!(parse_duration(text).unwrap_err(), "a time has the form 90s, 5m, 2h, 3d or 1w", "{text:?}");
        }
    }

    #[test]
    fn the_value_of_a_label_may_contain_an_equals_sign() {
        let LabelInput { key, value } = parse_label("query=a=b").unwrap();
        assert_eq!((key.as_str(), value.as_str()), ("query", "a=b"));
        assert!(parse_label("key").is_err());
    }
}
