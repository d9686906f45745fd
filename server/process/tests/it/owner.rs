//! The owners of instances, on every version of PostgreSQL.

use toygres_domain::instance::PostgresVersion;
use toygres_postgres::contract::{self, NoHooks, Subject};

use crate::home::{Home, TIMEOUT};

#[tokio::test(flavor = "multi_thread")]
async fn owners_cannot_break_out_and_can_do_what_they_expect() {
    let home = Home::with_every_version();
    let host = home.host();
    for version in [15, 16, 17, 18].map(PostgresVersion) {
        assert!(home.binaries.versions().contains(&version), "PostgreSQL {version} is installed");
    }
    let deployment = |name: &str| home.deployment(name);
    contract::check_owners(Subject { runtime: &host.runtime, deployment: &deployment, hooks: &NoHooks, timeout: TIMEOUT }).await;
    host.stop().await;
}
