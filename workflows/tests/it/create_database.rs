//! Tests specific to CreateDatabase. Those for all operations are in [`crate::saga`].

use toygres_domain::{
    name::SqlName,
    operation::{OperationStatus, Params, create_database},
    roles::PlatformCredentials,
};
use toygres_postgres::{
    Target,
    databases::{self, Presence},
};
use toygres_store::Subject;

use crate::support::{Harness, concurrently, waiting::TIMEOUT};

/// While the template is in use, no database can be made from it. What is there then was made by the owner, from another template; or, if nobody
/// can connect to it, by an attempt whose answer was lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_the_owner_makes_meanwhile_is_theirs() {
    let owned = Harness::start().await;
    let harness = &owned;
    let case = |(of_owner, is_over): (bool, bool)| async move {
        let case = format!("of the owner: {of_owner}, over: {is_over}");
        let id = harness.running().await;
        let owner = harness.instance(id).await.spec.username;
        let name: SqlName = format!("shop_{of_owner}_{is_over}").try_into().unwrap();
        let params = create_database::Params { name: name.clone(), owner: owner.clone() };
        let operation = harness.accept(Subject::Existing(id), Params::CreateDatabase(params)).await;
        harness.shows(&operation, "is being accessed by other users").await;
        harness.database.run(&format!("CREATE DATABASE {name} OWNER {owner} TEMPLATE template0 ALLOW_CONNECTIONS {of_owner}")).await;
        if of_owner {
            harness.database.run_in(name.as_str(), "CREATE TABLE goods AS SELECT 1 AS n").await;
        }
        if is_over {
            harness.expire(&operation).await;
        }
        let ended = harness.assert_settled(&case, &operation).await;
        let superuser = Target::of_superuser(harness.database.endpoint(), &PlatformCredentials::generate());
        let presence = databases::presence(&superuser, &name, TIMEOUT).await.unwrap();
        let has_succeeded = ended.status == OperationStatus::Succeeded;
        // An attempt may have come before the end of the time.
        assert!(!of_owner || !has_succeeded, "{case}: {ended:?}");
        assert!(of_owner || is_over || has_succeeded, "{case}: {ended:?}");
        let expected = if of_owner || has_succeeded { Presence::Open } else { Presence::Absent };
        assert_eq!(presence, expected, "{case}: {ended:?}");
        assert_eq!(harness.store.database(id, name.as_str()).await.unwrap().is_some(), has_succeeded, "{case}");
        if of_owner {
            harness.database.run_in(name.as_str(), "SELECT n FROM goods").await;
        }
    };
    let cases = concurrently([(true, true), (true, false), (false, true), (false, false)], case);
    tokio::select! {
        () = harness.database.run_in("template1", "SELECT pg_sleep(300)") => panic!("it is over"),
        () = cases => {}
    }
    owned.finish().await;
}
