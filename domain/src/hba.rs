//! `pg_hba.conf`: who may log in to an instance, from where, and how.

use std::fmt::Write as _;

use crate::roles::{MONITOR, REPLICATION, SUPERUSER};

/// What differs between hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The addresses that connect: `all`, or a range.
    pub addresses: &'static str,
    /// Whether the superuser may also connect over the socket. The entrypoint of the official images does, during the first start.
    pub superuser_on_socket: bool,
    /// Whether clients without TLS are refused. The platform uses TLS by itself, and must not lose its access if that breaks.
    pub require_tls: bool,
    /// Whether clients are refused, and only the platform gets in.
    pub closed: bool,
}

/// The text of the file. The first rule that matches a connection decides, so the rules of the platform come first. A rule for `all`
/// databases does not match physical replication, which is the platform's alone in this way.
#[must_use]
pub fn pg_hba(access: Access) -> String {
    let Access { addresses, superuser_on_socket, require_tls, closed } = access;
    let mut rules = "# Written by toygres; changes are overwritten.\n".to_owned();
    let mut rule = |connection: &str, databases: &str, roles: &str, from: &str| {
        let fields = [connection, databases, roles, from, "scram-sha-256"].into_iter().filter(|field| !field.is_empty());
        let _ = writeln!(rules, "{}", fields.collect::<Vec<_>>().join(" "));
    };
    if superuser_on_socket {
        rule("local", "all", SUPERUSER, "");
    }
    rule("host", "all", &format!("{SUPERUSER},{MONITOR}"), addresses);
    rule("host", "replication", REPLICATION, addresses);
    if !closed {
        rule(if require_tls { "hostssl" } else { "host" }, "all", "all", addresses);
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_the_platform_come_first() {
        assert_eq!(
            pg_hba(Access { addresses: "all", superuser_on_socket: true, require_tls: false, closed: false }),
            "# Written by toygres; changes are overwritten.\n\
             local all toygres scram-sha-256\n\
             host all toygres,toygres_monitor all scram-sha-256\n\
             host replication toygres_replication all scram-sha-256\n\
             host all all all scram-sha-256\n"
        );
        assert!(!pg_hba(Access { addresses: "127.0.0.1/32", superuser_on_socket: false, require_tls: false, closed: false }).contains("local"));
    }

    #[test]
    fn nobody_but_the_platform_gets_in_while_it_is_closed() {
        let rules = pg_hba(Access { addresses: "all", superuser_on_socket: true, require_tls: false, closed: true });
        assert!(rules.contains("host all toygres,toygres_monitor all") && !rules.contains("host all all"), "{rules}");
    }

    #[test]
    fn only_clients_can_be_told_to_use_tls() {
        let rules = pg_hba(Access { addresses: "all", superuser_on_socket: true, require_tls: true, closed: false });
        assert!(rules.ends_with("host all toygres,toygres_monitor all scram-sha-256\nhost replication toygres_replication all scram-sha-256\nhostssl all all all scram-sha-256\n"), "{rules}");
    }
}
