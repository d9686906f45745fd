//! PostGraphile on the same table. A separate trigger notifies it with the whole change as the payload, which it forwards to the
//! subscribers: its fastest method. Changes while a subscriber is disconnected are lost.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::support::{TIMEOUT, cpu_of, memory_of};

/// A subscription with the same content as ours.
pub const DOCUMENT: &str = "subscription { instanceChanges { cursor type instance { id state health } } }";

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/postgraphile");

pub struct Peer {
    process: Child,
    pub address: String,
}

impl Peer {
    /// Whether `scripts/bench` could install it, or the reason why not.
    pub fn installed() -> Result<(), String> {
        match std::env::var("PEER_MISSING") {
            Ok(reason) => Err(reason),
            Err(_) if !std::path::Path::new(DIR).join("node_modules/postgraphile").exists() => Err("scripts/bench fetches it".into()),
            Err(_) => Ok(()),
        }
    }

    pub async fn start(database_url: &str) -> Self {
        let mut command = Command::new("node");
        command.arg("serve.mjs").current_dir(DIR).kill_on_drop(true).stdout(Stdio::piped());
        command.env("DATABASE_URL", database_url).env("NODE_ENV", "production").env("GRAPHILE_ENV", "production");
        let mut process = command.spawn().expect("scripts/bench puts a Node.js on the path");
        let stdout = process.stdout.take().expect("it is piped");
        let line = tokio::time::timeout(TIMEOUT, BufReader::new(stdout).lines().next_line()).await;
        let port = line.expect("it starts in time").expect("its output can be read").expect("it says its port");
        Self { process, address: format!("127.0.0.1:{port}") }
    }

    pub fn cpu(&self) -> Duration {
        cpu_of(self.pid())
    }

    pub fn memory(&self) -> u64 {
        memory_of(self.pid())
    }

    pub async fn stop(mut self) {
        self.process.kill().await.expect("it can be killed");
    }

    fn pid(&self) -> u32 {
        self.process.id().expect("it runs")
    }
}

/// Makes writes notify PostGraphile instead of our server.
pub async fn take_over(writer: &tokio_postgres::Client) {
    let sql = "CREATE SCHEMA peer;
        CREATE SEQUENCE peer.changes;
        CREATE FUNCTION peer.notify() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_notify('peer_changes', json_build_object('cursor', nextval('peer.changes')::text, 'type', 'HEALTH_CHANGED',
                'instance', json_build_object('id', NEW.id, 'state', upper(NEW.state), 'health', upper(NEW.health_status)))::text);
            RETURN NULL;
        END $$;
        CREATE TRIGGER peer_changes AFTER UPDATE ON toygres.instances FOR EACH ROW EXECUTE FUNCTION peer.notify();
        ALTER TABLE toygres.instances DISABLE TRIGGER instances_event";
    writer.batch_execute(sql).await.expect("the database is ours");
}

/// The number of the last change.
pub async fn head(writer: &tokio_postgres::Client) -> u64 {
    let row = writer.query_one("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM peer.changes", &[]).await.expect("the sequence is there");
    u64::try_from(row.get::<_, i64>(0)).expect("positive")
}
