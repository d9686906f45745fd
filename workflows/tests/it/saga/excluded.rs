//! Only one excluding operation of an instance is in progress.

use toygres_domain::{Error, UserErrorCode, operation::OperationKind};
use toygres_store::Subject;

use super::assert_saga;
use crate::support::{DEADLINE, Example, Harness, Sample, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_operation_is_a_conflict_that_names_the_first() {
    let harness = Harness::start().await;
    for first in Sample::all().into_iter().filter(|sample| sample.kind.policy().excludes) {
        let example = Example::prepare_as(&harness, first).await;
        harness.runtime.hold(example.instance);
        let id = example.accept(&harness).await;
        for second in OperationKind::ALL.iter().filter(|kind| kind.policy().excludes && !kind.policy().supersedes) {
            let params = Example::other_params(&harness, *second);
            let refused = harness.try_accept(Subject::Existing(example.instance), &params, DEADLINE).await;
            let Err(Error::User(errors)) = refused else { panic!("{second} while {id} is in progress: {refused:?}") };
            assert_eq!(errors[0].code, UserErrorCode::Conflict);
            assert!(errors[0].message.contains(id.as_str()), "{second}: {}", errors[0].message);
        }
        eventually("it waits", || async { (harness.hooks.calls(example.instance).len() > 2).then_some(()) }).await;
        harness.runtime.release(example.instance);
        assert_saga(&harness, &first.to_string(), &example).await;
    }
    harness.finish().await;
}
