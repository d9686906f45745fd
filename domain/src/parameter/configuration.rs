//! The parameters as they are written into `postgresql.conf`.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{PRELOAD, Parameters};

/// A setting without an effect that tells which parameters a server has read: see [`marker`].
pub const MARKER: &str = "toygres.parameters";

/// Lines for the end of `postgresql.conf`, where they take precedence over those before. `preloaded` are the libraries that the platform
/// loads itself. Without parameters there are none.
#[must_use]
pub fn configuration(parameters: &Parameters, preloaded: &[&str]) -> String {
    let mut text = String::new();
    for (name, value) in &parameters.values {
        let value = if name == PRELOAD {
            let own = Some(value.as_str()).filter(|value| !value.is_empty());
            preloaded.iter().copied().chain(own).collect::<Vec<_>>().join(", ")
        } else {
            value.clone()
        };
        let _ = writeln!(text, "{name} = {}", quoted(&value));
    }
    match marker(parameters) {
        marker if marker.is_empty() => text,
        marker => text + &format!("{MARKER} = '{marker}'\n"),
    }
}

/// The value of [`MARKER`] in a server that has these parameters: empty without any.
#[must_use]
pub fn marker(parameters: &Parameters) -> String {
    if parameters.values.is_empty() {
        return String::new();
    }
    let mut digest = Sha256::new();
    for (name, value) in &parameters.values {
        // Neither has zero bytes.
        digest.update(format!("{name}\0{value}\0"));
    }
    digest.finalize().iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A value between quotes. A line cannot end between them, and a backslash begins an escape sequence.
fn quoted(value: &str) -> String {
    let mut text = String::from("'");
    for c in value.chars() {
        match c {
            '\'' => text.push_str("''"),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            c => text.push(c),
        }
    }
    text + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(values: &[(&str, &str)]) -> Parameters {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Parameters { values, ..Parameters::default() }
    }

    #[test]
    fn a_hostile_value_stays_one_value() {
        let text = configuration(&parameters(&[("search_path", "a'b\\'\nport = 1\r\n")]), &[]);
        assert_eq!(text.lines().next(), Some("search_path = 'a''b\\\\''\\nport = 1\\r\\n'"));
        assert_eq!(text.lines().count(), 2, "{text}");
    }

    #[test]
    fn the_libraries_of_the_platform_stay() {
        let line = |value: &str, preloaded: &[&str]| configuration(&parameters(&[(PRELOAD, value)]), preloaded).lines().next().unwrap().to_owned();
        assert_eq!(line("auto_explain", &["pg_stat_statements"]), "shared_preload_libraries = 'pg_stat_statements, auto_explain'");
        assert_eq!(line("", &["pg_stat_statements"]), "shared_preload_libraries = 'pg_stat_statements'");
        assert_eq!(line("", &[]), "shared_preload_libraries = ''");
    }

    #[test]
    fn the_marker_tells_parameters_apart() {
        assert_eq!((configuration(&Parameters::default(), &["x"]), marker(&Parameters::default())), (String::new(), String::new()));
        let markers = [&[("a", "bc")][..], &[("ab", "c")], &[("a", "b"), ("c", "")], &[("a", "bd")]].map(|values| marker(&parameters(values)));
        assert!(markers.iter().all(|marker| marker.len() == 32));
        assert_eq!(std::collections::BTreeSet::from(markers).len(), 4);
        let pending = Parameters { pending: [("jit".to_owned(), None)].into(), ..Parameters::default() };
        assert_eq!(marker(&pending), "", "what is pending is not written");
    }
}
