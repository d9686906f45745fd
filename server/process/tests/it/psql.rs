//! SQL of clients. Of an instance, whose owner a control plane makes, it is that of the superuser.

use std::process::{Child, Command, Output, Stdio};

use toygres_domain::{
    instance::Endpoint,
    roles::{DATABASE, SUPERUSER},
    runtime::Deployment,
    secret::Secret,
};

use crate::home::{Home, TIMEOUT};

impl Home {
    /// Runs SQL that works; what it prints.
    pub fn query(&self, deployment: &Deployment, endpoint: &Endpoint, sql: &str) -> String {
        text(self.psql(deployment, endpoint, sql))
    }

    pub fn psql(&self, deployment: &Deployment, endpoint: &Endpoint, sql: &str) -> Output {
        self.psql_command(deployment, endpoint, sql).output().unwrap()
    }

    /// A client that goes on while the test does.
    pub fn session(&self, deployment: &Deployment, endpoint: &Endpoint, sql: &str) -> Child {
        self.psql_command(deployment, endpoint, sql).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn psql_command(&self, deployment: &Deployment, endpoint: &Endpoint, sql: &str) -> Command {
        let platform = deployment.credentials.platform.as_ref().expect("a new instance has roles of the platform");
        self.command(endpoint, (SUPERUSER, DATABASE), &platform.superuser, sql)
    }

    /// Runs SQL as this role in this database.
    pub fn psql_as(&self, endpoint: &Endpoint, login: (&str, &str), password: &Secret, sql: &str) -> Output {
        self.command(endpoint, login, password, sql).output().unwrap()
    }

    fn command(&self, endpoint: &Endpoint, (role, database): (&str, &str), password: &Secret, sql: &str) -> Command {
        let (port, timeout) = (endpoint.port.to_string(), TIMEOUT.as_secs().to_string());
        let mut command = Command::new(self.binaries.newest().bin.join("psql"));
        command
            .args(["-h", &endpoint.host, "-p", &port, "-U", role, "-d", database, "-XAtqwc", sql])
            .env("PGPASSWORD", password.expose())
            .env("PGCONNECT_TIMEOUT", timeout);
        command
    }

    pub fn query_url(&self, url: &str, sql: &str) -> String {
        self.try_query_url(url, sql).expect("the query works")
    }

    pub fn try_query_url(&self, url: &str, sql: &str) -> Option<String> {
        let output = Command::new(self.binaries.newest().bin.join("psql")).args([url, "-XAtqwc", sql]).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }
}

/// What a successful psql prints.
pub fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
