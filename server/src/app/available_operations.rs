//! Which operations an instance accepts, as the policies of their kinds say.

use toygres_domain::{
    instance::{Instance, InstanceState},
    operation::OperationKind,
};

/// The kinds of operations that would be accepted now. `operation_in_progress` says whether the instance has an operation in
/// progress that excludes others.
#[must_use]
pub fn available_operations(instance: &Instance, operation_in_progress: bool) -> Vec<OperationKind> {
    let accepted = |kind: &OperationKind| {
        let policy = kind.policy();
        policy.from.contains(&instance.state)
            && !(policy.refused_when_protected && instance.deletion_protected)
            && !(operation_in_progress && excludes_now(*kind))
    };
    OperationKind::ALL.iter().copied().filter(accepted).collect()
}

/// Whether an operation in progress that excludes others can keep this kind from being accepted.
#[must_use]
pub fn excludes_now(kind: OperationKind) -> bool {
    let policy = kind.policy();
    policy.excludes && !policy.supersedes
}

/// Whether an instance in this state stays in it: no operation is in progress, and none would be accepted.
#[must_use]
pub fn is_final(state: InstanceState) -> bool {
    !state.is_transitional() && OperationKind::ALL.iter().all(|kind| !kind.policy().from.contains(&state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_deleted_is_final() {
        let states: Vec<_> = InstanceState::ALL.iter().copied().filter(|state| is_final(*state)).collect();
        assert_eq!(states, [InstanceState::Deleted]);
    }
}
