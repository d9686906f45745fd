//! The SCRAM-SHA-256 verifier that PostgreSQL stores instead of a password. It is computed here, so that the password is never part
//! of a statement, which could be logged.

use postgres_protocol::password::scram_sha_256;
use toygres_domain::secret::Secret;

/// The text that `CREATE ROLE ... PASSWORD` takes instead of a password. It has no quotes and no backslashes.
pub(super) fn verifier(password: &Secret) -> String {
    scram_sha_256(password.expose().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_needs_no_quoting_and_is_salted() {
        let password = Secret::new("it's \\ \"q\"".into());
        let (first, second) = (verifier(&password), verifier(&password));
        assert!(first.starts_with("SCRAM-SHA-256$4096:") && !first.contains(['\'', '\\', '\n']), "{first}");
        assert_ne!(first, second);
    }
}
