//! Tests of every kind of operation as a saga. The cases are derived from the policy of the kind and from the recorded calls of its
//! workflow, so a new kind needs no new tests here.

mod cancelled;
mod excluded;
mod failing;
mod interrupted;
mod repeated;
mod runtime_faults;
mod superseded;

use toygres_domain::operation::Operation;

use crate::support::{Example, Harness};

/// Asserts the invariants at the end of every case, for any outcome of its operation.
async fn assert_saga(harness: &Harness, case: &str, example: &Example) -> Operation {
    let operation = harness.assert_settled(case, &example.id()).await;
    harness.assert_no_outage(case, example.instance).await;
    harness.assert_password(case, example.instance).await;
    assert!(harness.runtime.restarts(example.instance).len() <= 1, "{case}: a server is restarted once");
    harness.assert_late_calls_change_nothing(case, example.instance, &operation.id).await;
    harness.assert_workflows(case, example.instance).await;
    operation
}
