//! The last log lines of a server that failed, fit to be shown.

/// How many lines tell the reason, and how long they may be together.
const LINES: usize = 5;
const CHARACTERS: usize = 600;

/// Picks the last lines that say what went wrong. Lines that can quote what clients sent (statements, their parameters and
/// rows) are left out: they may hold a password.
pub(super) fn last_lines(log: &str) -> String {
    let telling: Vec<&str> = log.lines().map(str::trim_end).filter(|line| may_be_shown(line)).collect();
    let start = telling.len().saturating_sub(LINES);
    let text = telling[start..].join(" | ");
    match text.char_indices().nth_back(CHARACTERS) {
        Some((cut, _)) => format!("...{}", &text[cut..]),
        None => text,
    }
}

fn may_be_shown(line: &str) -> bool {
    const QUOTING: [&str; 6] = ["STATEMENT:", "DETAIL:", "CONTEXT:", "QUERY:", "LOG:  statement", "LOG:  execute"];
    // A tab at the start continues the line before it, which may be a statement.
    !line.trim().is_empty()
        && !line.starts_with('\t')
        && !QUOTING.iter().any(|word| line.contains(word))
        && !line.to_ascii_lowercase().contains("password")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_sent_is_left_out() {
        let log = "2026-01-01 LOG:  starting\n2026-01-01 ERROR:  syntax error at or near \"x\"\n\
                   2026-01-01 STATEMENT:  ALTER ROLE app PASSWORD 'hunter22'\n\tVALID UNTIL 'hunter23'\n\
                   2026-01-01 FATAL:  could not write file\n\n";
        let shown = last_lines(log);
        assert!(shown.ends_with("FATAL:  could not write file"), "{shown}");
        assert!(!shown.contains("hunter"), "{shown}");
    }

    #[test]
    fn it_is_the_end_that_counts() {
        let shown = last_lines(&(0..100).map(|n| format!("line {n} {}\n", "ä".repeat(300))).collect::<String>());
        assert!(shown.chars().count() <= CHARACTERS + 4, "{}", shown.chars().count());
        assert!(shown.starts_with("..."), "{shown}");
    }
}
