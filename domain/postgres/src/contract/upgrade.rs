//! The contract of [`Runtime::upgrade`](toygres_domain::runtime::Runtime::upgrade) and
//! [`Runtime::revert_upgrade`](toygres_domain::runtime::Runtime::revert_upgrade).

use std::time::{Duration, Instant};

use toygres_domain::{
    OperationId,
    data::Data,
    drift::Expected,
    instance::{Endpoint, InstanceSpec, PostgresVersion, ReasonCode},
    operation::OperationKind,
    roles::{DATABASE, PlatformCredentials},
    runtime::{Deployment, Observation, Progress, RuntimeError},
    upgrade::Upgrade,
};

use super::{
    Subject,
    restart::{assert_no_death, restart},
};
use crate::{Target, passwords, roles, session::Session};

/// Runs the checks with an upgrade from one version to another. Its instances must be servers that one can log in to.
///
/// # Panics
/// If the contract is violated.
pub async fn check_upgrades(subject: Subject<'_>, from: PostgresVersion, to: PostgresVersion) {
    assert_eq!(subject.runtime.upgrades(from, to), Ok(()));
    the_data_is_upgraded_and_there_is_a_way_back(subject, from, to).await;
    what_cannot_be_upgraded_says_why_and_stays(subject, from, to).await;
    what_is_not_deployed_is_not_upgraded(subject, from, to).await;
}

/// The checksum of the numbers from 1 to 1000, separated by commas.
const KEPT: &str = "feb66358dabff315c143aa14dcefd4c0";

/// A check changes nothing. After an upgrade the data is of the new version, and until it is confirmed nobody but the platform gets in, and it
/// can be reverted; what the owner has is there in any case.
async fn the_data_is_upgraded_and_there_is_a_way_back(subject: Subject<'_>, from: PostgresVersion, to: PostgresVersion) {
    let instance = Instance::new(subject, "contract-upgrade", from).await;
    instance.execute("CREATE TABLE public.kept AS SELECT n FROM generate_series(1, 1000) AS n").await;
    let mut nudges = subject.runtime.nudges();
    let is_intact = async |version: PostgresVersion| {
        let checksum = "md5(string_agg(n::text, ',' ORDER BY n))";
        let answer = instance.ask(&format!("SELECT {checksum} || ' ' || current_setting('server_version_num')::int / 10000 FROM public.kept")).await;
        assert_eq!(answer, format!("{KEPT} {version}"));
    };

    let check = upgrade(&instance.former, 2, to, true);
    instance.until_upgraded(&check).await;
    is_intact(from).await;
    assert_eq!(subject.runtime.upgrade(&instance.former, &check).await, Ok(Progress::Done), "it is checked once");
    is_intact(from).await;
    assert!(instance.lets_the_owner_in().await);

    let first = upgrade(&instance.former, 3, to, false);
    instance.until_upgraded(&first).await;
    assert_eq!(subject.runtime.upgrade(&instance.new, &first).await, Ok(Progress::Done), "there is nothing to do");
    subject.deploy(&Deployment { closed: true, ..instance.new.clone() }).await;
    is_intact(to).await;
    assert!(!instance.lets_the_owner_in().await, "nobody but the platform gets in before it is confirmed");
    instance.execute("DROP TABLE public.kept").await;

    for _ in 0..2 {
        instance.until_reverted(&first).await;
        is_intact(from).await;
    }
    assert!(instance.lets_the_owner_in().await);
    assert_eq!(subject.runtime.inspect(&[Expected::from(&instance.former)]).await, Ok(Vec::new()), "it is what it was");

    let second = upgrade(&instance.former, 4, to, false);
    instance.until_upgraded(&second).await;
    subject.deploy(&Deployment { closed: true, ..instance.new.clone() }).await;
    is_intact(to).await;
    subject.deploy(&instance.new).await;
    subject.restart(instance.new.id, &restart(instance.new.id, 5, subject.timeout)).await;
    is_intact(to).await;
    assert!(instance.lets_the_owner_in().await);
    assert_eq!(subject.runtime.inspect(&[Expected::from(&instance.new)]).await, Ok(Vec::new()), "it is what is expected from now on");
    assert_no_death(&mut nudges, instance.new.id).await;
    subject.remove(instance.new.id, false).await;
}

/// `pg_upgrade` refuses it, for example, if a library is missing in the new version, and is quoted. An instance that is removed in the middle of
/// an upgrade leaves nothing.
async fn what_cannot_be_upgraded_says_why_and_stays(subject: Subject<'_>, from: PostgresVersion, to: PostgresVersion) {
    let instance = Instance::new(subject, "contract-refused", from).await;
    instance.execute("CREATE TABLE public.kept AS SELECT 1 AS n").await;
    // A library that the new version cannot load.
    instance.execute("CREATE FUNCTION public.gone() RETURNS int LANGUAGE c AS 'plpgsql', 'plpgsql_call_handler'").await;
    instance.execute("UPDATE pg_proc SET probin = '$libdir/not_there' WHERE proname = 'gone'").await;
    let refused = upgrade(&instance.former, 2, to, false);
    let error = instance.failure(&refused).await;
    assert_eq!((error.reason.code, error.retryable), (ReasonCode::NotUpgradable, false), "{error:?}");
    assert!(error.reason.message.contains("not_there"), "pg_upgrade is quoted: {error:?}");
    instance.until_reverted(&refused).await;
    assert_eq!(instance.ask("SELECT count(*) FROM public.kept").await, "1");

    let removed = upgrade(&instance.former, 3, to, false);
    for _ in 0..3 {
        let progress = subject.runtime.upgrade(&instance.new, &removed).await;
        assert!(progress.as_ref().err().is_none_or(|error| error.retryable), "{progress:?}");
    }
    subject.remove(instance.former.id, false).await;
}

/// An upgrade of an absent instance is a permanent error, and creates nothing.
async fn what_is_not_deployed_is_not_upgraded(subject: Subject<'_>, from: PostgresVersion, to: PostgresVersion) {
    let mut deployment = Deployment { data: Data::Existing(None), ..(subject.deployment)("contract-absent") };
    deployment.spec.postgres_version = from;
    let error = subject.runtime.upgrade(&deployment, &upgrade(&deployment, 2, to, false)).await.expect_err("there is nothing to upgrade");
    assert_eq!((error.reason.code, error.retryable), (ReasonCode::DataLost, false), "{error:?}");
    assert_eq!(subject.runtime.observe(deployment.id).await, Ok(Observation::Absent));
    subject.assert_no_residue(deployment.id).await;
}

fn upgrade(former: &Deployment, n: i64, to: PostgresVersion, check_only: bool) -> Upgrade {
    let operation = OperationId::new(OperationKind::Upgrade, former.id, n);
    Upgrade { operation, from: former.spec.postgres_version, to, check_only, timeout: Duration::from_secs(60) }
}

/// An instance that has run, with its roles.
struct Instance<'a> {
    subject: Subject<'a>,
    former: Deployment,
    /// As it is deployed after the upgrade.
    new: Deployment,
    platform: PlatformCredentials,
}

impl<'a> Instance<'a> {
    async fn new(subject: Subject<'a>, name: &str, from: PostgresVersion) -> Self {
        let mut former = (subject.deployment)(name);
        former.spec.postgres_version = from;
        subject.deploy(&former).await;
        let endpoint = subject.ready(former.id).await;
        let platform = former.credentials.platform.clone().expect("a new instance has passwords of the platform");
        roles::set_up(&endpoint, None, &former.spec, &former.credentials.owner, &platform, subject.timeout).await.expect("the roles are made");
        former.data = Data::Existing(subject.runtime.volume(former.id).await.expect("the volume is known"));
        subject.deploy(&former).await;
        let to = subject.runtime.versions()[0];
        let new = Deployment { spec: InstanceSpec { postgres_version: to, ..former.spec.clone() }, ..former.clone() };
        Self { subject, former, new, platform }
    }

    async fn endpoint(&self) -> Endpoint {
        self.subject.ready(self.former.id).await
    }

    async fn session(&self) -> Session {
        let target = Target::of_superuser(self.endpoint().await, &self.platform);
        Session::log_in(&target, DATABASE, "contract").await.expect("the superuser gets in")
    }

    async fn ask(&self, query: &str) -> String {
        let [answer] = self.session().await.row(query).await.expect("the query works");
        answer.unwrap_or_default()
    }

    async fn execute(&self, statements: &str) {
        self.session().await.execute(statements).await.expect("the statements work");
    }

    async fn lets_the_owner_in(&self) -> bool {
        let target = Target::of_owner(self.endpoint().await, &self.former.spec, self.former.credentials.owner.clone());
        passwords::confirm(&target, self.subject.timeout).await.is_ok()
    }

    async fn step(&self, upgrade: &Upgrade) -> Result<Progress, RuntimeError> {
        let deployment = if upgrade.check_only { &self.former } else { &self.new };
        self.subject.runtime.upgrade(deployment, upgrade).await
    }

    async fn until_upgraded(&self, upgrade: &Upgrade) {
        self.until("upgraded", async || self.step(upgrade).await).await.expect("it is upgraded");
    }

    async fn failure(&self, upgrade: &Upgrade) -> RuntimeError {
        self.until("refused", async || self.step(upgrade).await).await.expect_err("it is refused")
    }

    async fn until_reverted(&self, upgrade: &Upgrade) {
        self.until("reverted", async || self.subject.runtime.revert_upgrade(&self.former, upgrade).await).await.expect("it is reverted");
    }

    /// Repeats a verb until it is done, or fails for good.
    async fn until(&self, what: &str, verb: impl AsyncFn() -> Result<Progress, RuntimeError>) -> Result<(), RuntimeError> {
        let deadline = Instant::now() + self.subject.timeout;
        loop {
            let reason = match verb().await {
                Ok(Progress::Done) => return Ok(()),
                Ok(Progress::InProgress(reason)) => reason,
                Err(error) if error.retryable => error.reason,
                Err(error) => return Err(error),
            };
            assert!(!reason.message.is_empty(), "a reason says something");
            assert!(Instant::now() < deadline, "not {what} in {:?}: {reason:?}", self.subject.timeout);
            self.subject.hooks.advance(self.former.id).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
