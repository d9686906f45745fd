//! The contract of every runtime.

use std::{process::Child, time::Duration};

use async_trait::async_trait;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use toygres_domain::{InstanceId, instance::Endpoint, runtime::Deployment};
use toygres_postgres::contract::{self, Hooks, Loss, Session, Subject};

use crate::home::{Home, TIMEOUT};

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract() {
    let home = Home::new();
    let host = home.host();
    let deployment = |name: &str| home.deployment(name);
    let subject = Subject { runtime: &host.runtime, deployment: &deployment, hooks: &home, timeout: TIMEOUT };
    contract::check_all(subject).await;
    host.stop().await;
    assert_eq!(home.names_in("instances"), Vec::<String>::new(), "nothing is left, locks included");
    assert_eq!(home.names_in("kept").len(), 2);
}

#[async_trait]
impl Hooks for Home {
    async fn leave_half_deployed(&self, deployment: &Deployment) {
        // What a copy leaves that was killed, and a lock that nobody holds; renamed into place, as the supervisor clears it away.
        let elsewhere = self.data.join(&format!("half-{}", deployment.id));
        std::fs::create_dir_all(elsewhere.join("data/global")).unwrap();
        std::fs::write(elsewhere.join("data/PG_VERSION"), "15\n").unwrap();
        std::fs::rename(elsewhere, self.data.join("instances").join(format!(".staging-{}", deployment.id))).unwrap();
        std::fs::write(self.data.join("instances").join(format!("{}.lock", deployment.id)), "").unwrap();
    }

    async fn leave_mark(&self, deployment: &Deployment, endpoint: &Endpoint) -> bool {
        self.query(deployment, endpoint, "CREATE TABLE mark ()");
        true
    }

    async fn has_mark(&self, deployment: &Deployment, endpoint: &Endpoint) -> bool {
        self.query(deployment, endpoint, "SELECT count(*) FROM pg_tables WHERE tablename = 'mark'") == "1"
    }

    async fn residue(&self, id: InstanceId) -> Vec<String> {
        let id = id.to_string();
        let files = self.names_in("instances").into_iter().filter(|name| name.contains(&id));
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
            let line = String::from_utf8_lossy(&std::fs::read(entry.path().join("cmdline")).ok()?).replace('\0', " ");
            line.contains(&id).then_some(line)
        });
        files.chain(processes).collect()
    }

    async fn server_start_time(&self, deployment: &Deployment, endpoint: &Endpoint) -> Option<String> {
        Some(self.query(deployment, endpoint, "SELECT pg_postmaster_start_time()"))
    }

    async fn open_session(&self, deployment: &Deployment, endpoint: &Endpoint) -> Option<Session> {
        let session = Client(self.session(deployment, endpoint, "SELECT pg_sleep(600)"));
        let running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'";
        self.until("the session runs its query", || self.query(deployment, endpoint, running) == "1").await;
        Some(Box::new(session))
    }

    async fn lose_data(&self, id: InstanceId, loss: Loss) -> bool {
        let home = self.instance(id);
        let (lost, pid) = (self.data.join(&format!("lost-{id}")), self.pid(id).unwrap());
        match loss {
            Loss::Removed => std::fs::rename(&home, &lost).unwrap(),
            Loss::Emptied => {
                std::fs::rename(home.join("data"), &lost).unwrap();
                std::fs::create_dir(home.join("data")).unwrap();
            }
        }
        kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
        std::fs::remove_dir_all(lost).unwrap();
        true
    }

    async fn kill_server(&self, id: InstanceId) -> bool {
        self.signal_instance(id, Signal::SIGKILL);
        true
    }

    async fn suspend_server(&self, id: InstanceId) -> bool {
        self.signal_instance(id, Signal::SIGSTOP);
        // Until it is stopped it may still take the signals of a shutdown.
        let pid = self.pid(id).unwrap();
        while !std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().contains(") T ") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        true
    }
}

/// A psql that ends with the test.
struct Client(Child);

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
