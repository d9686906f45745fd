//! Subscriptions over WebSocket (`graphql-transport-ws`) that reconnect when the connection is lost.

use std::{cell::Cell, pin::pin, rc::Rc, time::Duration};

use futures::{SinkExt as _, StreamExt as _};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{json, value::RawValue};
use tokio::time::{Instant, interval_at, sleep, sleep_until, timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        http::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL},
        protocol::CloseFrame,
    },
};

use crate::{
    client::{Client, RequestError, host_header},
    connection::{Stream, connect, unreachable},
    failure::{Failure, Kind, Result},
    output::report,
};

/// An idle connection is pinged after this time, and is lost when no message arrives in the same time again.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The delay before the first attempt to reconnect. It doubles with each attempt, up to the longest.
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<Box<dyn Stream>>;

/// One subscription.
pub(crate) struct Subscription<'a> {
    client: &'a Client,
    socket: Option<Socket>,
    /// Failed attempts since the last event.
    failures: u32,
    /// Whether there was a connection before. Without one, a failure to connect is final.
    was_connected: bool,
    /// Whether the connection is lost. Shared, because `next` borrows the subscription.
    disconnected: Rc<Cell<bool>>,
    /// Whether to report lost connections on stderr.
    reports: bool,
}

/// An event of a subscription.
pub(crate) enum Event<T> {
    /// A result.
    Item(T),
    /// The connection was lost and is established again. The items that follow are those of the request.
    Reconnected,
    /// The server no longer has the events after the cursor. The caller starts over without one.
    MustRefetch,
    /// The server completed the subscription.
    Complete,
}

/// Why there is no connection.
enum Loss {
    /// Another attempt may succeed.
    Transient(Failure),
    Permanent(Failure),
}

/// A message of the server.
#[derive(Deserialize)]
struct ServerMessage<'a> {
    #[serde(rename = "type")]
    message_type: &'a str,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// The payload of a `next` message.
#[derive(Deserialize)]
struct ExecutionResult<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<RequestError>,
}

impl<'a> Subscription<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client, socket: None, failures: 0, was_connected: false, disconnected: Rc::default(), reports: true }
    }

    /// A subscription that does not report lost connections, for displays that do.
    pub(crate) fn quiet(client: &'a Client) -> Self {
        Self { reports: false, ..Self::new(client) }
    }

    /// Like [`Self::next`]. Calls `tick` every second meanwhile, with whether the connection is lost.
    pub(crate) async fn next_with_ticks<T: DeserializeOwned>(
        &mut self,
        request: &impl Serialize,
        mut tick: impl FnMut(bool) -> Result<()>,
    ) -> Result<Event<T>> {
        const SECOND: Duration = Duration::from_secs(1);
        let disconnected = Rc::clone(&self.disconnected);
        let mut ticks = interval_at(Instant::now() + SECOND, SECOND);
        let mut next = pin!(self.next(request));
        loop {
            tokio::select! {
                event = &mut next => return event,
                _ = ticks.tick() => tick(disconnected.get())?,
            }
        }
    }

    /// The next event. `request` is sent on each new connection, so it contains the cursor to resume from.
    async fn next<T: DeserializeOwned>(&mut self, request: &impl Serialize) -> Result<Event<T>> {
        loop {
            if self.socket.is_none() {
                match self.open(request).await {
                    Ok(socket) => self.socket = Some(socket),
                    Err(loss) => {
                        self.wait_before_retry(loss).await?;
                        continue;
                    }
                }
                if self.connected() {
                    return Ok(Event::Reconnected);
                }
            }
            match self.receive().await {
                Ok(event) => {
                    self.failures = 0;
                    if matches!(event, Event::MustRefetch) {
                        self.socket = None;
                    }
                    return Ok(event);
                }
                Err(loss) => {
                    self.socket = None;
                    self.wait_before_retry(loss).await?;
                }
            }
        }
    }

    /// Records a new connection; whether another one was lost before, rather than ended to start over.
    fn connected(&mut self) -> bool {
        self.was_connected = true;
        let reconnected = self.disconnected.replace(false);
        if reconnected && self.reports {
            report("toygres: reconnected");
        }
        reconnected
    }

    async fn wait_before_retry(&mut self, loss: Loss) -> Result<()> {
        match loss {
            Loss::Transient(_) if self.was_connected => {
                self.disconnected.set(true);
                if self.reports && self.failures == 0 {
                    report("toygres: connection lost; reconnecting until Ctrl-C");
                }
                let delay = FIRST_DELAY * 2_u32.pow(self.failures.min(5));
                self.failures += 1;
                sleep(delay.min(LONGEST_DELAY)).await;
                Ok(())
            }
            Loss::Transient(failure) | Loss::Permanent(failure) => Err(failure),
        }
    }

    /// Connects and subscribes.
    async fn open(&self, request: &impl Serialize) -> std::result::Result<Socket, Loss> {
        let url = &self.client.target.url;
        let opening = async {
            let stream = connect(url, self.client.target.request_timeout).await.map_err(Loss::Transient)?;
            // TLS is below the stream, so the scheme is always ws. The URL is for the request line and the header Host.
            let ws_url = format!("ws://{}{}", host_header(url), url.path());
            let mut handshake = ws_url.into_client_request().map_err(|error| self.lost(&error))?;
            handshake.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("graphql-transport-ws"));
            let mut init = json!({ "type": "connection_init" });
            if let Some(token) = &self.client.target.token {
                let bearer = format!("Bearer {token}");
                let header = bearer.parse().map_err(|_| Loss::Permanent(self.client.malformed_token()))?;
                handshake.headers_mut().insert(AUTHORIZATION, header);
                init["payload"] = json!({ "Authorization": bearer });
            }
            let (mut socket, _) = client_async(handshake, stream).await.map_err(|error| self.lost(&error))?;
            let send = async |socket: &mut Socket, message: serde_json::Value| {
                socket.send(Message::text(message.to_string())).await.map_err(|error| self.lost(&error))
            };
            send(&mut socket, init).await?;
            loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) if is_ack(&text) => break,
                    Some(Ok(Message::Close(frame))) => return Err(self.closed(frame)),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(self.lost(&error)),
                    None => return Err(self.closed(None)),
                }
            }
            send(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": request })).await?;
            Ok(socket)
        };
        timeout(KEEP_ALIVE, opening).await.unwrap_or_else(|_| Err(Loss::Transient(unreachable(url, "the subscription timed out"))))
    }

    async fn receive<T: DeserializeOwned>(&mut self) -> std::result::Result<Event<T>, Loss> {
        let mut pinged = false;
        let mut deadline = Instant::now() + KEEP_ALIVE;
        loop {
            let Some(socket) = &mut self.socket else { return Err(self.closed(None)) };
            let message = tokio::select! {
                message = socket.next() => message,
                () = sleep_until(deadline) => {
                    if pinged || socket.send(Message::text(r#"{"type":"ping"}"#)).await.is_err() {
                        return Err(self.closed(None));
                    }
                    pinged = true;
                    deadline = Instant::now() + KEEP_ALIVE;
                    continue;
                }
            };
            pinged = false;
            deadline = Instant::now() + KEEP_ALIVE;
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => return Err(self.closed(frame)),
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(self.lost(&error)),
                None => return Err(self.closed(None)),
            };
            let Ok(ServerMessage { message_type, payload }) = serde_json::from_str(&text) else { continue };
            let payload = payload.map_or("null", RawValue::get);
            match message_type {
                "next" => {
                    let ExecutionResult { data, errors }: ExecutionResult<T> = parse(payload)?;
                    match (data, errors.into_iter().next()) {
                        (_, Some(error)) => return self.request_error(error),
                        (Some(data), None) => return Ok(Event::Item(data)),
                        (None, None) => {}
                    }
                }
                "error" => match parse::<Vec<RequestError>>(payload)?.into_iter().next() {
                    Some(error) => return self.request_error(error),
                    None => return Err(self.closed(None)),
                },
                "complete" => return Ok(Event::Complete),
                "ping" => {
                    // When this fails, so does the next receive.
                    let _ = socket.send(Message::text(r#"{"type":"pong"}"#)).await;
                }
                _ => {}
            }
        }
    }

    fn request_error<T>(&self, error: RequestError) -> std::result::Result<Event<T>, Loss> {
        match error.extensions.code.as_str() {
            "MUST_REFETCH" => Ok(Event::MustRefetch),
            // These are about the server's state, not about the request.
            "INTERNAL" | "UNAVAILABLE" | "SLOW_CONSUMER" => Err(Loss::Transient(self.client.failure(error))),
            _ => Err(Loss::Permanent(self.client.failure(error))),
        }
    }

    fn closed(&self, frame: Option<CloseFrame>) -> Loss {
        let (code, reason) = frame.map_or((1006, String::new()), |frame| (u16::from(frame.code), frame.reason.to_string()));
        match code {
            4401 | 4403 => Loss::Permanent(self.client.unauthenticated(&reason)),
            // All but 4408, which a server sends that was too busy to accept the connection in time.
            4400..=4407 | 4409..=4499 => {
                Loss::Permanent(Failure::new(Kind::Failed, format!("the server closed the subscription: {reason} ({code})")))
            }
            _ => Loss::Transient(unreachable(&self.client.target.url, "the server closed the subscription")),
        }
    }

    fn lost(&self, error: &Error) -> Loss {
        let url = &self.client.target.url;
        match error {
            Error::Http(response) if response.status() == 401 => Loss::Permanent(self.client.unauthenticated("")),
            Error::Http(response) if response.status().is_client_error() => {
                Loss::Permanent(Failure::new(Kind::Unreachable, format!("{url} answered {} to a WebSocket", response.status())))
            }
            _ => Loss::Transient(unreachable(url, &error.to_string())),
        }
    }
}

fn is_ack(text: &str) -> bool {
    serde_json::from_str::<ServerMessage<'_>>(text).is_ok_and(|message| message.message_type == "connection_ack")
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> std::result::Result<T, Loss> {
    serde_json::from_str(text)
        .map_err(|error| Loss::Permanent(Failure::new(Kind::Failed, format!("the server sent a message that cannot be decoded: {error}"))))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tokio::net::{TcpListener, TcpStream};
    use tokio_tungstenite::{
        accept_hdr_async,
        tungstenite::handshake::server::{ErrorResponse, Request, Response},
    };

    use super::*;

    /// Accepts a connection, and checks how a client opens a subscription.
    async fn accept(listener: &TcpListener, query: &str) -> WebSocketStream<TcpStream> {
        #[expect(clippy::result_large_err, reason = "the type of the callback")]
        fn choose_protocol(request: &Request, mut response: Response) -> std::result::Result<Response, ErrorResponse> {
            let protocol = request.headers()[SEC_WEBSOCKET_PROTOCOL].clone();
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
            Ok(response)
        }
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_hdr_async(stream, choose_protocol).await.unwrap();
        let init = receive(&mut socket).await;
        assert_eq!(init["type"], "connection_init");
        send(&mut socket, json!({ "type": "connection_ack" })).await;
        let subscribe = receive(&mut socket).await;
        assert_eq!((&subscribe["type"], &subscribe["payload"]), (&json!("subscribe"), &json!({ "query": query })));
        socket
    }

    async fn receive(socket: &mut WebSocketStream<TcpStream>) -> Value {
        serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap()
    }

    async fn send(socket: &mut WebSocketStream<TcpStream>, message: Value) {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }

    #[tokio::test]
    async fn a_lost_connection_is_established_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::of_url(&format!("http://{}/graphql", listener.local_addr().unwrap()));
        let mut subscription = Subscription::quiet(&client);
        let server = async {
            let mut first = accept(&listener, "a").await;
            send(&mut first, json!({ "type": "ping" })).await;
            assert_eq!(receive(&mut first).await["type"], "pong");
            send(&mut first, json!({ "id": "1", "type": "next", "payload": { "data": 1 } })).await;
            drop(first);
            let mut second = accept(&listener, "b").await;
            send(&mut second, json!({ "id": "1", "type": "next", "payload": { "data": 2 } })).await;
            send(&mut second, json!({ "id": "1", "type": "complete" })).await;
            second
        };
        let received = async {
            let mut next = async |query| subscription.next_with_ticks::<i32>(&json!({ "query": query }), |_| Ok(())).await.unwrap();
            assert!(matches!(next("a").await, Event::Item(1)));
            assert!(matches!(next("b").await, Event::Reconnected));
            assert!(matches!(next("b").await, Event::Item(2)));
            assert!(matches!(next("b").await, Event::Complete));
        };
        tokio::join!(server, received);
    }

    #[tokio::test]
    async fn a_connection_that_is_lost_while_starting_over_is_established_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::of_url(&format!("http://{}/graphql", listener.local_addr().unwrap()));
        let mut subscription = Subscription::quiet(&client);
        let refused = json!({ "id": "1", "type": "error", "payload": [{ "message": "m", "extensions": { "code": "MUST_REFETCH" } }] });
        let server = async {
            let mut first = accept(&listener, "a").await;
            send(&mut first, refused.clone()).await;
            // The server restarts: one connection fails.
            drop(listener.accept().await.unwrap());
            let mut second = accept(&listener, "b").await;
            send(&mut second, refused).await;
            let mut third = accept(&listener, "c").await;
            send(&mut third, json!({ "id": "1", "type": "next", "payload": { "data": 1 } })).await;
            (first, second, third)
        };
        let received = async {
            let mut next = async |query| subscription.next_with_ticks::<i32>(&json!({ "query": query }), |_| Ok(())).await.unwrap();
            assert!(matches!(next("a").await, Event::MustRefetch));
            assert!(matches!(next("b").await, Event::Reconnected));
            assert!(matches!(next("b").await, Event::MustRefetch));
            assert!(matches!(next("c").await, Event::Item(1)), "starting over is no loss");
        };
        tokio::join!(server, received);
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_pings_is_lost() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::of_url(&format!("http://{}/graphql", listener.local_addr().unwrap()));
        let mut subscription = Subscription::quiet(&client);
        let server = async {
            let mut silent = accept(&listener, "a").await;
            // From here on time passes as fast as nothing happens.
            tokio::time::pause();
            assert_eq!(receive(&mut silent).await["type"], "ping");
            while silent.next().await.is_some_and(|message| message.is_ok()) {}
            tokio::time::resume();
            accept(&listener, "a").await
        };
        let reconnected = async {
            let next = subscription.next_with_ticks::<i32>(&json!({ "query": "a" }), |_| Ok(())).await.unwrap();
            assert!(matches!(next, Event::Reconnected));
        };
        tokio::join!(server, reconnected);
    }

    #[tokio::test]
    async fn close_codes_of_the_protocol_are_final() {
        let client = Client::of_url("http://127.0.0.1:1/graphql");
        let subscription = Subscription::new(&client);
        let close = |code: u16| subscription.closed(Some(CloseFrame { code: code.into(), reason: "why".into() }));
        assert!(matches!(close(4401), Loss::Permanent(failure) if failure.kind() == Kind::Denied));
        assert!(matches!(close(4400), Loss::Permanent(failure) if failure.kind() == Kind::Failed));
        assert!(matches!(close(4409), Loss::Permanent(failure) if failure.kind() == Kind::Failed));
        assert!(matches!(close(4408), Loss::Transient(failure) if failure.kind() == Kind::Unreachable));
        assert!(matches!(close(1012), Loss::Transient(failure) if failure.kind() == Kind::Unreachable));
    }
}
