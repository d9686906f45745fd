//! Owners who want a session of the platform, which is the superuser's, to run a statement of theirs: they choose names, and settings of their
//! databases.

use std::time::Duration;

use toygres_domain::{database_user::DatabaseAccess, name::SqlName, scram, secret::Secret};
use toygres_postgres::users::{self, Clients, NewUser};

use crate::server::{Server, eventually};

const TIMEOUT: Duration = Duration::from_secs(30);

/// What the owner of a database may set for everybody who connects to it.
const SETTINGS: [&str; 5] =
    ["standard_conforming_strings = off", "backslash_quote = on", "debug_print_parse = on", "debug_print_rewritten = on", "debug_print_plan = on"];

fn name(text: &str) -> SqlName {
    text.to_owned().try_into().unwrap()
}

fn is_superuser(server: &Server, role: &str) -> bool {
    server.execute(&format!("SELECT rolsuper FROM pg_roles WHERE rolname = '{role}'")) == "t"
}

/// From 16 on, owners make roles, and give them their databases.
#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_role_is_no_statement() {
    for version in 16..=18 {
        let (server, superuser) = Server::start_version(version).await;
        server.execute("ALTER ROLE app SUPERUSER; CREATE ROLE mallory LOGIN CREATEDB CREATEROLE");
        server.execute_as("mallory", "postgres", "CREATE DATABASE shop");
        let mallory = |sql: &str| server.execute_as("mallory", "shop", sql);
        for setting in SETTINGS {
            mallory(&format!("ALTER DATABASE shop SET {setting}"));
        }
        let hostile = r"a\'; ALTER ROLE mallory SUPERUSER; --";
        for (user, owner) in [("buyer", hostile), ("seller", r#"a "strange" one"#)] {
            let quoted = format!("\"{}\"", owner.replace('"', "\"\""));
            mallory(&format!("CREATE ROLE {quoted}"));
            mallory(&format!("GRANT {quoted} TO mallory WITH SET TRUE"));
            mallory(&format!("ALTER DATABASE shop OWNER TO {quoted}"));
            let (user, shop, first) = (name(user), name("shop"), name("mallory"));
            let verifier = Secret::new(scram::verifier(&Secret::generate()));
            let new = NewUser { name: &user, verifier: &verifier, access: DatabaseAccess::Owner, database: Some(&shop) };
            let users = [user.clone()];
            users::create(&superuser, &new, Clients { owner: &first, users: &users }, TIMEOUT).await.unwrap();
            assert!(!is_superuser(&server, "mallory"), "PostgreSQL {version}");
            let set = server.execute(&format!("SELECT setconfig[1] FROM pg_db_role_setting WHERE setrole = '{user}'::regrole"));
            assert_eq!(set, format!("role={owner}"), "it acts as the owner of the database");
        }
        let log = std::fs::read(server.file("../log")).unwrap();
        assert!(!String::from_utf8_lossy(&log).contains("SCRAM-SHA-256"), "no verifier is in the log, which the owner can read");
    }
}

/// The server has the setting for all databases as a parameter of its instance.
#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_database_is_no_statement() {
    let (server, superuser) = Server::start().await;
    server.execute("ALTER ROLE app SUPERUSER; CREATE ROLE orders LOGIN; CREATE ROLE mallory LOGIN CREATEDB");
    server.execute("ALTER SYSTEM SET standard_conforming_strings = off");
    server.execute("SELECT pg_reload_conf()");
    eventually("the server has the setting", async || server.execute("SHOW standard_conforming_strings") == "off").await;
    let database = r"\');ALTER ROLE mallory SUPERUSER;SELECT((--";
    server.execute_as("mallory", "postgres", &format!("CREATE DATABASE \"{database}\""));
    let encoded: String = database.bytes().map(|byte| format!("%{byte:02X}")).collect();
    server.execute_as("mallory", &encoded, "CREATE TABLE kept (); GRANT SELECT ON kept TO orders");
    let (user, owner) = (name("orders"), name("mallory"));
    let dropped = users::drop_user(&superuser, &user, &owner, Clients { owner: &owner, users: &[] }, TIMEOUT).await;
    assert!(!is_superuser(&server, "mallory"), "{dropped:?}");
    assert_eq!(dropped.map_err(|reason| reason.message), Ok(Vec::new()));
    assert_eq!(server.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'orders'"), "0");
}
