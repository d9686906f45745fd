//! The last log lines of a server that failed, without what clients sent.

use toygres_domain::server_log::parser::shortened;

/// The limits of the lines and of their characters.
const LINES: usize = 5;
const CHARACTERS: usize = 600;

/// Returns the last lines. Lines that can quote what clients sent (statements, their parameters and rows) are omitted, because they
/// may contain a password.
pub(crate) fn last_lines(log: &str) -> String {
    let safe: Vec<_> = log.lines().map(str::trim_end).filter(|line| is_safe(line)).map(shortened).collect();
    let start = safe.len().saturating_sub(LINES);
    let text = safe[start..].join(" | ");
    match text.char_indices().nth_back(CHARACTERS) {
        Some((cut, _)) => format!("...{}", &text[cut..]),
        None => text,
    }
}

fn is_safe(line: &str) -> bool {
    const QUOTING: [&str; 6] = ["STATEMENT:", "DETAIL:", "CONTEXT:", "QUERY:", "LOG:  statement", "LOG:  execute"];
    // A tab at the start continues the previous line, which may be a statement.
    !line.trim().is_empty()
        && !line.starts_with('\t')
        && !QUOTING.iter().any(|word| line.contains(word))
        && !line.to_ascii_lowercase().contains("password")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_sent_is_omitted() {
        let log = "2026-01-01 LOG:  starting\n2026-01-01 ERROR:  syntax error at or near \"x\"\n\
                   2026-01-01 STATEMENT:  ALTER ROLE app PASSWORD 'hunter22'\n\tVALID UNTIL 'hunter23'\n\
                   2026-01-01 FATAL:  could not write file\n\n";
        let shown = last_lines(log);
        assert!(shown.ends_with("FATAL:  could not write file"), "{shown}");
        assert!(!shown.contains("hunter"), "{shown}");
    }

    #[test]
    fn the_end_is_kept() {
        let shown = last_lines(&(0..100).map(|n| format!("line {n} {}\n", "ä".repeat(300))).collect::<String>());
        assert!(shown.chars().count() <= CHARACTERS + 4, "{}", shown.chars().count());
        assert!(shown.starts_with("..."), "{shown}");
    }
}
