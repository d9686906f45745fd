//! Results that subscribers share: those that ask the same of the same value have it executed and encoded once.
//!
//! Each subscriber keeps its own stream of values, with its own position, so that sharing changes neither what it gets nor when. It only
//! replaces the execution of the selection by the result of the first subscriber that executed it.

use std::{
    any::Any,
    collections::{HashMap, VecDeque},
    fmt,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use async_graphql::{Name, Response, ServerResult, Value};
use tokio::sync::OnceCell;

use super::{encode, field_order::FieldOrder};

/// How many results of a group are kept. A subscriber that is further behind executes by itself.
const RECENT: usize = 64;
/// Bytes of JSON up to which a result is kept.
const MAX_BYTES: usize = 64 * 1024;

/// What subscriptions have in common that get the same results for the same value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) query: String,
    pub(super) operation_name: Option<String>,
    /// As JSON, without the one that says where the subscriber begins.
    pub(super) variables: String,
    /// What the callers may see.
    pub(super) rights: &'static str,
}

/// The groups of subscriptions that share results.
#[derive(Default)]
pub(super) struct Groups(Mutex<HashMap<Question, Weak<Group>>>);

/// Subscriptions that share results.
struct Group {
    question: Question,
    order: Arc<FieldOrder>,
    groups: Arc<Groups>,
    recent: Mutex<VecDeque<Recent>>,
}

/// The result for one value, or its execution in progress.
struct Recent {
    /// Identifies the value. It is kept so that no other value gets its address.
    value: Arc<dyn Any + Send + Sync>,
    result: Arc<RecentResult>,
}

/// `None` for one that is not shared: each subscriber executes by itself.
type RecentResult = OnceCell<Option<Arc<SharedResult>>>;

impl Groups {
    /// Adds a subscription to those that ask the same. `order` is the order of the fields in its results.
    pub(super) fn join(self: &Arc<Self>, question: Question, order: Arc<FieldOrder>) -> Sharing {
        let mut groups = locked(&self.0);
        let group = groups.get(&question).and_then(Weak::upgrade).unwrap_or_else(|| {
            let group = Arc::new(Group { question: question.clone(), order, groups: Arc::clone(self), recent: Mutex::default() });
            groups.insert(question, Arc::downgrade(&group));
            group
        });
        Sharing(Arc::new(Member { group, result: Mutex::default() }))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut groups = locked(&self.groups.0);
        // Another group may have taken its place.
        if groups.get(&self.question).is_some_and(|group| group.strong_count() == 0) {
            groups.remove(&self.question);
        }
    }
}

/// One subscription's part in sharing results. Resolvers get it with `ctx.data_opt::<Sharing>()`.
#[derive(Clone)]
pub struct Sharing(Arc<Member>);

struct Member {
    group: Arc<Group>,
    /// The result that stands in place of the value that is being sent.
    result: Mutex<Option<Arc<SharedResult>>>,
}

impl Sharing {
    /// Executes the selection for a value of the subscription's stream, unless another subscriber has: then the returned value is null,
    /// and the transport sends the other's result. Results are shared for the same `value`, which is the same allocation.
    ///
    /// `execution` also returns whether it was free of errors. Otherwise, or if the result is too large to be kept, it is the caller's own, and
    /// the others execute at the same time: one after the other, the last of many would wait for all before it.
    ///
    /// # Errors
    /// That of the execution.
    pub async fn resolve<T: Any + Send + Sync>(
        &self,
        value: &Arc<T>,
        execution: impl Future<Output = ServerResult<(Value, bool)>>,
    ) -> ServerResult<Value> {
        let Member { group, result } = &*self.0;
        if Arc::strong_count(group) == 1 {
            return execution.await.map(|(value, _)| value);
        }
        let recent = group.result(value);
        let (mut execution, mut own) = (pin!(execution), None);
        let first = async {
            let outcome = execution.as_mut().await;
            let (shared, outcome) = match outcome {
                Ok((mut value, true)) => (SharedResult::of(&mut value, &group.order).map(Arc::new), Ok(value)),
                Ok((value, false)) => (None, Ok(value)),
                Err(error) => (None, Err(error)),
            };
            own = Some(outcome);
            shared
        };
        if let Some(shared) = recent.get_or_init(|| first).await {
            *locked(result) = Some(Arc::clone(shared));
            return Ok(Value::Null);
        }
        match own {
            Some(own) => own,
            None => execution.await.map(|(value, _)| value),
        }
    }

    /// The order of the fields in the results.
    pub(super) fn order(&self) -> Arc<FieldOrder> {
        Arc::clone(&self.0.group.order)
    }

    /// What to send for a response.
    pub(super) fn outgoing(&self, response: Response) -> Outgoing {
        let name = match &response.data {
            Value::Object(data) => data.keys().next().cloned(),
            _ => None,
        };
        match (locked(&self.0.result).take(), name) {
            (Some(result), Some(name)) => Outgoing::Shared(name, result),
            _ => Outgoing::Own(response),
        }
    }
}

impl fmt::Debug for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharing").field("question", &self.0.group.question).finish_non_exhaustive()
    }
}

impl Group {
    fn result<T: Any + Send + Sync>(&self, value: &Arc<T>) -> Arc<RecentResult> {
        let mut recent = locked(&self.recent);
        let same = |other: &&Recent| std::ptr::addr_eq(Arc::as_ptr(&other.value), Arc::as_ptr(value));
        // Most subscribers ask for the newest.
        if let Some(found) = recent.iter().rev().find(same) {
            return Arc::clone(&found.result);
        }
        if recent.len() == RECENT {
            recent.pop_front();
        }
        let result = Arc::default();
        recent.push_back(Recent { value: Arc::clone(value) as _, result: Arc::clone(&result) });
        result
    }
}

/// The result of one execution.
pub(super) struct SharedResult {
    json: String,
    cursor: Option<String>,
}

impl SharedResult {
    /// `None` if it is too large to be kept.
    fn of(value: &mut Value, order: &FieldOrder) -> Option<Self> {
        if let Some(order) = order.of_first_field() {
            order.apply(value);
        }
        let json = encode::to_json(&*value);
        (json.len() <= MAX_BYTES).then(|| Self { json, cursor: cursor(value).map(str::to_owned) })
    }
}

/// A result on its way to a subscriber.
pub(super) enum Outgoing {
    /// Of its own execution.
    Own(Response),
    /// The value of the field with this response name, without errors.
    Shared(Name, Arc<SharedResult>),
}

impl Outgoing {
    /// The response as JSON, on one line.
    pub(super) fn json(&self) -> String {
        match self {
            Self::Own(response) => encode::json(response),
            Self::Shared(name, result) => format!(r#"{{"data":{{"{name}":{}}}}}"#, result.json),
        }
    }

    /// The cursor of the value: its field `cursor`.
    pub(super) fn cursor(&self) -> Option<&str> {
        match self {
            Self::Own(response) => {
                let Value::Object(root) = &response.data else { return None };
                root.first().and_then(|(_, value)| cursor(value))
            }
            Self::Shared(_, result) => result.cursor.as_deref(),
        }
    }
}

fn cursor(value: &Value) -> Option<&str> {
    let Value::Object(fields) = value else { return None };
    match fields.get("cursor")? {
        Value::String(cursor) => Some(cursor),
        _ => None,
    }
}

/// No code panics while it holds one of these locks.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use async_graphql::{Pos, ServerError};
    use futures::future::{join, join_all};
    use serde_json::json;
    use tokio::time::Instant;

    use super::*;

    fn question(query: &str, rights: &'static str) -> Question {
        Question { query: query.to_owned(), operation_name: None, variables: "{}".to_owned(), rights }
    }

    fn object(value: serde_json::Value) -> Value {
        Value::from_json(value).unwrap()
    }

    /// What a subscriber sends for a value of its stream.
    async fn sent(sharing: &Sharing, value: &Arc<u8>, execution: impl Future<Output = ServerResult<(Value, bool)>>) -> String {
        let data = sharing.resolve(value, execution).await.unwrap();
        sharing.outgoing(Response::new(Value::Object([(Name::new("field"), data)].into_iter().collect()))).json()
    }

    #[tokio::test]
    async fn one_of_those_that_ask_the_same_executes() {
        let groups = Arc::new(Groups::default());
        let (first, second) = (groups.join(question("q", "admin"), Arc::default()), groups.join(question("q", "admin"), Arc::default()));
        let (executions, value) = (AtomicUsize::new(0), Arc::new(1));
        let execution = || async {
            executions.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok((object(json!({ "a": "\"", "cursor": "7" })), true))
        };
        let (one, other) = join(sent(&first, &value, execution()), sent(&second, &value, execution())).await;
        assert_eq!((one.as_str(), &one), (r#"{"data":{"field":{"a":"\"","cursor":"7"}}}"#, &other));
        assert_eq!(executions.load(Ordering::SeqCst), 1);
        sent(&first, &Arc::new(1), execution()).await;
        assert_eq!(executions.load(Ordering::SeqCst), 2, "an equal value is another value");
    }

    #[tokio::test]
    async fn other_rights_and_other_documents_share_nothing() {
        let groups = Arc::new(Groups::default());
        let value = Arc::new(1);
        for (at, key) in [question("q", "admin"), question("q", "viewer"), question("p", "admin")].into_iter().enumerate() {
            let (one, other) = (groups.join(key.clone(), Arc::default()), groups.join(key, Arc::default()));
            let json = sent(&one, &value, async { Ok((object(json!(at)), true)) }).await;
            assert_eq!(json, format!(r#"{{"data":{{"field":{at}}}}}"#));
            assert_eq!(sent(&other, &value, async { panic!("it was executed") }).await, json);
        }
    }

    #[tokio::test]
    async fn what_failed_and_what_is_large_is_the_subscribers_own() {
        let groups = Arc::new(Groups::default());
        let (first, second) = (groups.join(question("q", "admin"), Arc::default()), groups.join(question("q", "admin"), Arc::default()));
        let value = Arc::new(1);
        let failed = first.resolve(&value, async { Err(ServerError::new("no", Some(Pos::default()))) }).await;
        assert_eq!(failed.unwrap_err().message, "no");
        assert_eq!(sent(&second, &value, async { Ok((object(json!(1)), false)) }).await, r#"{"data":{"field":1}}"#, "with errors");
        let large = object(json!("x".repeat(MAX_BYTES)));
        assert_eq!(first.resolve(&value, async { Ok((large.clone(), true)) }).await.unwrap(), large);
        assert_eq!(sent(&second, &value, async { Ok((object(json!(2)), true)) }).await, r#"{"data":{"field":2}}"#, "none was kept");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_shared_is_executed_at_the_same_time() {
        const EXECUTION: Duration = Duration::from_millis(50);
        let groups = Arc::new(Groups::default());
        let members: Vec<_> = (0..20).map(|_| groups.join(question("q", "admin"), Arc::default())).collect();
        let (large, small) = (object(json!("x".repeat(MAX_BYTES))), object(json!(1)));
        for outcome in [Ok((large.clone(), true)), Ok((small.clone(), false)), Err(ServerError::new("no", None))] {
            let (value, began) = (Arc::new(1), Instant::now());
            let results = members.iter().map(|member| {
                let outcome = outcome.clone();
                member.resolve(&value, async {
                    tokio::time::sleep(EXECUTION).await;
                    outcome
                })
            });
            for result in join_all(results).await {
                assert_eq!(result.map_err(|error| error.message), outcome.clone().map(|(value, _)| value).map_err(|error| error.message));
            }
            assert!(began.elapsed() < 3 * EXECUTION, "{:?}", began.elapsed());
        }
    }

    #[tokio::test]
    async fn a_group_ends_with_its_last_subscriber() {
        let groups = Arc::new(Groups::default());
        let first = groups.join(question("q", "admin"), Arc::default());
        let value = Arc::new(1);
        sent(&first, &value, async { Ok((object(json!(1)), true)) }).await;
        assert_eq!(Arc::strong_count(&value), 1, "nothing is kept for one alone");
        let second = groups.join(question("q", "admin"), Arc::default());
        drop((first, second));
        assert!(locked(&groups.0).is_empty());
    }
}
