//! Hooks around every activity: tests decide over each call, count the calls, and repeat them later.

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

/// What an activity answers to the engine.
pub type Answer = Result<String, String>;
type Hook = Arc<dyn Fn(Call) -> BoxFuture<'static, Answer> + Send + Sync>;

/// Activities that belong to no operation's workflow.
const BACKGROUND: [&str; 3] = ["settle-operation", "health-check", "update-health"];

/// One call of an activity, before it is carried out.
#[derive(Clone)]
pub struct Call {
    /// The activity, and which of its forms where it has several: `update-metadata/succeeded`.
    pub label: String,
    /// How many calls with this label the instance had before.
    pub nth: u32,
    input: String,
    context: ActivityContext,
    handler: Arc<dyn ActivityHandler>,
}

impl Call {
    /// Carries it out; any number of times.
    pub async fn run(&self) -> Answer {
        self.handler.invoke(self.context.clone(), self.input.clone()).await
    }

    /// Whether a health check or a monitor makes it, and not the workflow of an operation.
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
    /// From now on `hook` decides over every activity of this instance.
    pub fn set<F: Future<Output = Answer> + Send + 'static>(&self, id: InstanceId, hook: impl Fn(Call) -> F + Send + Sync + 'static) {
        self.hooks.lock().unwrap().insert(id, Arc::new(move |call| Box::pin(hook(call))));
    }

    /// From now on the activities of this instance run as they are.
    pub fn clear(&self, id: InstanceId) {
        self.hooks.lock().unwrap().remove(&id);
    }

    /// The calls so far, those of health checks and monitors included.
    pub fn calls(&self, id: InstanceId) -> Vec<Call> {
        self.calls.lock().unwrap().get(&id).cloned().unwrap_or_default()
    }

    /// Forgets the calls so far: counting begins again.
    pub fn forget_calls(&self, id: InstanceId) {
        self.calls.lock().unwrap().remove(&id);
    }

    /// How often each label was called for an instance.
    pub fn count(&self, id: InstanceId, label: &str) -> usize {
        self.calls.lock().unwrap().get(&id).map_or(0, |calls| calls.iter().filter(|call| call.label == label).count())
    }

    /// Reports something that must not happen. (A panic within a hook is an attempt that fails, and the engine repeats it.)
    pub fn violated(&self, what: String) {
        self.violations.lock().unwrap().push(what);
    }

    pub fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }

    /// The same activities, each with the hooks around it.
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
