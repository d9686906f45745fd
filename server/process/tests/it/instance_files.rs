//! What lies in the directory of an instance, and what does not.

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use nix::unistd::{User, geteuid};
use toygres_domain::{
    runtime::{Progress, Runtime},
    secret::Secret,
};
use toygres_postgres::roles;

use crate::{
    home::{Home, TIMEOUT},
    psql::text,
};

#[tokio::test(flavor = "multi_thread")]
async fn any_password_works_and_is_in_no_file() {
    let home = Home::new();
    let host = home.host();
    for (n, password) in
        ["it's \\ \"q\" $1 $$ ; -- x", " leading and trailing ", "Grüße-日本語-🐘", "ﬁ-ligature-①-nfkc", "soft\u{ad}hyphen-\u{a0}nbsp"]
            .into_iter()
            .enumerate()
    {
        // As stored by earlier releases, which accepted all of them.
        let owner = Secret::new(password.to_owned());
        let mut deployment = home.deployment(&format!("weird-{n}"));
        deployment.credentials.owner = owner.clone();
        let endpoint = host.deploy(&deployment).await;
        let platform = deployment.credentials.platform.clone().unwrap();
        roles::set_up(&endpoint, None, &deployment.spec, &owner, &platform, TIMEOUT).await.unwrap();
        let as_owner = |password: &Secret, sql: &str| home.psql_as(&endpoint, ("app", "orders"), password, sql);
        assert_eq!(text(as_owner(&owner, "SELECT current_user")), "app", "password {n}");
        assert!(!as_owner(&Secret::new("wrong-password".into()), "SELECT 1").status.success(), "another password does not");
        if n == 0 {
            for secret in [password, platform.superuser.expose(), platform.monitor.expose()] {
                home.assert_nowhere(secret);
            }
            let rights = "SELECT rolsuper::text || rolcreatedb || rolcanlogin FROM pg_roles WHERE rolname = current_user";
            assert_eq!(text(as_owner(&owner, rights)), "falsetruetrue");
            assert_eq!(home.query(&deployment, &endpoint, "SHOW listen_addresses"), "127.0.0.1");
        }
        assert_eq!(host.runtime.remove(deployment.id, false).await, Ok(Progress::Done));
        assert!(std::net::TcpStream::connect(("127.0.0.1", endpoint.port)).is_err(), "gone means that nobody listens");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_data_belongs_to_the_user_of_postgres() {
    let home = Home::new();
    let host = home.host();
    let deployment = home.deployment("owners");
    host.deploy(&deployment).await;
    let instance = home.instance(deployment.id);
    let us = geteuid().as_raw();
    let postgres = if us == 0 { User::from_name("postgres").unwrap().unwrap().uid.as_raw() } else { us };
    let owner = |path: &Path| path.metadata().unwrap().uid();
    for ours in ["", "postgresql.conf", "pg_hba.conf", "port.conf", "log"] {
        assert_eq!(owner(&instance.join(ours)), us, "{ours}");
    }
    for theirs in ["data", "data/PG_VERSION", "data/base", "data/postmaster.pid"] {
        assert_eq!(owner(&instance.join(theirs)), postgres, "{theirs}");
    }
    assert_eq!(instance.join("data").metadata().unwrap().permissions().mode() & 0o777, 0o700);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_the_smallest_and_the_largest_volume_are_accepted() {
    let home = Home::new();
    let host = home.host();
    for (storage_gb, temporary, retained) in [(1, "512MB", "256MB"), (4096, "2097151MB", "1TB"), (65_536, "2097151MB", "16TB")] {
        let mut deployment = home.deployment(&format!("of-{storage_gb}"));
        deployment.spec.storage_gb = storage_gb;
        let endpoint = host.deploy(&deployment).await;
        assert_eq!(home.query(&deployment, &endpoint, "SHOW temp_file_limit"), temporary, "{storage_gb} GiB");
        assert_eq!(home.query(&deployment, &endpoint, "SHOW max_slot_wal_keep_size"), retained, "{storage_gb} GiB");
        // What the smallest holds beside the data, in MB: the cluster itself, and the log at its largest.
        let size = "SELECT sum(pg_database_size(oid))::bigint / 1024 / 1024 FROM pg_database";
        assert!(home.query(&deployment, &endpoint, size).parse::<i64>().unwrap() < 100);
    }
    host.stop().await;
}
