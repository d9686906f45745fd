//! The settings of a session, which those of its owner must not replace.

/// What the sessions of the platform depend on. The owner may set each of these for their role and their databases, but the startup packet
/// takes precedence over both (`GucSource` in PostgreSQL's `guc.h`).
///
/// `default_transaction_read_only` is not among them, because checks read it. Neither are settings that only a superuser may set, which
/// are an error in the startup packet of any other role.
const SETTINGS: [(&str, &str); 18] = [
    // The minimum, so that the sort of a check uses a temporary file, in the tablespace of the database.
    ("work_mem", "64kB"),
    ("temp_tablespaces", ""),
    // Otherwise operators of the owner may come before those of PostgreSQL.
    ("search_path", "pg_catalog"),
    ("role", "none"),
    // Otherwise a backslash in a literal hides the quote after it.
    ("standard_conforming_strings", "on"),
    // These log statements, and with them the verifiers of passwords.
    ("debug_print_parse", "off"),
    ("debug_print_rewritten", "off"),
    ("debug_print_plan", "off"),
    // A library that does not exist fails every login of the role.
    ("local_preload_libraries", ""),
    // The check has a time-out of its own.
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("tcp_user_timeout", "0"),
    // A serializable transaction fails on a standby, and a deferrable one waits for others.
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    // Other messages are not read, and too many of them end the session.
    ("client_min_messages", "error"),
    // Compiling a query takes longer than running it.
    ("jit", "off"),
];

/// The settings as `options` of the startup packet.
pub(super) fn options() -> String {
    joined(SETTINGS)
}

/// Those that would end a connection for replication, or prevent it. It runs no statement of SQL.
const OF_REPLICATION: [&str; 7] = [
    "local_preload_libraries",
    "statement_timeout",
    "lock_timeout",
    "idle_session_timeout",
    "idle_in_transaction_session_timeout",
    "tcp_user_timeout",
    "client_min_messages",
];

/// The same for a connection for replication.
pub(crate) fn replication_options() -> String {
    joined(SETTINGS.into_iter().filter(|(name, _)| OF_REPLICATION.contains(name)))
}

fn joined(settings: impl IntoIterator<Item = (&'static str, &'static str)>) -> String {
    let options: Vec<_> = settings.into_iter().map(|(name, value)| format!("-c {name}={}", value.replace(' ', "\\ "))).collect();
    options.join(" ")
}

/// What is set after the login, because it would be an error in the startup packet of an older server: `transaction_timeout` exists
/// from 17 on. `server_version` is what the server reports of itself.
pub(super) fn statement(server_version: &str) -> Option<&'static str> {
    (major_version(server_version)? >= 17).then_some("SET transaction_timeout = 0")
}

/// The major version in what a server reports of itself.
pub(super) fn major_version(server_version: &str) -> Option<u32> {
    server_version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_not_in_every_version_is_set_where_it_is() {
        for (version, set) in
            [("15.14 (Debian 15.14-0+deb12u1)", false), ("16rc1", false), ("17.2", true), ("18beta1", true), ("", false), ("x", false)]
        {
            assert_eq!(statement(version).is_some(), set, "{version}");
        }
    }

    #[test]
    fn spaces_do_not_end_an_option() {
        assert!(options().contains("-c default_transaction_isolation=read\\ committed -c"), "{}", options());
    }
}
