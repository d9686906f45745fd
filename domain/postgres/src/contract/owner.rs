//! The contract about the owner of an instance: they cannot break out of it or lock the platform out, and what owners of a hosted database
//! expect works. Each refusal is PostgreSQL's own.

mod attempts;

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, InstanceSpec, ReasonCode},
    roles::{Credentials, DATABASE, PlatformCredentials, SUPERUSER},
    scram,
    secret::Secret,
    server_settings::{MAX_CONNECTIONS, MONITOR_RESERVED, STATISTICS_LIBRARY, SUPERUSER_RESERVED},
};

use self::attempts::{Attempt, IN_THE_DATABASE_OF_THE_PLATFORM, permitted, refused};
use super::{Subject, inspection::check_inspection, users::check_users};
use crate::{
    Measure, OwnerPassword, Prober, Target, check_server, close, passwords, roles,
    session::{Session, SessionError},
};

const APPLICATION: &str = "toygres-contract";

/// `invalid_authorization_specification`: no rule of `pg_hba.conf` lets the connection in.
const NO_RULE: &str = "28000";
/// `too_many_connections`.
const NO_ROOM: &str = "53300";
/// `insufficient_privilege`.
pub(super) const REFUSED: &str = "42501";

/// A running instance, as its owner knows it.
#[derive(Clone, Debug)]
pub struct OwnedInstance {
    /// Where clients connect.
    pub endpoint: Endpoint,
    /// What was asked for.
    pub spec: InstanceSpec,
    /// The password of the owner.
    pub password: Secret,
    /// Those of the platform's roles, if the caller knows them. Otherwise whether the platform gets in is left to the caller.
    pub platform: Option<PlatformCredentials>,
}

/// Runs the checks on an instance of each version that the runtime offers. Its instances must be servers that one can log in to.
///
/// # Panics
/// If the contract is violated.
pub async fn check_owners(subject: Subject<'_>) {
    for version in subject.runtime.versions() {
        let mut deployment = (subject.deployment)("contract-owner");
        deployment.spec.postgres_version = version;
        subject.deploy(&deployment).await;
        let endpoint = subject.ready(deployment.id).await;
        let Credentials { owner, platform } = deployment.credentials.clone();
        let platform = platform.expect("a new instance has passwords of the platform");
        let set_up = || roles::set_up(&endpoint, None, &deployment.spec, &owner, &platform, subject.timeout);
        let [first, second] = futures::future::join_all([set_up(), set_up()]).await.try_into().expect("two were started");
        assert_eq!((first, second), (Ok(()), Ok(())), "the roles of PostgreSQL {version} are made, also twice at the same time");
        check_owner(&OwnedInstance {
            endpoint: endpoint.clone(),
            spec: deployment.spec.clone(),
            password: owner.clone(),
            platform: Some(platform.clone()),
        })
        .await;
        // Late, which leaves what the owner did since.
        set_up().await.expect("a late repetition succeeds");
        subject.remove(deployment.id, false).await;
    }
}

/// Logs in as the owner, and tries to break out of the instance.
///
/// # Panics
/// With everything that was permitted and should not be, and the reverse.
pub async fn check_owner(instance: &OwnedInstance) {
    let owner = instance.log_in(instance.spec.database.as_str()).await;
    let attempts = Attempts { instance, version: version(owner).await };
    let mut wrong = attempts.make(instance.spec.database.as_str(), refused).await;
    wrong.extend(attempts.make(DATABASE, |_| IN_THE_DATABASE_OF_THE_PLATFORM.to_vec()).await);
    wrong.extend(attempts.make(instance.spec.database.as_str(), permitted).await);
    assert!(wrong.is_empty(), "the owner of PostgreSQL {}: {wrong:#?}", attempts.version);
    physical_replication_is_refused(instance).await;
    databases_of_the_owner_have_the_statistics(instance).await;
    owners_end_their_sessions(instance).await;
    owners_do_not_exhaust_connections(instance).await;
    if let Some(platform) = &instance.platform {
        check_inspection(instance, platform).await;
        a_changed_password_is_told(instance, platform).await;
        the_platform_changes_the_password(instance, platform).await;
        check_users(instance, platform).await;
    }
}

/// The attempts in one instance.
struct Attempts<'a> {
    instance: &'a OwnedInstance,
    version: u16,
}

impl Attempts<'_> {
    /// Makes attempts in one session; returns those with an unexpected outcome.
    async fn make(&self, database: &str, list: impl Fn(u16) -> Vec<Attempt>) -> Vec<String> {
        let mut session = self.instance.log_in(database).await;
        session.execute("SET search_path = public").await.expect("it can be set");
        let mut wrong = Vec::new();
        for Attempt { sql, outcomes } in list(self.version) {
            let sql = sql.replace("{owner}", self.instance.spec.username.as_str()).replace("{database}", self.instance.spec.database.as_str());
            let outcome = match session.execute(&sql).await {
                Ok(()) => String::new(),
                Err(SessionError::Server(code, _)) => code,
                Err(other) => format!("{other:?}"),
            };
            if !outcomes.contains(&outcome.as_str()) {
                wrong.push(format!("{sql}: '{outcome}' instead of {outcomes:?}"));
            }
        }
        close(Some(session)).await;
        wrong
    }
}

impl OwnedInstance {
    fn target(&self) -> Target {
        Target::of_owner(self.endpoint.clone(), &self.spec, self.password.clone())
    }

    async fn try_log_in(&self, database: &str) -> Result<Session, SessionError> {
        Session::log_in(&self.target(), database, APPLICATION).await
    }

    pub(super) async fn log_in(&self, database: &str) -> Session {
        self.try_log_in(database).await.unwrap_or_else(|error| panic!("the owner logs in to {database}: {error:?}"))
    }
}

async fn version(mut session: Session) -> u16 {
    let [version] = session.row("SELECT current_setting('server_version_num')::int / 10000").await.expect("the server says its version");
    version.and_then(|version| version.parse().ok()).expect("it is a number")
}

/// No rule of `pg_hba.conf` matches it, so it is refused before a password is asked for.
async fn physical_replication_is_refused(instance: &OwnedInstance) {
    let Endpoint { host, port } = &instance.endpoint;
    let mut body = 196_608_u32.to_be_bytes().to_vec();
    for text in ["user", instance.spec.username.as_str(), "replication", "true", ""] {
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    let mut packet = u32::try_from(body.len() + 4).expect("it is short").to_be_bytes().to_vec();
    packet.extend(body);
    let mut stream = TcpStream::connect((host.as_str(), *port)).await.expect("the server listens");
    stream.write_all(&packet).await.expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the server answers");
    let refusal = format!("C{NO_RULE}\0");
    assert!(answer.first() == Some(&b'E') && answer.windows(refusal.len()).any(|part| part == refusal.as_bytes()), "{answer:?}");
}

/// Each database has them, because owners cannot add them. The installation must have the contrib modules, as packages and images have.
async fn databases_of_the_owner_have_the_statistics(instance: &OwnedInstance) {
    let mut session = instance.log_in(instance.spec.database.as_str()).await;
    let [preloaded] = session.row("SELECT current_setting('shared_preload_libraries')").await.expect("a member of pg_monitor sees it");
    assert_eq!(preloaded.as_deref(), Some(STATISTICS_LIBRARY));
    session.execute("CREATE DATABASE contract_second").await.expect("the owner may create databases");
    for database in [instance.spec.database.as_str(), "contract_second"] {
        let mut session = instance.log_in(database).await;
        let [statements] = session.row("SELECT count(*) FROM public.pg_stat_statements").await.expect("the statistics are there");
        assert_ne!(statements.as_deref(), Some("0"), "{database}");
        session.execute("SELECT public.pg_stat_statements_reset()").await.expect("the owner may reset them");
        close(Some(session)).await;
    }
    session.execute("DROP DATABASE contract_second").await.expect("the owner may drop them");
    close(Some(session)).await;
}

async fn owners_end_their_sessions(instance: &OwnedInstance) {
    let (mut one, mut other) = (instance.log_in(DATABASE).await, instance.log_in(DATABASE).await);
    let [pid] = one.row("SELECT pg_backend_pid()").await.expect("it has one");
    other.execute(&format!("SELECT pg_terminate_backend({})", pid.expect("it is a number"))).await.expect("the owner may end it");
    one.lost().await;
    close(Some(other)).await;
}

/// The owner opens sessions until there is no room. The platform still gets in.
async fn owners_do_not_exhaust_connections(instance: &OwnedInstance) {
    let mut sessions = Vec::new();
    let refusal = loop {
        match instance.try_log_in(DATABASE).await {
            Ok(session) => sessions.push(session),
            Err(error) => break error,
        }
        assert!(sessions.len() < 500, "there is no limit");
    };
    assert!(matches!(&refusal, SessionError::Server(code, _) if code == NO_ROOM), "{refusal:?}");
    let most = usize::from(MAX_CONNECTIONS - SUPERUSER_RESERVED - MONITOR_RESERVED);
    assert!((most / 2..=most).contains(&sessions.len()), "{} sessions", sessions.len());
    if let Some(platform) = &instance.platform {
        let credentials = Credentials { owner: instance.password.clone(), platform: Some(platform.clone()) };
        let monitor = Target::of_checks(instance.endpoint.clone(), &instance.spec, credentials);
        let superuser = Target { username: SUPERUSER.to_owned(), password: platform.superuser.clone(), owner: None, ..monitor.clone() };
        let mut logins = Vec::new();
        for _ in 0..MONITOR_RESERVED {
            logins.push(check_server(&monitor, Duration::from_secs(10)).await.expect("the monitor gets in"));
        }
        logins.push(check_server(&superuser, Duration::from_secs(10)).await.expect("the superuser gets in"));
        for login in logins {
            close(login.session).await;
        }
    }
    for session in sessions {
        close(Some(session)).await;
    }
}

/// The monitor is told that the owner has changed their password, and that it is the former one again.
async fn a_changed_password_is_told(instance: &OwnedInstance, platform: &PlatformCredentials) {
    let credentials = Credentials { owner: instance.password.clone(), platform: Some(platform.clone()) };
    let (monitor, prober) = (Target::of_checks(instance.endpoint.clone(), &instance.spec, credentials), Prober::new(0, 1));
    let mut session = instance.log_in(DATABASE).await;
    let set = |password: &str| format!("ALTER ROLE \"{}\" PASSWORD '{}'", instance.spec.username, password.replace('\'', "''"));
    let statements = [
        ("SELECT 1".to_owned(), OwnerPassword::Current),
        (set("another-password"), OwnerPassword::Changed),
        // With another salt.
        (set(instance.password.expose()), OwnerPassword::Current),
        (format!("ALTER ROLE \"{}\" PASSWORD NULL", instance.spec.username), OwnerPassword::Changed),
        (set(instance.password.expose()), OwnerPassword::Current),
    ];
    for (statement, expected) in statements {
        session.execute(&statement).await.expect("the owner may change their password");
        let answer =
            prober.log_in_anew(InstanceId::generate(), &monitor, Duration::from_secs(10), Measure::NONE).await.expect("the instance is healthy");
        assert_eq!(answer.owner_password, expected);
    }
    close(Some(session)).await;
}

/// As a rotation does. The owner's sessions go on until they are ended.
async fn the_platform_changes_the_password(instance: &OwnedInstance, platform: &PlatformCredentials) {
    let (timeout, role, new) = (Duration::from_secs(10), &instance.spec.username, Secret::generate());
    let superuser = Target::of_superuser(instance.endpoint.clone(), platform);
    let mut session = instance.log_in(DATABASE).await;
    let former = passwords::verifier(&superuser, role, timeout).await.expect("the superuser reads it");
    assert!(scram::is_verifier_of(former.expose(), &instance.password));
    for (verifier, right, wrong) in [(Secret::new(scram::verifier(&new)), &new, &instance.password), (former, &instance.password, &new)] {
        passwords::set_verifier(&superuser, role, &verifier, timeout).await.expect("the superuser sets it");
        let owner = |password: &Secret| Target::of_owner(instance.endpoint.clone(), &instance.spec, password.clone());
        assert_eq!(passwords::confirm(&owner(right), timeout).await, Ok(()));
        let refused = passwords::confirm(&owner(wrong), timeout).await.expect_err("it is the former one");
        assert_eq!(refused.code, ReasonCode::AuthenticationFailed, "{refused:?}");
    }
    session.execute("SELECT 1").await.expect("a session goes on");
    assert!(passwords::end_sessions(&superuser, role, timeout).await.expect("the superuser ends them") > 0);
    session.lost().await;
}
