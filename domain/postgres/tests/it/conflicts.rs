//! Transactions of clients that are in the way of what the platform changes.

use std::{
    io::Write as _,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use toygres_domain::{name::SqlName, scram, secret::Secret};
use toygres_postgres::{
    Target, passwords,
    users::{self, Clients},
};

use crate::server::{Server, eventually, program};

/// Longer than a client takes to commit.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A client with an open transaction. It is ended when this is dropped.
struct Transaction {
    client: Child,
    input: ChildStdin,
}

impl Transaction {
    /// Begins it in the database `postgres`, and waits until its statement is done.
    async fn begin(server: &Server, target: &Target, statement: &str) -> Self {
        let url = format!("postgres://app:right@127.0.0.1:{}/postgres?application_name=client", target.endpoint.port);
        let mut command = Command::new(program("psql"));
        command.args(["-XAtq", "-d", &url]).current_dir("/tmp").stdin(Stdio::piped()).stdout(Stdio::null());
        let mut client = command.spawn().unwrap();
        let mut input = client.stdin.take().unwrap();
        writeln!(input, "BEGIN; {statement};").unwrap();
        let transaction = Self { client, input };
        eventually("the client has changed something", async || is_open(server)).await;
        transaction
    }

    /// Commits it when somebody waits for it.
    async fn commit(mut self, server: &Server) {
        eventually("the platform waits for the client", async || {
            server.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "1"
        })
        .await;
        writeln!(self.input, "COMMIT;").unwrap();
        eventually("the client has committed", async || !is_open(server)).await;
    }
}

fn is_open(server: &Server) -> bool {
    server.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'client' AND state = 'idle in transaction'") == "1"
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

fn name(text: &str) -> SqlName {
    text.to_owned().try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_same_role_by_a_client_is_waited_for() {
    let (server, superuser) = Server::start().await;
    server.execute("ALTER ROLE app SUPERUSER; CREATE ROLE orders LOGIN");
    let role = name("orders");
    let verifier = Secret::new(scram::verifier(&Secret::generate()));
    let client = Transaction::begin(&server, &superuser, "ALTER ROLE orders CONNECTION LIMIT 7").await;
    let (set, ()) = tokio::join!(passwords::set_verifier(&superuser, &role, &verifier, TIMEOUT), client.commit(&server));
    assert_eq!(set.map_err(|reason| reason.message), Ok(()));
    let stored = server.execute("SELECT rolpassword, rolconnlimit FROM pg_authid WHERE rolname = 'orders'");
    assert_eq!(stored, format!("{}|7", verifier.expose()), "both changes are there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_dropped_while_a_client_grants() {
    let (server, superuser) = Server::start().await;
    server.execute("ALTER ROLE app SUPERUSER; CREATE ROLE orders LOGIN; CREATE ROLE heir LOGIN; GRANT CONNECT ON DATABASE postgres TO orders");
    server.execute("CREATE TABLE public.kept (); ALTER TABLE public.kept OWNER TO orders");
    let (user, heir) = (name("orders"), name("heir"));
    let client = Transaction::begin(&server, &superuser, "GRANT TEMPORARY ON DATABASE postgres TO heir").await;
    let clients = Clients { owner: &heir, users: &[] };
    let (dropped, ()) = tokio::join!(users::drop_user(&superuser, &user, &heir, clients, TIMEOUT), client.commit(&server));
    assert_eq!(dropped.map_err(|reason| reason.message), Ok(vec!["reassigned to heir in postgres: 1".to_owned()]));
    assert_eq!(server.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'orders'"), "0");
}
