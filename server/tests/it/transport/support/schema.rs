//! The small schema of these tests, and its authentication.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::{Context, Error, Object, SimpleObject, Subscription};
use async_trait::async_trait;
use futures::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;
use toygres_server::transport::{Authenticate, Credentials, Denied, RequestId, ResumeCursor, Session};

use super::Counters;

/// Accepts callers without a token or with a known one.
pub(super) struct Tokens {
    pub(super) revoke: CancellationToken,
    pub(super) counters: Counters,
}

/// Who the caller is.
#[derive(Clone)]
struct User(String);

#[async_trait]
impl Authenticate for Tokens {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Session, Denied> {
        let header = credentials.headers.get("authorization").and_then(|value| value.to_str().ok());
        let payload = credentials.init.and_then(|payload| payload.get("authorization")?.as_str());
        match payload.or(header).unwrap_or("nobody") {
            "ending" => Ok(Session::until(self.revoke.clone()).with(User("ending".to_owned()))),
            "wrong" => Err(Denied::Unauthenticated("The token is not known.".to_owned())),
            "long" => Err(Denied::Unauthenticated("\u{20ac}".repeat(100))),
            "later" => Err(Denied::Unavailable("Try again later.".to_owned())),
            "stuck" => pending().await,
            "slow" => {
                self.counters.authenticating.fetch_add(1, Ordering::SeqCst);
                self.counters.let_in.notified().await;
                Ok(Session::default().with(User("slow".to_owned())))
            }
            user => Ok(Session::default().with(User(user.to_owned()))),
        }
    }
}

pub(super) struct Query;

#[Object]
impl Query {
    async fn hello(&self, name: Option<String>) -> String {
        format!("Hello {}", name.as_deref().unwrap_or("world"))
    }

    async fn user(&self, ctx: &Context<'_>) -> String {
        ctx.data_unchecked::<User>().0.clone()
    }

    async fn request_id(&self, ctx: &Context<'_>) -> String {
        ctx.data_unchecked::<RequestId>().to_string()
    }

    async fn fails(&self) -> async_graphql::Result<String> {
        Err(Error::new("It failed."))
    }

    async fn panics(&self, really: Option<bool>) -> String {
        assert!(really == Some(false), "on purpose");
        String::new()
    }

    async fn stuck(&self) -> String {
        pending().await
    }

    /// Completes after the fields that need not wait.
    async fn late(&self) -> Nested {
        tokio::task::yield_now().await;
        Nested
    }

    async fn nested(&self) -> Nested {
        Nested
    }
}

struct Nested;

#[Object]
impl Nested {
    async fn nested(&self) -> Nested {
        Nested
    }

    async fn value(&self) -> i32 {
        1
    }

    async fn fails(&self) -> async_graphql::Result<Option<String>> {
        Err(Error::new("It failed."))
    }
}

pub(super) struct Mutation;

#[Object]
impl Mutation {
    /// Counts, after some time.
    async fn bump(&self, ctx: &Context<'_>, millis: Option<u64>) -> usize {
        tokio::time::sleep(Duration::from_millis(millis.unwrap_or(0))).await;
        ctx.data_unchecked::<Counters>().mutations.fetch_add(1, Ordering::SeqCst) + 1
    }
}

pub(super) struct Subscriptions;

#[derive(SimpleObject)]
struct Event {
    cursor: String,
    text: String,
}

struct Item(i32);

#[Object]
impl Item {
    async fn number(&self) -> async_graphql::Result<i32> {
        if self.0 == 1 { Err(Error::new("One is not allowed.")) } else { Ok(self.0) }
    }
}

#[Subscription]
impl Subscriptions {
    /// 0, 1, 2 and so on.
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(0..to)
    }

    /// A number every so many milliseconds, for ever.
    async fn ticks(&self, ctx: &Context<'_>, millis: u64) -> impl Stream<Item = i32> {
        let open = Open::new(ctx);
        stream::unfold((0, open), move |(number, open)| async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            Some((number, (number + 1, open)))
        })
    }

    /// As fast as it is read, for ever.
    async fn flood(&self, ctx: &Context<'_>, bytes: Option<usize>) -> impl Stream<Item = String> {
        let open = Open::new(ctx);
        let text = "x".repeat(bytes.unwrap_or(100));
        stream::repeat(text).inspect(move |_| {
            let _ = &open;
        })
    }

    /// So many bytes, and then nothing.
    async fn once(&self, bytes: usize) -> impl Stream<Item = String> {
        stream::iter(["x".repeat(bytes)]).chain(stream::pending())
    }

    /// Numbers as fast as they are read, each followed by as many bytes, for ever.
    async fn numbers(&self, ctx: &Context<'_>, bytes: usize) -> impl Stream<Item = String> {
        let open = Open::new(ctx);
        stream::iter(0_u32..).map(move |number| {
            let _ = &open;
            format!("{number}{}", "x".repeat(bytes))
        })
    }

    /// Nothing, for ever.
    async fn silence(&self, ctx: &Context<'_>) -> impl Stream<Item = i32> {
        let open = Open::new(ctx);
        stream::pending().inspect(move |_: &i32| {
            let _ = &open;
        })
    }

    /// Three events after the cursor.
    async fn events(&self, ctx: &Context<'_>, after: Option<i32>) -> impl Stream<Item = Event> {
        let resume = ctx.data_opt::<ResumeCursor>().and_then(|cursor| cursor.0.parse().ok());
        let first = resume.or(after).unwrap_or(0) + 1;
        stream::iter(first..first + 3).map(|number| Event { cursor: number.to_string(), text: format!("event\n{number}") })
    }

    /// A source that cannot be made.
    async fn broken(&self) -> async_graphql::Result<stream::Pending<i32>> {
        Err(Error::new("There is no such source."))
    }

    /// The second item has an error.
    async fn items(&self) -> impl Stream<Item = Item> {
        stream::iter([0, 1, 2].map(Item))
    }

    /// The first item has an error, and the stream goes on.
    async fn bad_start(&self) -> impl Stream<Item = Item> {
        stream::iter([1, 2].map(Item)).chain(stream::pending())
    }

    async fn panics_later(&self) -> impl Stream<Item = i32> {
        stream::iter(0..3).inspect(|number| assert!(*number < 1, "on purpose"))
    }
}

/// Counts an open subscription.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(ctx: &Context<'_>) -> Self {
        let open = Arc::clone(&ctx.data_unchecked::<Counters>().open);
        open.fetch_add(1, Ordering::SeqCst);
        Self(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
