//! The servers that are checked: each is the server of many instances.

use std::{
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use toygres_certificates::{Authority, IssuedCertificate};
use toygres_domain::{
    InstanceId,
    instance::Endpoint,
    roles::{MONITOR, PlatformCredentials},
    secret::Secret,
};
use toygres_postgres::roles;
use toygres_store::{InstanceCertificate, NewAuthority, Store};
use toygres_workflows::certificates::new_authority;

use super::{
    instances::spec,
    support::{Database, psql},
};

/// The password of every owner.
pub const OWNER_PASSWORD: &str = "app-password";
/// The port of every Service.
pub const PORT: u16 = 5432;

/// An authority, and a certificate of it that the servers present for all of their instances.
pub struct Certificates {
    pub authority: NewAuthority,
    issued: IssuedCertificate,
}

impl Certificates {
    pub fn make() -> Self {
        let authority = new_authority(chrono::Utc::now()).expect("an authority can be made");
        let key = authority.key.as_ref().expect("an authority of the control plane has its key");
        let issuer = Authority::read(&authority.certificate, key).expect("it is one");
        let names = ["*.toygres.internal", "localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let issued = issuer.issue(&names, authority.not_before, authority.not_before + chrono::TimeDelta::days(90)).expect("it can issue");
        Self { authority, issued }
    }

    /// What the servers present.
    pub fn of_server(&self) -> toygres_domain::certificate::ServerCertificate {
        self.issued.certificate.clone()
    }

    /// Records that an instance has the certificate for these names, and that its server was seen to present it.
    pub async fn record(&self, store: &Store, id: InstanceId, names: Vec<String>) {
        let authority = store.authorities().await.expect("the metadata answers")[0].id;
        let details = &self.issued.details;
        let certificate = InstanceCertificate {
            authority,
            fingerprint: details.fingerprint.clone(),
            names,
            not_before: details.not_before,
            not_after: details.not_after,
            presented: None,
            requires_tls: None,
        };
        store.save_certificate(id, &self.issued.certificate, &certificate).await.expect("it can be stored");
        store.record_presented(id, &details.fingerprint).await.expect("it can be recorded");
        store.record_requires_tls(id, false).await.expect("it can be recorded");
    }
}

/// A PostgreSQL server with a pool of connections before it, so that a kept connection of each instance needs no process of PostgreSQL.
/// Dropping it stops both.
pub struct Hosted {
    pool: Child,
    _server: Database,
    /// Where the instances are.
    pub endpoint: Endpoint,
    /// The passwords of the platform's roles in it.
    pub platform: PlatformCredentials,
}

impl Hosted {
    /// The `number`th server.
    pub async fn start(number: usize, certificates: &Certificates) -> Self {
        let server = Database::start();
        psql(&server.url(), "CREATE ROLE toygres SUPERUSER LOGIN").await.expect("roles can be made");
        psql(&server.url(), "ALTER SYSTEM SET password_encryption = 'scram-sha-256'").await.expect("it can be set");
        // Only the bench itself logs in without a password.
        let rules = "host all postgres,toygres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        std::fs::write(server.file("pg_hba.conf"), rules).expect("the rules can be changed");
        server.halt();
        server.resume();
        let direct = Endpoint { host: "127.0.0.1".to_owned(), port: server.port() };
        let (password, platform) = (Secret::new(OWNER_PASSWORD.to_owned()), PlatformCredentials::generate());
        roles::set_up(&direct, None, &spec(30), &password, &platform, Duration::from_secs(30)).await.expect("the roles can be made");
        let endpoint = Endpoint { host: address(number), port: PORT };
        let pool = start_pool(&server, &endpoint, certificates).await;
        Self { pool, _server: server, endpoint, platform }
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.pool.kill();
        let _ = self.pool.wait();
    }
}

/// An address of this machine that no other bench has.
fn address(number: usize) -> String {
    let process = std::process::id();
    format!("127.{}.{}.{}", 32 + process % 32, process / 32 % 256, number + 1)
}

/// Starts PgBouncer, and waits until it answers. A login to it is one to the server: TLS, and SCRAM with the verifier of the server.
async fn start_pool(server: &Database, endpoint: &Endpoint, certificates: &Certificates) -> Child {
    let verifier = format!("SELECT rolpassword FROM pg_authid WHERE rolname = '{MONITOR}'");
    let verifier = psql(&server.url(), &verifier).await.expect("the monitor has a password");
    let users = write_private(server, "pool-users", &format!("\"{MONITOR}\" \"{}\"\n", verifier.trim()));
    let certificate = certificates.of_server();
    let pem = write_private(server, "pool.pem", &format!("{}{}", certificate.chain, certificate.key.expose()));
    let settings = format!(
        "[databases]\n\
         * = host=127.0.0.1 port={}\n\
         [pgbouncer]\n\
         listen_addr = {}\n\
         listen_port = {}\n\
         unix_socket_dir =\n\
         auth_type = scram-sha-256\n\
         auth_file = {}\n\
         pool_mode = transaction\n\
         default_pool_size = 8\n\
         max_client_conn = 15000\n\
         client_tls_sslmode = allow\n\
         client_tls_cert_file = {pem}\n\
         client_tls_key_file = {pem}\n\
         ignore_startup_parameters = options\n\
         log_connections = 0\n\
         log_disconnections = 0\n\
         logfile = {}\n",
        server.port(),
        endpoint.host,
        endpoint.port,
        users.display(),
        server.file("pool.log").display(),
        pem = pem.display(),
    );
    let settings = write_private(server, "pool.ini", &settings);
    let mut command = Command::new("pgbouncer");
    command.arg("-q").arg(settings).current_dir("/tmp").stdout(Stdio::null()).stderr(Stdio::null());
    let owner = std::fs::metadata(server.file("PG_VERSION")).expect("there is a data directory");
    if nix::unistd::geteuid().is_root() {
        // It does not run as root.
        command.uid(owner.uid()).gid(owner.gid());
    }
    let pool = command.spawn().expect("PgBouncer is installed");
    let begun = Instant::now();
    while tokio::net::TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await.is_err() {
        let log = std::fs::read_to_string(server.file("pool.log")).unwrap_or_default();
        assert!(begun.elapsed() < Duration::from_secs(10), "PgBouncer does not listen:\n{log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    pool
}

/// Writes a file of a server that nobody else may read.
fn write_private(database: &Database, name: &str, text: &str) -> PathBuf {
    let path = database.file(name);
    std::fs::write(&path, text).expect("it can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode can be set");
    let owner = std::fs::metadata(database.file("PG_VERSION")).expect("there is a data directory");
    std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid())).expect("its owner can be set");
    path
}
