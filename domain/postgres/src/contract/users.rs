//! The contract about users and databases besides those that an instance is created with.

use std::time::Duration;

use toygres_domain::{
    database_user::DatabaseAccess,
    instance::{InstanceSpec, PostgresVersion, ReasonCode},
    name::SqlName,
    roles::{DATABASE, MONITOR, PlatformCredentials},
    scram,
    secret::Secret,
    server_settings::{MAX_CONNECTIONS, MONITOR_RESERVED, SUPERUSER_RESERVED},
};

use super::owner::{OwnedInstance, REFUSED};
use crate::{
    Target,
    clients::{self, Clients},
    close,
    configuration::{self, ConfigurationStatus},
    databases::{self, Presence},
    passwords, roles,
    session::{Session, SessionError},
    users::{self, NewUser},
};

const TIMEOUT: Duration = Duration::from_secs(30);

/// In the order in which they are made.
const USERS: [&str; 4] = ["contract_reports", "contract_writer", "contract_second", "contract_builder"];

/// What a user who only reads tries. `{owner}` is replaced.
const WRITES: [&str; 18] = [
    "INSERT INTO kept VALUES (2)",
    "UPDATE kept SET a = 2",
    "DELETE FROM kept",
    "TRUNCATE kept",
    "DROP TABLE kept",
    "ALTER TABLE kept ADD b int",
    "SELECT nextval('counter')",
    "CREATE TABLE public.mine (a int)",
    "CREATE SCHEMA mine",
    "CREATE DATABASE mine",
    "CREATE ROLE mine",
    "GRANT pg_read_all_data TO contract_reports",
    "GRANT \"{owner}\" TO contract_reports",
    "SET ROLE \"{owner}\"",
    "ALTER ROLE contract_reports CREATEDB",
    "ALTER ROLE contract_reports CONNECTION LIMIT -1",
    "ALTER DEFAULT PRIVILEGES FOR ROLE \"{owner}\" GRANT INSERT ON TABLES TO contract_reports",
    "SELECT pg_read_file('PG_VERSION')",
];

/// What a user who reads and writes is refused.
const CHANGES: &[&str] = &[
    "CREATE TABLE public.other (a int)",
    "CREATE SCHEMA other",
    "ALTER TABLE numbered ADD c int",
    "DROP TABLE numbered",
    "TRUNCATE numbered",
    "CREATE INDEX ON numbered (a)",
    "ALTER TABLE afterwards.made OWNER TO contract_writer",
    "SET ROLE \"{owner}\"",
    "ALTER ROLE contract_writer CREATEDB",
    "CREATE ROLE other",
    "CREATE DATABASE other",
    "SELECT pg_read_file('PG_VERSION')",
];

/// Makes users and databases, and drops them again.
pub(super) async fn check_users(instance: &OwnedInstance, platform: &PlatformCredentials) {
    let these = Users { instance, superuser: Target::of_superuser(instance.endpoint.clone(), platform) };
    these.a_user_who_reads_cannot_write().await;
    these.a_user_who_writes_changes_rows_alone().await;
    these.an_owner_acts_as_the_owner().await;
    these.a_user_may_own_a_database().await;
    these.connections_are_shared().await;
    these.roles_follow_their_server().await;
    these.a_user_of_a_copy_gets_a_password().await;
    these.what_is_dropped_is_gone().await;
}

struct Users<'a> {
    instance: &'a OwnedInstance,
    superuser: Target,
}

impl Users<'_> {
    async fn a_user_who_reads_cannot_write(&self) {
        let mut owner = self.owner(self.database()).await;
        owner.execute("CREATE TABLE kept (a int); INSERT INTO kept VALUES (1); CREATE SEQUENCE counter").await.expect("the owner makes a table");
        let password = self.create("contract_reports", DatabaseAccess::ReadOnly, true).await;
        owner.execute("CREATE SCHEMA later; CREATE TABLE later.made (a int); CREATE VIEW seen AS TABLE kept").await.expect("and more");
        let mut reports = self.log_in("contract_reports", &password, self.database()).await.expect("the user logs in");
        for query in ["SELECT a FROM kept", "SELECT count(*) FROM later.made", "SELECT a FROM seen", "SELECT last_value FROM counter"] {
            let [_] = reports.row(query).await.unwrap_or_else(|error| panic!("{query}: {error:?}"));
        }
        for statement in WRITES {
            let statement = statement.replace("{owner}", self.instance.spec.username.as_str());
            let outcome = reports.execute(&statement).await;
            assert!(matches!(&outcome, Err(SessionError::Server(code, _)) if code == REFUSED), "{statement}: {outcome:?}");
        }
        close(Some(reports)).await;
        close(Some(owner)).await;
        // In another database there is nothing to read.
        let mut elsewhere = self.log_in("contract_reports", &password, DATABASE).await.expect("everybody may connect");
        assert!(elsewhere.execute("CREATE TABLE public.mine (a int)").await.is_err());
        close(Some(elsewhere)).await;
    }

    async fn a_user_who_writes_changes_rows_alone(&self) {
        let mut owner = self.owner(self.database()).await;
        owner.execute("CREATE TABLE numbered (n serial, a int)").await.expect("the owner makes a table");
        let password = self.create("contract_writer", DatabaseAccess::ReadWrite, true).await;
        owner.execute("CREATE SCHEMA afterwards; CREATE TABLE afterwards.made (n bigserial, a int)").await.expect("and another one later");
        let mut writer = self.log_in("contract_writer", &password, self.database()).await.expect("the user logs in");
        for table in ["numbered", "afterwards.made"] {
            let rows = format!("INSERT INTO {table} (a) VALUES (1), (2); UPDATE {table} SET a = 3 WHERE a = 1; DELETE FROM {table} WHERE a = 2");
            writer.execute(&rows).await.unwrap_or_else(|error| panic!("{table}: {error:?}"));
            let [row] = writer.row(&format!("SELECT n || ' ' || a FROM {table}")).await.expect("the user reads");
            assert_eq!(row.as_deref(), Some("1 3"), "{table}");
        }
        writer.execute("CREATE TEMPORARY TABLE mine (a int)").await.expect("it is gone with the session");
        for statement in CHANGES {
            let statement = statement.replace("{owner}", self.instance.spec.username.as_str());
            let outcome = writer.execute(&statement).await;
            assert!(matches!(&outcome, Err(SessionError::Server(code, _)) if code == REFUSED), "{statement}: {outcome:?}");
        }
        close(Some(writer)).await;
        owner.execute("DROP SCHEMA afterwards CASCADE; DROP TABLE numbered").await.expect("all is there");
        close(Some(owner)).await;
    }

    async fn an_owner_acts_as_the_owner(&self) {
        let password = self.create("contract_second", DatabaseAccess::Owner, true).await;
        let mut second = self.log_in("contract_second", &password, self.database()).await.expect("the user logs in");
        // The sessions of these tests pin the role that others begin with.
        let begins_with = "SELECT split_part(unnest(setconfig), '=', 2) FROM pg_db_role_setting WHERE setrole = 'contract_second'::regrole";
        let [role] = second.row(begins_with).await.expect("there is a setting");
        assert_eq!(role.as_deref(), Some(self.instance.spec.username.as_str()));
        second.execute(&format!("SET ROLE \"{}\"", self.instance.spec.username)).await.expect("the user is a member of it");
        second.execute("CREATE TABLE of_second (a int); ALTER TABLE kept ADD c int").await.expect("as the owner could");
        let [owner] = second.row("SELECT tableowner FROM pg_tables WHERE tablename = 'of_second'").await.expect("it is there");
        assert_eq!(owner.as_deref(), Some(self.instance.spec.username.as_str()));
        close(Some(second)).await;
    }

    async fn a_user_may_own_a_database(&self) {
        let password = self.create("contract_builder", DatabaseAccess::Owner, false).await;
        let (database, owner) = (name("contract_shop"), name("contract_builder"));
        assert_eq!(databases::presence(&self.superuser, &database, TIMEOUT).await, Ok(Presence::Absent));
        assert_eq!(databases::create(&self.superuser, &database, &owner, TIMEOUT).await, Ok(()));
        assert_eq!(databases::presence(&self.superuser, &database, TIMEOUT).await, Ok(Presence::Closed));
        assert!(self.log_in("contract_builder", &password, "contract_shop").await.is_err(), "it is not open yet");
        for _ in 0..2 {
            assert_eq!(databases::admit(&self.superuser, &database, TIMEOUT).await, Ok(()));
        }
        assert_eq!(databases::presence(&self.superuser, &database, TIMEOUT).await, Ok(Presence::Open));
        assert_eq!(databases::owner(&self.superuser, &database, TIMEOUT).await, Ok(Some(owner.to_string())));
        let mut builder = self.log_in("contract_builder", &password, "contract_shop").await.expect("the user logs in");
        builder.execute("CREATE SCHEMA goods; CREATE TABLE goods.list (a int)").await.expect("the database is theirs");
        let mut first = self.log_in("contract_builder", &password, self.database()).await.expect("everybody may connect");
        let refused = first.execute("SELECT * FROM kept").await;
        assert!(matches!(&refused, Err(SessionError::Server(code, _)) if code == REFUSED), "{refused:?}");
        close(Some(first)).await;
        close(Some(builder)).await;
    }

    /// Where the server keeps none for the platform, all roles of clients together cannot use up its connections, also after a change of its
    /// configuration.
    async fn connections_are_shared(&self) {
        self.connections_are_enough().await;
        let InstanceSpec { username: owner, postgres_version, parameters, .. } = &self.instance.spec;
        let users = USERS.map(name);
        let status = configuration::status(&self.superuser, *postgres_version, Clients { owner, users: &users }, parameters, TIMEOUT).await;
        assert_eq!(status, Ok(ConfigurationStatus::Current));
        self.connections_are_enough().await;
    }

    async fn connections_are_enough(&self) {
        let mut owner = self.owner(self.database()).await;
        let query = "SELECT current_setting('server_version_num')::int / 10000,
            (SELECT sum(rolconnlimit) FROM pg_roles WHERE rolcanlogin AND rolname !~ '^toygres'), (SELECT min(rolconnlimit) FROM pg_roles WHERE rolcanlogin
            AND rolname !~ '^toygres')";
        let [version, sum, least] = owner.row(query).await.expect("it is visible");
        let number = |text: Option<String>| text.and_then(|text| text.parse::<i32>().ok()).expect("it is a number");
        if number(version) < 16 {
            let (sum, all) = (number(sum), i32::from(MAX_CONNECTIONS - SUPERUSER_RESERVED - MONITOR_RESERVED));
            assert!(number(least) > 0 && sum <= all, "{sum} of {all}");
        }
        close(Some(owner)).await;
    }

    /// An upgrade keeps what the roles had in the former version. What they have in a new server of this one is what [`roles::set_up`] and
    /// [`users::create`] have made.
    async fn roles_follow_their_server(&self) {
        let owner = &self.instance.spec.username;
        let mut superuser = Session::log_in(&self.superuser, DATABASE, "toygres-contract").await.expect("the superuser logs in");
        let state = format!(
            "SELECT string_agg(concat_ws(' ', rolname, rolconnlimit, rolcreaterole,
                 (SELECT string_agg(roleid::regrole::text, ',' ORDER BY roleid) FROM pg_auth_members WHERE member = r.oid)), '; ' ORDER BY rolname)
             FROM pg_roles AS r
             WHERE rolname IN ('{owner}', '{MONITOR}', 'contract_reports', 'contract_second')"
        );
        let [new] = superuser.row(&state).await.expect("it is visible");
        for role in roles::memberships(version(&mut superuser).await) {
            superuser.execute(&format!("REVOKE {role} FROM \"{owner}\"")).await.expect("it is taken back");
        }
        for statement in [
            format!("ALTER ROLE \"{owner}\" CONNECTION LIMIT 7 NOCREATEROLE").as_str(),
            "ALTER ROLE contract_reports CONNECTION LIMIT 7",
            "DO $$ BEGIN IF current_setting('server_version_num')::int >= 160000 THEN
                 REVOKE pg_use_reserved_connections FROM toygres_monitor; END IF; END $$",
        ] {
            superuser.execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
        let [former] = superuser.row(&state).await.expect("it is visible");
        assert_ne!(former, new);
        let users = USERS.map(name);
        for attempt in ["once", "a second time"] {
            assert_eq!(clients::adapt(&self.superuser, Clients { owner, users: &users }, TIMEOUT).await, Ok(()), "{attempt}");
            let [adapted] = superuser.row(&state).await.expect("it is visible");
            assert_eq!(adapted, new, "{attempt}");
        }
        close(Some(superuser)).await;
    }

    /// A copy of an instance has the roles without passwords.
    async fn a_user_of_a_copy_gets_a_password(&self) {
        use DatabaseAccess::{Owner, ReadOnly, ReadWrite};
        const NONE: Option<&str> = None;
        let (owner, users) = (&self.instance.spec.username, USERS.map(name));
        let clients = Clients { owner, users: &users };
        let mut superuser = Session::log_in(&self.superuser, DATABASE, "toygres-contract").await.expect("the superuser logs in");
        let (first, shop) = (Some(self.database()), Some("contract_shop"));
        for (user, right, others) in [
            ("contract_reports", (ReadOnly, first), vec![(ReadWrite, first), (Owner, first), (ReadOnly, shop), (Owner, NONE)]),
            ("contract_writer", (ReadWrite, first), vec![(ReadOnly, first), (Owner, first), (ReadWrite, shop), (Owner, NONE)]),
            ("contract_second", (Owner, first), vec![(ReadOnly, first), (ReadWrite, first), (Owner, shop), (Owner, NONE)]),
            ("contract_builder", (Owner, NONE), vec![(ReadOnly, first), (Owner, first), (ReadWrite, shop)]),
        ] {
            let (role, password) = (name(user), Secret::generate());
            let verifier = Secret::new(scram::verifier(&password));
            let create = async |(access, database): (DatabaseAccess, Option<&str>)| {
                let database = database.map(name);
                let user = NewUser { name: &role, verifier: &verifier, access, database: database.as_ref() };
                users::create(&self.superuser, &user, clients, TIMEOUT).await
            };
            superuser.execute(&format!("ALTER ROLE {user} PASSWORD NULL")).await.expect("it is forgotten");
            for other in others {
                let refused = create(other).await.expect_err("it would not be what the role has");
                let is_told = refused.message.contains("exists already, which came with");
                assert!(refused.code == ReasonCode::QueryFailed && is_told, "{user} {other:?}: {refused:?}");
            }
            let target = Target { username: user.to_owned(), password: password.clone(), ..self.superuser.clone() };
            assert!(passwords::confirm(&target, TIMEOUT).await.is_err(), "{user}: nothing was changed");
            for attempt in ["once", "a second time", "after it was taken back"] {
                assert_eq!(create(right).await, Ok(()), "{user} {attempt}");
                assert_eq!(passwords::confirm(&target, TIMEOUT).await, Ok(()), "{user} {attempt}");
                if attempt == "a second time" {
                    assert_eq!(users::undo(&self.superuser, &role, &verifier, clients, TIMEOUT).await, Ok(()), "{user}");
                    let [left] =
                        superuser.row(&format!("SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = '{user}'")).await.expect("it is there");
                    assert_eq!(left.as_deref(), Some("t"), "{user} keeps what it has");
                }
            }
        }
        self.connections_are_enough().await;
        // Owners make roles from 16 on, and give them their passwords themselves.
        if version(&mut superuser).await.0 >= 16 {
            let mut by_sql = self.owner(self.database()).await;
            by_sql.execute("CREATE ROLE contract_by_sql LOGIN").await.expect("owners make roles");
            let (role, verifier) = (name("contract_by_sql"), Secret::new(scram::verifier(&Secret::generate())));
            let user = NewUser { name: &role, verifier: &verifier, access: Owner, database: None };
            let refused = users::create(&self.superuser, &user, clients, TIMEOUT).await.expect_err("it was not made here");
            assert!(refused.message.contains("made by SQL"), "{refused:?}");
            by_sql.execute("DROP ROLE contract_by_sql").await.expect("it is theirs");
            close(Some(by_sql)).await;
        }
        close(Some(superuser)).await;
    }

    async fn what_is_dropped_is_gone(&self) {
        let (shop, builder) = (name("contract_shop"), name("contract_builder"));
        let findings = self.drop("contract_builder").await;
        assert!(findings.iter().any(|finding| finding.contains("contract_shop")), "{findings:?}");
        let refused = self.log_in("contract_builder", &Secret::generate(), DATABASE).await.err();
        assert!(refused.is_some(), "there is no such role any more");
        let mut owner = self.owner("contract_shop").await;
        owner.execute("DROP SCHEMA goods CASCADE").await.expect("it belongs to the owner now");
        let in_use = databases::drop_database(&self.superuser, &shop, false, TIMEOUT).await.expect_err("there is a session in it");
        assert!(in_use.code == ReasonCode::QueryFailed && in_use.message.contains("force"), "{in_use:?}");
        assert_eq!(databases::drop_database(&self.superuser, &shop, true, TIMEOUT).await, Ok(()));
        owner.lost().await;
        assert_eq!(databases::drop_database(&self.superuser, &shop, true, TIMEOUT).await, Ok(()), "a second time");
        for user in ["contract_reports", "contract_writer", "contract_second"] {
            self.drop(user).await;
        }
        assert_eq!(self.drop(builder.as_str()).await, Vec::<String>::new(), "a second time");
        let mut owner = self.owner(self.database()).await;
        owner.execute("DROP SCHEMA later CASCADE; DROP VIEW seen; DROP TABLE kept, of_second; DROP SEQUENCE counter").await.expect("all is there");
        close(Some(owner)).await;
    }

    /// Makes a user twice, as a repetition does, and refuses another one of the same name.
    async fn create(&self, user: &str, access: DatabaseAccess, in_database: bool) -> Secret {
        let (user, password) = (name(user), Secret::generate());
        let [first, other] = [&password, &Secret::generate()].map(|password| Secret::new(scram::verifier(password)));
        let others = USERS.map(name);
        let known = others.iter().position(|other| *other == user).map_or(&others[..], |last| &others[..=last]);
        let clients = Clients { owner: &self.instance.spec.username, users: known };
        let make = async |verifier: &Secret| {
            let database = in_database.then_some(&self.instance.spec.database);
            users::create(&self.superuser, &NewUser { name: &user, verifier, access, database }, clients, TIMEOUT).await
        };
        assert_eq!(make(&first).await, Ok(()));
        assert_eq!(make(&first).await, Ok(()), "a second time");
        let refused = make(&other).await.expect_err("there is one of this name");
        assert!(refused.code == ReasonCode::QueryFailed && refused.message.contains("exists already"), "{refused:?}");
        let target = Target { username: user.to_string(), password: password.clone(), ..self.superuser.clone() };
        assert_eq!(passwords::confirm(&target, TIMEOUT).await, Ok(()));
        password
    }

    async fn drop(&self, user: &str) -> Vec<String> {
        let owner = &self.instance.spec.username;
        users::drop_user(&self.superuser, &name(user), owner, Clients { owner, users: &[] }, TIMEOUT).await.expect("it is dropped")
    }

    async fn log_in(&self, user: &str, password: &Secret, database: &str) -> Result<Session, SessionError> {
        let target = Target { username: user.to_owned(), password: password.clone(), ..self.superuser.clone() };
        let mut session = Session::log_in(&target, database, "toygres-contract").await?;
        session.execute("SET search_path = public").await?;
        Ok(session)
    }

    async fn owner(&self, database: &str) -> Session {
        let mut session = self.instance.log_in(database).await;
        session.execute("SET search_path = public").await.expect("it can be set");
        session
    }

    fn database(&self) -> &str {
        self.instance.spec.database.as_str()
    }
}

/// That of the server itself, which may be another one than a test has asked for.
async fn version(session: &mut Session) -> PostgresVersion {
    let [version] = session.row("SELECT current_setting('server_version_num')::int / 10000").await.expect("it is visible");
    PostgresVersion(version.and_then(|text| text.parse().ok()).expect("it is a number"))
}

fn name(text: &str) -> SqlName {
    SqlName::role(text).expect("it is a name")
}
