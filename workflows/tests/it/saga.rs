//! Tests of every kind of operation as a saga. The cases are derived from the policy of the kind and from the recorded calls of its
//! workflow, so a new kind needs no new tests here.

mod cancelled;
mod excluded;
mod failing;
mod interrupted;
mod repeated;
mod runtime_faults;
mod superseded;

use std::collections::BTreeSet;

use toygres_domain::{
    backup::{BackupStatus, Closing},
    name::SqlName,
    operation::{Operation, OperationStatus, Params},
    roles::PlatformCredentials,
};
use toygres_postgres::{Target, databases, passwords};

use crate::support::{Example, Harness, waiting::TIMEOUT, with_retry};

/// Asserts the invariants at the end of every case, for any outcome of its operation.
async fn assert_saga(harness: &Harness, case: &str, example: &Example) -> Operation {
    let operation = harness.assert_settled(case, &example.id()).await;
    harness.assert_no_outage(case, example.instance).await;
    harness.assert_password(case, example.instance).await;
    let restarts = harness.runtime.restarts(example.instance);
    let by_operation: BTreeSet<_> = restarts.iter().map(|restart| restart.operation.as_str()).collect();
    assert_eq!(restarts.len(), by_operation.len(), "{case}: a server is restarted once, and once more if that is reverted");
    harness.assert_configured(case, example.instance).await;
    harness.assert_late_calls_change_nothing(case, example.instance, &operation.id).await;
    harness.assert_workflows(case, example.instance).await;
    assert_effect(harness, case, &operation).await;
    operation
}

/// Asserts that what an operation makes or drops in the instance is there, and listed, if and only if it succeeded or failed.
async fn assert_effect(harness: &Harness, case: &str, operation: &Operation) {
    let (id, succeeded) = (operation.instance, operation.status == OperationStatus::Succeeded);
    let superuser = Target::of_superuser(harness.database.endpoint(), &PlatformCredentials::generate());
    let user = async |name: &SqlName| {
        let listed = with_retry(|| harness.store.database_user(id, name.as_str())).await.unwrap().is_some();
        (passwords::verifier(&superuser, name, TIMEOUT).await.is_ok(), listed)
    };
    let database = async |name: &SqlName| {
        let listed = with_retry(|| harness.store.database(id, name.as_str())).await.unwrap().is_some();
        (databases::owner(&superuser, name, TIMEOUT).await.unwrap().is_some(), listed)
    };
    match &operation.params {
        Params::CreateDatabaseUser(params) => assert_eq!(user(&params.name).await, (succeeded, succeeded), "{case}"),
        Params::CreateDatabase(params) => assert_eq!(database(&params.name).await, (succeeded, succeeded), "{case}"),
        // After a failure it is still listed, and may be gone: a retry goes on.
        Params::DropDatabaseUser(params) if succeeded => assert_eq!(user(&params.name).await, (false, false), "{case}"),
        Params::DropDatabaseUser(params) => assert!(user(&params.name).await.1, "{case}"),
        Params::DropDatabase(params) if succeeded => assert_eq!(database(&params.name).await, (false, false), "{case}"),
        Params::DropDatabase(params) => assert!(database(&params.name).await.1, "{case}"),
        // One that was complete before the failure stays.
        Params::CreateBackup(params) => {
            let status = with_retry(|| harness.store.backup(params.backup)).await.unwrap().expect("it is listed").status;
            assert!(status == BackupStatus::Available || (!succeeded && status == BackupStatus::Failed), "{case}: {status}");
        }
        Params::Delete(_) => {
            let archive = harness.archive(id).await;
            let closing = if succeeded { Some(Closing::Closed) } else { None };
            assert_eq!((archive.closing, archive.incomplete), (closing, None), "{case}: everything is archived");
        }
        Params::Restore(_) => assert_eq!(harness.runtime.is_restored(id), succeeded, "{case}"),
        Params::Upgrade(params) => {
            let version = with_retry(|| harness.store.instance(id)).await.unwrap().expect("there is the row").spec.postgres_version;
            assert!(!succeeded || version == params.version, "{case}: {version}");
        }
        Params::Create(_)
        | Params::Restart(_)
        | Params::Repair(_)
        | Params::Suspend(_)
        | Params::Resume(_)
        | Params::Resize(_)
        | Params::SetParameters(_)
        | Params::RotatePassword(_) => {}
    }
}
