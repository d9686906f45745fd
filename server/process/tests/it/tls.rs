//! TLS: what clients verify, and certificates that change while the server runs.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use toygres_certificates::{Authority, Details};
use toygres_domain::{
    certificate::ServerCertificate,
    instance::Endpoint,
    runtime::{Deployment, Runtime},
};

use crate::{
    control_plane::ControlPlane,
    home::{Home, TIMEOUT},
};

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// An authority, and the file that clients trust.
struct Trust {
    authority: Authority,
    file: PathBuf,
}

impl Trust {
    fn new(home: &Home, name: &str) -> Self {
        let (from, to) = validity();
        let authority = Authority::generate(name, from, to).unwrap();
        let file = home.data.join(&format!("{name}.pem"));
        std::fs::write(&file, authority.certificate().unwrap()).unwrap();
        Self { authority, file }
    }

    fn issue(&self) -> (ServerCertificate, Details) {
        let (from, to) = validity();
        let issued = self.authority.issue(&NAMES.map(str::to_owned), from, to).unwrap();
        (issued.certificate, issued.details)
    }
}

fn validity() -> (chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>) {
    (chrono::Utc::now() - chrono::TimeDelta::hours(1), chrono::Utc::now() + chrono::TimeDelta::days(1))
}

/// psql that verifies what the server presents; `address` is the part of the connection string that says where it is.
fn verifying(deployment: &Deployment, address: &str, trust: &Trust) -> Command {
    let platform = deployment.credentials.platform.as_ref().expect("it has roles of the platform");
    let connection = format!("{address} user=toygres dbname=postgres sslmode=verify-full sslrootcert={}", trust.file.display());
    let mut command = Command::new("psql");
    command.args([&connection, "-XAtqw"]).env("PGPASSWORD", platform.superuser.expose());
    command
}

fn version(deployment: &Deployment, address: &str, trust: &Trust) -> Output {
    let sql = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    verifying(deployment, address, trust).args(["-c", sql]).output().unwrap()
}

async fn presented(endpoint: &Endpoint) -> String {
    let der = toygres_postgres::presented_certificate(endpoint, Duration::from_secs(5)).await.unwrap().expect("it speaks TLS");
    Details::of_der(&der).unwrap().fingerprint
}

#[tokio::test]
async fn clients_verify_the_servers_of_all_versions() {
    let home = Home::with_every_version();
    let plane = home.host();
    let (trust, other) = (Trust::new(&home, "trusted"), Trust::new(&home, "other"));
    for postgres_version in home.binaries.versions() {
        let mut deployment = Deployment { certificate: trust.issue().0, ..home.deployment(&format!("secure-{postgres_version}")) };
        deployment.spec.postgres_version = postgres_version;
        let port = plane.deploy(&deployment).await.port;
        for host in ["localhost", "127.0.0.1"] {
            let output = version(&deployment, &format!("host={host} port={port}"), &trust);
            assert_eq!(String::from_utf8_lossy(&output.stdout), "TLSv1.3\n", "{}", String::from_utf8_lossy(&output.stderr));
        }
        let refusal = |address: &str, trust: &Trust| {
            let output = version(&deployment, &format!("{address} port={port}"), trust);
            assert!(!output.status.success(), "{address}");
            String::from_utf8_lossy(&output.stderr).into_owned()
        };
        let wrong_name = refusal("host=db.example.com hostaddr=127.0.0.1", &trust);
        assert!(wrong_name.contains("does not match host name \"db.example.com\""), "{wrong_name}");
        let wrong_authority = refusal("host=localhost", &other);
        assert!(wrong_authority.contains("certificate verify failed"), "{wrong_authority}");

        let file = home.instance(deployment.id).join("server.pem").metadata().unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        assert_eq!(file.uid(), home.instance(deployment.id).join("data").metadata().unwrap().uid(), "the server can read it");
    }
    plane.stop().await;
}

#[tokio::test]
async fn a_renewed_certificate_needs_no_restart() {
    let home = Home::with_every_version();
    let plane = home.host();
    for postgres_version in home.binaries.versions() {
        let mut deployment = home.deployment(&format!("renewed-{postgres_version}"));
        deployment.spec.postgres_version = postgres_version;
        check_renewal(&home, &plane, deployment).await;
    }
    plane.stop().await;
}

async fn check_renewal(home: &Home, plane: &ControlPlane, mut deployment: Deployment) {
    let (former, next) = (Trust::new(home, "former"), Trust::new(home, "next"));
    deployment.certificate = former.issue().0;
    let endpoint = plane.deploy(&deployment).await;
    let address = format!("host=localhost port={}", endpoint.port);
    let server = home.pid(deployment.id);

    let mut session = verifying(&deployment, &address, &former).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut lines) = (session.stdin.take().unwrap(), BufReader::new(session.stdout.take().unwrap()).lines());
    let mut ask = |sql: &str| {
        writeln!(input, "{sql};").unwrap();
        lines.next().unwrap().unwrap()
    };
    let backend = ask("SELECT pg_backend_pid()");

    let (certificate, details) = next.issue();
    deployment.certificate = certificate;
    plane.runtime.install_tls(&deployment).await.unwrap();
    let deadline = Instant::now() + TIMEOUT;
    while presented(&endpoint).await != details.fingerprint {
        assert!(Instant::now() < deadline, "the server presents the new certificate");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ask("SELECT pg_backend_pid()"), backend, "the session stays");
    assert_eq!(home.pid(deployment.id), server, "the server was not restarted");
    assert!(version(&deployment, &address, &next).status.success());
    assert!(!version(&deployment, &address, &former).status.success(), "a new session sees the new certificate");
    drop(input);
    session.wait().unwrap();
}

#[tokio::test]
async fn a_certificate_that_somebody_deleted_is_put_back() {
    let home = Home::new();
    let plane = home.host();
    let deployment = home.deployment("deleted");
    let endpoint = plane.deploy(&deployment).await;
    let before = presented(&endpoint).await;
    std::fs::remove_file(home.instance(deployment.id).join("server.pem")).unwrap();
    let repaired = plane.runtime.repair(&deployment).await.unwrap();
    assert_eq!(repaired.iter().map(ToString::to_string).collect::<Vec<_>>(), ["the file server.pem was deleted"]);
    assert_eq!(presented(&endpoint).await, before);
    assert!(plane.runtime.repair(&deployment).await.unwrap().is_empty());
    plane.stop().await;
}
