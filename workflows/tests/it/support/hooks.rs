//! Hooks around every activity: tests intercept each call, count the calls, and repeat them later.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex},
};

use duroxide::{
    ActivityContext,
    runtime::{ActivityHandler, registry::ActivityRegistry},
};
use futures::future::BoxFuture;
use toygres_domain::InstanceId;

/// The result that an activity returns to the engine.
pub type Answer = Result<String, String>;
type Hook = Arc<dyn Fn(Call) -> BoxFuture<'static, Answer> + Send + Sync>;

/// Activities that belong to no operation's workflow.
const BACKGROUND: [&str; 3] = ["settle-operation", "health-check", "update-health"];

/// One call of an activity, before it is executed.
#[derive(Clone)]
pub struct Call {
    /// The activity, with a suffix if it has several variants: `update-metadata/succeeded`.
    pub label: String,
    /// The number of earlier calls with this label for the instance.
    pub nth: u32,
    input: String,
    context: ActivityContext,
    handler: Arc<dyn ActivityHandler>,
}

impl Call {
    /// Executes the call. Can be repeated.
    pub async fn run(&self) -> Answer {
        self.handler.invoke(self.context.clone(), self.input.clone()).await
    }

    /// Whether the input contains this text.
    pub fn passes(&self, text: &str) -> bool {
        self.input.contains(text)
    }

    /// Whether the call is made by a health check or a monitor instead of the workflow of an operation.
    pub fn is_background(&self) -> bool {
        BACKGROUND.contains(&self.label.as_str())
    }
}

/// Hooks per instance, so that many cases run in one control plane at the same time.
#[derive(Clone, Default)]
pub struct Hooks {
    hooks: Arc<Mutex<HashMap<InstanceId, Hook>>>,
    calls: Arc<Mutex<HashMap<InstanceId, Vec<Call>>>>,
    violations: Arc<Mutex<Vec<String>>>,
}

impl Hooks {
    /// Sets the hook that intercepts every activity of this instance.
    pub fn set<F: Future<Output = Answer> + Send + 'static>(&self, id: InstanceId, hook: impl Fn(Call) -> F + Send + Sync + 'static) {
        self.hooks.lock().unwrap().insert(id, Arc::new(move |call| Box::pin(hook(call))));
    }

    /// Removes the hook of this instance.
    pub fn clear(&self, id: InstanceId) {
        self.hooks.lock().unwrap().remove(&id);
    }

    /// The calls so far, including those of health checks and monitors.
    pub fn calls(&self, id: InstanceId) -> Vec<Call> {
        self.calls.lock().unwrap().get(&id).cloned().unwrap_or_default()
    }

    /// Discards the recorded calls, so that counting starts again.
    pub fn forget_calls(&self, id: InstanceId) {
        self.calls.lock().unwrap().remove(&id);
    }

    /// The number of calls with this label for an instance.
    pub fn count(&self, id: InstanceId, label: &str) -> usize {
        self.calls.lock().unwrap().get(&id).map_or(0, |calls| calls.iter().filter(|call| call.label == label).count())
    }

    /// Records a violation. (A panic within a hook would only be a failed attempt, which the engine repeats.)
    pub fn violated(&self, what: String) {
        self.violations.lock().unwrap().push(what);
    }

    pub fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }

    /// Wraps each activity with the hooks.
    pub fn around(&self, activities: &ActivityRegistry) -> ActivityRegistry {
        let mut builder = ActivityRegistry::builder();
        for name in activities.list_names() {
            let Some((_, handler)) = activities.resolve_handler(&name) else { continue };
            let (hooks, short) = (self.clone(), name.rsplit("::").next().unwrap_or_default().to_owned());
            builder = builder.register(name, move |context, input| hooks.clone().call(short.clone(), handler.clone(), context, input));
        }
        builder.build_result().expect("names are registered once")
    }

    async fn call(self, name: String, handler: Arc<dyn ActivityHandler>, context: ActivityContext, input: String) -> Answer {
        let Some(instance) = instance_in(&input) else { return handler.invoke(context, input).await };
        let label = label(&name, &input);
        let call = {
            let mut calls = self.calls.lock().unwrap();
            let calls = calls.entry(instance).or_default();
            let nth = u32::try_from(calls.iter().filter(|call| call.label == label).count()).expect("few calls");
            calls.push(Call { label, nth, input, context, handler });
            calls.last().expect("there is one").clone()
        };
        let hook = self.hooks.lock().unwrap().get(&instance).cloned();
        match hook {
            Some(hook) => hook(call).await,
            None => call.run().await,
        }
    }
}

fn label(name: &str, input: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(input).unwrap_or_default();
    match name {
        "update-metadata" => {
            format!("{name}/{}", value["outcome"].as_object().and_then(|outcome| outcome.keys().next()).map_or("?", String::as_str))
        }
        "delete-postgres" if value["clean_up"] == true => format!("{name}/clean-up"),
        _ => name.to_owned(),
    }
}

fn instance_in(text: &str) -> Option<InstanceId> {
    (0..text.len().saturating_sub(35)).filter_map(|at| text.get(at..at + 36)).find_map(|part| part.parse().ok())
}
