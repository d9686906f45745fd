//! The digest at the end of a configuration file, which tells what somebody has edited from what another release of the control plane has
//! written.

use sha2::{Digest, Sha256};

/// What the last line begins with.
const LABEL: &str = "# SHA-256 of the lines above: ";
/// What the files of all releases begin with, also of those that wrote no digest.
const HEADER: &str = "# Written by toygres";

/// The text with its digest.
pub(super) fn with_digest(text: &str) -> String {
    format!("{text}{LABEL}{}\n", digest(text))
}

/// Whether this is the whole text of a file that a control plane has written, of whichever release. One without a digest may be edited.
pub(super) fn is_ours(text: &str) -> bool {
    match text.rsplit_once(LABEL) {
        Some((above, end)) => end.trim_end() == digest(above),
        None => text.starts_with(HEADER),
    }
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_file_is_not_ours() {
        let text = with_digest("# Written by toygres; changes are overwritten.\nport = 1\n");
        assert!(is_ours(&text));
        assert!(!is_ours(&text.replace("port = 1", "port = 2")));
        assert!(!is_ours(&format!("{text}fsync = off\n")), "a line after the digest");
        assert!(!is_ours(""));
        assert!(!is_ours("port = 1\n"));
        assert!(is_ours("# Written by toygres.\nport = 1\n"), "of a release without digests");
    }
}
