//! Every kind of operation as a saga. The cases follow from the kinds' policies and from what their workflows were seen to call,
//! so a new kind has them all.

mod cancelled;
mod excluded;
mod failing;
mod interrupted;
mod repeated;
mod runtime_faults;
mod superseded;

use toygres_domain::operation::Operation;

use crate::support::{Example, Harness};

/// What must hold at the end of every case, however its operation ended.
async fn assert_saga(harness: &Harness, case: &str, example: &Example) -> Operation {
    let operation = harness.assert_settled(case, &example.id()).await;
    harness.assert_no_outage(case, example.instance).await;
    assert!(harness.runtime.restarts(example.instance).len() <= 1, "{case}: a server is restarted once");
    harness.assert_late_calls_change_nothing(case, example.instance, &operation.id).await;
    harness.assert_workflows(case, example.instance).await;
    operation
}
