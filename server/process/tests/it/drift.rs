//! Drift of the files of an instance: what somebody deletes or edits is noticed within 2 s and put back.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use futures::StreamExt;
use toygres_domain::{data::Data, drift::Expected, instance::ReasonCode, runtime::Runtime};
use toygres_postgres::contract::{NoHooks, Subject};

use crate::home::{Home, TIMEOUT};

type Change = fn(&Path);

const CHANGES: [(Change, &str); 6] = [
    (|home| fs::remove_file(home.join("postgresql.conf")).unwrap(), "the file postgresql.conf was deleted"),
    (|home| fs::write(home.join("postgresql.conf"), "fsync = off\n").unwrap(), "the file postgresql.conf was edited"),
    (|home| fs::write(home.join("pg_hba.conf"), "host all all 0.0.0.0/0 trust\n").unwrap(), "the file pg_hba.conf was edited"),
    (|home| fs::remove_file(home.join("pg_hba.conf")).unwrap(), "the file pg_hba.conf was deleted"),
    (|home| fs::set_permissions(home.join("pg_hba.conf"), fs::Permissions::from_mode(0o666)).unwrap(), "the file pg_hba.conf was edited"),
    (|home| fs::remove_file(home.join("port.conf")).unwrap(), "the file port.conf was deleted"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_noticed_and_put_back() {
    let home = Home::new();
    let host = home.host();
    let runtime = &host.runtime;
    let factory = |name: &str| home.deployment(name);
    let subject = Subject { runtime, deployment: &factory, hooks: &NoHooks, timeout: TIMEOUT };
    let mut deployment = home.deployment("orders");
    subject.deploy(&deployment).await;
    subject.ready(deployment.id).await;
    deployment.data = Data::Existing(runtime.volume(deployment.id).await.unwrap());
    let directory = home.instance(deployment.id);
    let contents = || ["postgresql.conf", "pg_hba.conf", "port.conf"].map(|name| fs::read_to_string(directory.join(name)).unwrap());
    let before = contents();
    let mut nudges = runtime.nudges();
    assert_eq!(runtime.inspect(&[Expected::from(&deployment)]).await, Ok(Vec::new()));
    for (change, said) in CHANGES {
        while tokio::time::timeout(Duration::from_millis(1300), nudges.next()).await.is_ok() {}
        let began = Instant::now();
        change(&directory);
        let nudged = async { while nudges.next().await.unwrap().instance != deployment.id {} };
        tokio::time::timeout(TIMEOUT, nudged).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(2), "{said}: {:?}", began.elapsed());
        let found = runtime.inspect(&[Expected::from(&deployment)]).await.unwrap();
        assert_eq!(found[0].drift.iter().map(ToString::to_string).collect::<Vec<_>>(), [said]);
        assert_eq!(runtime.repair(&deployment).await.as_ref(), Ok(&found[0].drift));
        assert_eq!(contents(), before, "{said}");
        assert_eq!(runtime.inspect(&[Expected::from(&deployment)]).await, Ok(Vec::new()));
    }
    // What an earlier release has written is renewed, and nothing happened to it.
    for (name, text) in ["postgresql.conf", "pg_hba.conf"].into_iter().zip(&before) {
        let (above, _) = text.rsplit_once("# SHA-256").unwrap();
        fs::write(directory.join(name), above.replace("wal_level = logical\n", "")).unwrap();
        assert_eq!(runtime.inspect(&[Expected::from(&deployment)]).await.unwrap().len(), 1, "{name}");
        assert_eq!(runtime.repair(&deployment).await, Ok(Vec::new()), "{name}");
        assert_eq!(contents(), before, "{name}");
    }
    // A server that keeps exiting for what was put back starts again at once.
    fs::write(directory.join("crash-loop"), "9\nprocess_exited\nthe configuration is wrong\n").unwrap();
    runtime.repair(&deployment).await.unwrap();
    assert!(directory.join("crash-loop").exists(), "nothing was put back");
    fs::write(directory.join("postgresql.conf"), "no_such_setting = on\n").unwrap();
    runtime.repair(&deployment).await.unwrap();
    assert!(!directory.join("crash-loop").exists());
    fs::remove_dir_all(directory.join("data")).unwrap();
    let found = runtime.inspect(&[Expected::from(&deployment)]).await.unwrap();
    assert_eq!(found[0].data.as_ref().map(|reason| reason.code), Some(ReasonCode::DataLost));
    let refused = runtime.repair(&deployment).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::DataLost, false));
    subject.remove(deployment.id, false).await;
    host.stop().await;
}
