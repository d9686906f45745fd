//! A server with a small schema on a loopback port, and ways to talk to it.

use std::{
    future::pending,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::{Context, Error, Object, Schema, SimpleObject, Subscription};
use async_trait::async_trait;
use futures::{SinkExt, Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};
use tokio_util::sync::CancellationToken;
use toygres_server::transport::{
    Authenticate, Credentials, Denied, FieldTypes, RequestId, ResumeCursor, ServeOptions, Session, TransportOptions, router, serve,
};

/// Nothing in these tests takes this long unless it is broken.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A running server; dropping it stops it.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) shutdown: CancellationToken,
    pub(super) counters: Counters,
    /// Ends every session that the token `ending` opened.
    pub(super) revoke: CancellationToken,
    pub(super) served: JoinHandle<std::io::Result<()>>,
}

/// What the schema has seen.
#[derive(Clone, Default)]
pub(super) struct Counters {
    pub(super) mutations: Arc<AtomicUsize>,
    /// Subscriptions that are open.
    pub(super) open: Arc<AtomicUsize>,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::start_with(|_| {}, |_| {}).await
    }

    pub(super) async fn start_with(transport: impl FnOnce(&mut TransportOptions), serving: impl FnOnce(&mut ServeOptions)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let (shutdown, revoke, counters) = (CancellationToken::new(), CancellationToken::new(), Counters::default());
        let schema = Schema::build(Query, Mutation, Subscriptions).data(counters.clone()).finish();
        let mut options = TransportOptions {
            types: Arc::new(FieldTypes::of(&schema.sdl())),
            shutdown: shutdown.clone(),
            authenticate: Arc::new(Tokens { revoke: revoke.clone() }),
            on_response: Arc::new(|response, id| {
                for error in &mut response.errors {
                    error.extensions.get_or_insert_default().set("requestId", id.to_string());
                }
            }),
            ..TransportOptions::default()
        };
        transport(&mut options);
        let mut serve_options = ServeOptions::default();
        serving(&mut serve_options);
        let served = tokio::spawn(serve(listener, router(schema, options), serve_options, shutdown.clone()));
        Self { address, shutdown, counters, revoke, served }
    }

    pub(super) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/graphql", self.address)
    }

    /// Waits until so many subscriptions are open.
    pub(super) async fn wait_for_open(&self, wanted: usize) {
        eventually(&format!("{wanted} subscriptions are open"), || self.counters.open.load(Ordering::SeqCst) == wanted).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Looks at something until it holds.
pub(super) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let looking = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(PATIENCE, looking).await.is_ok(), "not in time: {what}");
}

/// Lets in whoever presents no token or one it knows.
struct Tokens {
    revoke: CancellationToken,
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
            user => Ok(Session::default().with(User(user.to_owned()))),
        }
    }
}

struct Query;

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

struct Mutation;

#[Object]
impl Mutation {
    /// Counts, after some time.
    async fn bump(&self, ctx: &Context<'_>, millis: Option<u64>) -> usize {
        tokio::time::sleep(Duration::from_millis(millis.unwrap_or(0))).await;
        ctx.data_unchecked::<Counters>().mutations.fetch_add(1, Ordering::SeqCst) + 1
    }
}

struct Subscriptions;

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

/// An HTTP answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The head as it came, with the case of its names.
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub(super) fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Server {
    /// Sends a request by hand, so that nothing is added to it and nothing hidden of the answer.
    pub(super) async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
        if !headers.iter().any(|(name, _)| *name == "Connection") {
            head += "Connection: close\r\n";
        }
        if !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await.expect("a connection");
            stream.write_all(format!("{head}\r\n").as_bytes()).await.expect("the head is sent");
            // A refused body may not be read to its end.
            let _ = stream.write_all(body.as_bytes()).await;
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes).await;
            String::from_utf8(bytes).expect("UTF-8")
        };
        let text = timeout(PATIENCE, exchange).await.expect("an answer in time");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let body = if chunked { unchunk(body) } else { body.to_owned() };
        Answer { status, head: head.to_owned(), body }
    }

    /// POSTs JSON.
    pub(super) async fn post(&self, accept: &str, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json"), ("Accept", accept)];
        self.request("POST", "/graphql", &headers, &body.to_string()).await
    }

    /// GETs a query.
    pub(super) async fn get(&self, accept: &str, parameters: &[(&str, &str)]) -> Answer {
        self.request("GET", &path(parameters), &[("Accept", accept)], "").await
    }
}

/// The path of a GET with parameters.
pub(super) fn path(parameters: &[(&str, &str)]) -> String {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    format!("/graphql?{}", pairs.join("&"))
}

fn unchunk(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a chunk size");
        text += &rest[..size];
        body = rest[size..].trim_start_matches("\r\n");
    }
    text
}

/// A WebSocket client that knows nothing of GraphQL.
pub(super) struct Client {
    pub(super) socket: WebSocketStream<TcpStream>,
    pub(super) protocol: Option<String>,
}

impl Client {
    pub(super) async fn open(server: &Server, protocol: &str) -> Self {
        Self::open_with(server, protocol, &[]).await
    }

    pub(super) async fn open_with(server: &Server, protocol: &str, headers: &[(&'static str, &str)]) -> Self {
        let stream = TcpStream::connect(server.address).await.expect("a connection");
        let mut request = server.url("ws").into_client_request().expect("a request");
        if !protocol.is_empty() {
            let value = HeaderValue::from_str(protocol).expect("a header");
            request.headers_mut().insert("sec-websocket-protocol", value);
        }
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).expect("a header"));
        }
        // The library refuses an answer without a subprotocol when one was asked for, which is a case to be tested.
        match client_async(request, stream).await {
            Ok((socket, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol").and_then(|value| value.to_str().ok());
                let protocol = protocol.map(ToOwned::to_owned);
                Self { socket, protocol }
            }
            Err(error) => panic!("the upgrade failed: {error}"),
        }
    }

    /// A client whose connection is acknowledged.
    pub(super) async fn ready(server: &Server) -> Self {
        let mut client = Self::open(server, "graphql-transport-ws").await;
        client.send(json!({"type": "connection_init"})).await;
        assert_eq!(client.receive().await, json!({"type": "connection_ack"}));
        client
    }

    pub(super) async fn send(&mut self, message: Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub(super) async fn send_raw(&mut self, message: Message) {
        timeout(PATIENCE, self.socket.send(message)).await.expect("sent in time").expect("sent");
    }

    pub(super) async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(json!({"id": id, "type": "subscribe", "payload": {"query": query}})).await;
    }

    /// The next message, whatever it is.
    pub(super) async fn next(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.socket.next()).await.expect("a message in time")?.ok()
    }

    /// The next message of the subprotocol.
    pub(super) async fn receive(&mut self) -> Value {
        loop {
            match self.next().await {
                Some(Message::Text(text)) => return serde_json::from_str(&text).expect("JSON"),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("expected a message, got {other:?}"),
            }
        }
    }

    /// The close code and reason; messages before it do not matter.
    pub(super) async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Some(Message::Close(Some(frame))) => return (frame.code.into(), frame.reason.to_string()),
                Some(Message::Text(_) | Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("expected a close frame, got {other:?}"),
            }
        }
    }

    /// That nothing but pings comes before the answer to a ping, which is a way to see that nothing is coming.
    pub(super) async fn expect_silence(&mut self) {
        self.send(json!({"type": "ping", "payload": {"silence": true}})).await;
        assert_eq!(self.receive().await, json!({"type": "pong", "payload": {"silence": true}}));
    }
}
