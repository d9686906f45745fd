//! Faults of activities, to be injected into any step of any operation.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use toygres_domain::{
    InstanceId,
    instance::{Reason, ReasonCode},
};
use toygres_workflows::Failure;

use super::hooks::{Answer, Call, Hooks};

/// Every activity of the operation.
pub const EVERY: &str = "every activity";

/// A fault of one activity.
#[derive(Clone, Debug)]
pub struct Fault {
    step: String,
    effect: Effect,
    for_good: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Effect {
    Twice,
    Late,
    Fails(FailureKind),
    Loses,
    Panics,
    PanicsAfter,
}

/// What an activity reports: see [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FailureKind {
    /// A temporary error.
    Retry,
    /// An unexpected error.
    Broken,
    /// A permanent error.
    Failed,
}

/// Each call is executed twice in a row.
pub fn twice(step: &str) -> Fault {
    Fault { for_good: true, ..fault(step, Effect::Twice) }
}

/// Each call is executed again after the next one.
pub fn late(step: &str) -> Fault {
    Fault { for_good: true, ..fault(step, Effect::Late) }
}

/// The activity reports a failure and does nothing.
pub fn fails(step: &str, kind: FailureKind) -> Fault {
    fault(step, Effect::Fails(kind))
}

/// The activity does its work, but its result is lost.
pub fn loses(step: &str) -> Fault {
    fault(step, Effect::Loses)
}

/// The activity panics before its work, within the hook, so that the engine handles the panic.
pub fn panics(step: &str) -> Fault {
    fault(step, Effect::Panics)
}

/// The activity panics after its work.
pub fn panics_after(step: &str) -> Fault {
    fault(step, Effect::PanicsAfter)
}

fn fault(step: &str, effect: Effect) -> Fault {
    Fault { step: step.to_owned(), effect, for_good: false }
}

/// Ways in which an activity can fail.
pub type Ways = fn(&str) -> Vec<Fault>;

/// Every failure that an activity can report.
pub fn reported(step: &str) -> Vec<Fault> {
    [FailureKind::Retry, FailureKind::Broken, FailureKind::Failed].map(|kind| fails(step, kind)).into()
}

/// Every way in which an activity can end without reporting a failure.
pub fn crashes(step: &str) -> Vec<Fault> {
    vec![loses(step), panics(step), panics_after(step)]
}

/// Every way in which an activity can fail.
pub fn failures(step: &str) -> Vec<Fault> {
    [reported(step), crashes(step)].concat()
}

impl Fault {
    /// Applies the fault to all calls instead of only the first.
    pub fn for_good(self) -> Self {
        Self { for_good: true, ..self }
    }

    /// Whether the activity does its work despite the fault.
    pub fn does_its_work(&self) -> bool {
        !matches!(self.effect, Effect::Fails(_) | Effect::Panics)
    }

    /// Whether this failure is reported.
    pub fn reports(&self, kind: FailureKind) -> bool {
        self.effect == Effect::Fails(kind)
    }

    pub fn concerns(&self, call: &Call) -> bool {
        (self.step == call.label || (self.step == EVERY && !call.is_background())) && (self.for_good || call.nth == 0)
    }

    pub async fn apply(&self, call: &Call, hooks: &Hooks) -> Answer {
        match self.effect {
            Effect::Twice => {
                let (first, second) = (call.run().await, call.run().await);
                if first.is_ok() != second.is_ok() {
                    hooks.violated(format!("{self}: {second:?} after {first:?}"));
                }
                second
            }
            Effect::Late => call.run().await,
            Effect::Fails(kind) => Err(failure(kind)),
            Effect::Loses => {
                let _ = call.run().await;
                Err("the worker crashed".to_owned())
            }
            Effect::Panics => panic_quietly(),
            Effect::PanicsAfter => {
                let _ = call.run().await;
                panic_quietly()
            }
        }
    }
}

/// A panic without a backtrace, which would take a second in a test.
pub fn panic_quietly() -> ! {
    std::panic::resume_unwind(Box::new("injected"))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({}) {}", self.effect, self.step, if self.for_good { "for good" } else { "once" })
    }
}

impl Hooks {
    /// Injects these faults into the activities of this instance. The first fault that matches a call applies.
    pub fn inject(&self, id: InstanceId, faults: impl IntoIterator<Item = Fault>) {
        let faults: Vec<_> = faults.into_iter().collect();
        let (hooks, again) = (self.clone(), Arc::<Mutex<Vec<Call>>>::default());
        self.set(id, move |call| {
            let fault = faults.iter().find(|fault| fault.concerns(&call)).cloned();
            let (hooks, again) = (hooks.clone(), again.clone());
            async move {
                let earlier = if call.is_background() { Vec::new() } else { std::mem::take(&mut *again.lock().unwrap()) };
                let answer = match &fault {
                    Some(fault) => fault.apply(&call, &hooks).await,
                    None => call.run().await,
                };
                for call in earlier {
                    let _ = call.run().await;
                }
                if fault.is_some_and(|fault| fault.effect == Effect::Late) {
                    again.lock().unwrap().push(call);
                }
                answer
            }
        });
    }
}

/// The reason of an injected failure.
pub fn injected() -> Reason {
    Reason::new(ReasonCode::DiskFull, "injected")
}

/// An injected failure as activities report it.
pub fn failure(kind: FailureKind) -> String {
    let kind = match kind {
        FailureKind::Retry => Failure::Retry,
        FailureKind::Broken => Failure::Broken,
        FailureKind::Failed => Failure::Failed,
    };
    kind(injected()).encode()
}
