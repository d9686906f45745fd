//! The registry contains every workflow that the dispatcher starts.

use duroxide::OrchestrationRegistry;
use toygres_domain::operation::OperationKind;
use toygres_workflows::{health_check, monitor_operation, operations, registry};

use crate::support::timing;

#[test]
fn every_kind_of_operation_has_a_workflow_of_its_own_that_is_registered() {
    let registry = registry::orchestrations(OrchestrationRegistry::builder(), timing()).unwrap().build_result().unwrap();
    let mut names: Vec<_> =
        OperationKind::ALL.iter().map(|kind| operations::name(*kind)).chain([health_check::NAME, monitor_operation::NAME]).collect();
    for name in &names {
        let started = registry.resolve_version(name).unwrap_or_else(|| panic!("{name} is started and not registered"));
        assert!(registry.list_versions(name).contains(&started), "{name}: version {started} is started and not registered");
    }
    names.sort_unstable();
    names.dedup();
    let mut registered = registry.list_names();
    registered.sort_unstable();
    assert_eq!(registered, names, "each has one name, and nothing else is registered");
}
