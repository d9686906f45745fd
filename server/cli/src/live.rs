//! Subscriptions over WebSocket (`graphql-transport-ws`) that outlive a restart of the server.

use std::{cell::Cell, rc::Rc, time::Duration};

use futures::{SinkExt as _, StreamExt as _};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::{WebSocketStream, client_async};
use tungstenite::{Error, Message, client::IntoClientRequest as _, http::header};

use super::{
    client::{Client, Fault, authority},
    connection::{Stream, connect, unreachable},
    failure::{Failure, Kind, Result},
};

/// A silent connection is asked for a sign of life this often, and given up when none comes in the same time again.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The longest pause between two attempts to come back.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One subscription.
pub(super) struct Live<'a> {
    client: &'a Client,
    socket: Option<WebSocketStream<Box<dyn Stream>>>,
    /// How often in a row it was lost without an item in between.
    failures: u32,
    /// Whether it ever stood: a server that was never there is not waited for.
    stood: bool,
    /// Whether it is lost.
    away: Rc<Cell<bool>>,
    /// Whether to say so on stderr.
    says: bool,
}

/// What comes over a subscription.
pub(super) enum Next<T> {
    /// One result.
    Item(T),
    /// It stands again after a loss. What follows continues, or starts from the present, as the request says.
    Again,
    /// The server no longer keeps the cursor: the caller starts without one.
    MustRefetch,
    /// The server has completed it.
    End,
}

#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Payload<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<Fault>,
}

/// How an attempt ended.
enum Lost {
    /// It is worth another one.
    Passing(Failure),
    Final(Failure),
}

impl<'a> Live<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client, socket: None, failures: 0, stood: false, away: Rc::default(), says: true }
    }

    /// One that does not say when it is away, for the sake of a display that does.
    pub(super) fn silent(client: &'a Client) -> Self {
        Self { says: false, ..Self::new(client) }
    }

    /// Whether it is lost, to look at while [`Live::next`] waits.
    pub(super) fn away(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.away)
    }

    /// The next thing that comes. `request` is sent on each new connection, so it holds the cursor to resume from.
    ///
    /// Dropping the future loses no item, but an attempt to come back begins anew.
    pub(super) async fn next<T: DeserializeOwned>(&mut self, request: &impl serde::Serialize) -> Result<Next<T>> {
        loop {
            if self.socket.is_none() {
                let again = self.stood;
                match self.open(request).await {
                    Ok(socket) => self.socket = Some(socket),
                    Err(lost) => {
                        self.pause(lost).await?;
                        continue;
                    }
                }
                self.stood = true;
                self.away.set(false);
                if again {
                    if self.says {
                        eprintln!("toygres: connected again");
                    }
                    return Ok(Next::Again);
                }
            }
            match self.receive().await {
                Ok(next) => {
                    self.failures = 0;
                    if matches!(next, Next::MustRefetch) {
                        self.socket = None;
                        self.stood = false;
                    }
                    return Ok(next);
                }
                Err(lost) => {
                    self.socket = None;
                    self.pause(lost).await?;
                }
            }
        }
    }

    async fn pause(&mut self, lost: Lost) -> Result<()> {
        match lost {
            Lost::Passing(_) if self.stood => {
                self.away.set(true);
                if self.says && self.failures == 0 {
                    eprintln!("toygres: the connection is lost; trying again until Ctrl-C");
                }
                let pause = Duration::from_millis(250) * 2_u32.pow(self.failures.min(5));
                self.failures += 1;
                sleep(pause.min(LONGEST_PAUSE)).await;
                Ok(())
            }
            Lost::Passing(failure) | Lost::Final(failure) => Err(failure),
        }
    }

    async fn open(&self, request: &impl serde::Serialize) -> std::result::Result<WebSocketStream<Box<dyn Stream>>, Lost> {
        let url = &self.client.target.url;
        let opening = async {
            let stream = connect(url).await.map_err(Lost::Passing)?;
            // The stream stands already; the URL is for the request line and the header Host only.
            let plain = format!("ws://{}{}", authority(url), url.path());
            let mut handshake = plain.into_client_request().map_err(|error| self.broken(&error))?;
            handshake.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, header::HeaderValue::from_static("graphql-transport-ws"));
            let mut init = json!({ "type": "connection_init" });
            if let Some(token) = &self.client.target.token {
                let bearer = format!("Bearer {token}");
                handshake.headers_mut().insert(header::AUTHORIZATION, bearer.parse().map_err(|_| Lost::Final(self.client.unsendable()))?);
                init["payload"] = json!({ "Authorization": bearer });
            }
            let (mut socket, _) = client_async(handshake, stream).await.map_err(|error| self.broken(&error))?;
            socket.send(Message::text(init.to_string())).await.map_err(|error| self.broken(&error))?;
            loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) if kind(&text) == "connection_ack" => break,
                    Some(Ok(Message::Close(frame))) => return Err(self.closed(frame)),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(self.broken(&error)),
                    None => return Err(self.closed(None)),
                }
            }
            let subscribe = json!({ "id": "1", "type": "subscribe", "payload": request });
            socket.send(Message::text(subscribe.to_string())).await.map_err(|error| self.broken(&error))?;
            Ok(socket)
        };
        timeout(KEEP_ALIVE, opening).await.unwrap_or_else(|_| Err(Lost::Passing(unreachable(url, "it opens no subscription"))))
    }

    async fn receive<T: DeserializeOwned>(&mut self) -> std::result::Result<Next<T>, Lost> {
        let mut asked = false;
        let mut deadline = Instant::now() + KEEP_ALIVE;
        loop {
            let Some(socket) = &mut self.socket else { return Err(self.closed(None)) };
            let message = tokio::select! {
                message = socket.next() => message,
                () = sleep_until(deadline) => {
                    if asked || socket.send(Message::text(r#"{"type":"ping"}"#)).await.is_err() {
                        return Err(self.closed(None));
                    }
                    asked = true;
                    deadline = Instant::now() + KEEP_ALIVE;
                    continue;
                }
            };
            asked = false;
            deadline = Instant::now() + KEEP_ALIVE;
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => return Err(self.closed(frame)),
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(self.broken(&error)),
                None => return Err(self.closed(None)),
            };
            let Ok(Incoming { kind, payload }) = serde_json::from_str(&text) else { continue };
            let payload = payload.map_or("null", RawValue::get);
            match kind {
                "next" => {
                    let Payload { data, errors }: Payload<T> = parse(payload)?;
                    match (data, errors.into_iter().next()) {
                        (_, Some(fault)) => return self.faulty(fault),
                        (Some(data), None) => return Ok(Next::Item(data)),
                        (None, None) => {}
                    }
                }
                "error" => match parse::<Vec<Fault>>(payload)?.into_iter().next() {
                    Some(fault) => return self.faulty(fault),
                    None => return Err(self.closed(None)),
                },
                "complete" => return Ok(Next::End),
                "ping" => {
                    // A pong that cannot be sent shows up at the next receive.
                    let Some(socket) = &mut self.socket else { continue };
                    let _ = socket.send(Message::text(r#"{"type":"pong"}"#)).await;
                }
                _ => {}
            }
        }
    }

    fn faulty<T>(&self, fault: Fault) -> std::result::Result<Next<T>, Lost> {
        match fault.extensions.code.as_str() {
            "MUST_REFETCH" => Ok(Next::MustRefetch),
            // The server's fault or its wish, not the request's: worth another attempt.
            "INTERNAL" | "UNAVAILABLE" | "SLOW_CONSUMER" => Err(Lost::Passing(self.client.fault(fault))),
            _ => Err(Lost::Final(self.client.fault(fault))),
        }
    }

    fn closed(&self, frame: Option<tungstenite::protocol::CloseFrame>) -> Lost {
        let (code, reason) = frame.map_or((1006, String::new()), |frame| (u16::from(frame.code), frame.reason.to_string()));
        match code {
            4401 | 4403 => Lost::Final(self.client.unauthenticated(&reason)),
            4400..=4499 => Lost::Final(Failure::new(Kind::Failed, format!("the server closed the subscription: {reason} ({code})"))),
            _ => Lost::Passing(unreachable(&self.client.target.url, "it closed the subscription")),
        }
    }

    fn broken(&self, error: &Error) -> Lost {
        match error {
            Error::Http(response) if response.status() == 401 => Lost::Final(self.client.unauthenticated("")),
            Error::Http(response) if response.status().is_client_error() => {
                Lost::Final(Failure::new(Kind::Unreachable, format!("{} answered {} to a WebSocket", self.client.target.url, response.status())))
            }
            _ => Lost::Passing(unreachable(&self.client.target.url, &error.to_string())),
        }
    }
}

fn kind(text: &str) -> String {
    serde_json::from_str::<Value>(text).ok().and_then(|message| Some(message.get("type")?.as_str()?.to_owned())).unwrap_or_default()
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> std::result::Result<T, Lost> {
    serde_json::from_str(text).map_err(|error| Lost::Final(Failure::new(Kind::Failed, format!("the server's answer is not understood: {error}"))))
}
