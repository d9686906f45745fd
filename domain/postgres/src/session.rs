//! A session with a hosted server, which is its owner's and is not trusted: it may send anything, and as much as it likes.

mod connector;
pub(super) mod guarded;
pub(super) mod rules;
pub(super) mod settings;

use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_native_tls::native_tls;
use tokio_postgres::{Client, Connection, NoTls, SimpleQueryMessage, SimpleQueryRow, config::SslMode, tls::NoTlsStream};

use self::guarded::{Guard, Guarded, Io, MAX_ANSWER, Refusal};
use super::Target;
use toygres_domain::{certificate::ServerIdentity, instance::Endpoint};

/// `SSLRequest` of the protocol: its length and its code.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// What a session fails with.
#[derive(Debug)]
pub(super) enum SessionError {
    /// The connection could not be made, or was lost.
    Io(io::Error),
    /// The TLS handshake failed.
    Tls(String),
    /// The server answered with an error: its SQLSTATE and its message.
    Server(String, String),
    /// What the server demands or sends is refused.
    Refused(&'static str),
    /// The answer is not one of a PostgreSQL server.
    Protocol(String),
}

/// A logged-in session.
pub(super) struct Session {
    client: Client,
    connection: Connection<Guarded, NoTlsStream>,
    guard: Guard,
}

impl Session {
    /// Logs in to a database, as `application` in `pg_stat_activity`. The password is only sent as a proof (SCRAM): a server that asks for
    /// anything else is refused. TLS is used if the server offers it; its certificate must be the one of the target.
    pub(super) async fn log_in(target: &Target, database: &str, application: &str) -> Result<Self, SessionError> {
        let guard = Guard::default();
        let stream = Guarded::new(open(target).await?, guard.clone());
        let mut config = tokio_postgres::Config::new();
        config
            .user(&target.username)
            .password(target.password.expose())
            .dbname(database)
            .application_name(application)
            .options(settings::options())
            // TLS is below the stream.
            .ssl_mode(SslMode::Disable);
        let mut login: Login = Box::pin(async move { config.connect_raw(stream, NoTls).await });
        let (client, connection) = tokio::select! {
            biased;
            outcome = &mut login => outcome,
            () = guard.challenged() => prove(login).await,
        }?;
        let mut session = Self { client, connection, guard };
        if let Some(statement) = session.connection.parameter("server_version").and_then(settings::statement) {
            session.execute(statement).await?;
        }
        Ok(session)
    }

    /// The major version of the server; 0 if it does not tell.
    pub(super) fn major_version(&self) -> u32 {
        self.connection.parameter("server_version").and_then(settings::major_version).unwrap_or_default()
    }

    /// The first row of a query, as text.
    pub(super) async fn row<const N: usize>(&mut self, query: &str) -> Result<[Option<String>; N], SessionError> {
        let messages = self.answer(query, MAX_ANSWER).await?;
        rows(&messages).next().unwrap_or_else(|| Err(SessionError::Protocol("the answer to the query has other columns".to_owned())))
    }

    /// All rows of a query, as text, in an answer of at most `max_bytes`. There must be a `LIMIT` that keeps to it.
    pub(super) async fn rows<const N: usize>(&mut self, query: &str, max_bytes: usize) -> Result<Vec<[Option<String>; N]>, SessionError> {
        rows(&self.answer(query, max_bytes).await?).collect()
    }

    /// Runs statements, which are one transaction if there are several.
    pub(super) async fn execute(&mut self, statements: &str) -> Result<(), SessionError> {
        self.answer(statements, MAX_ANSWER).await.map(drop)
    }

    async fn answer(&mut self, query: &str, max_bytes: usize) -> Result<Vec<SimpleQueryMessage>, SessionError> {
        let Self { client, connection, guard } = self;
        guard.renew(max_bytes);
        tokio::select! {
            biased;
            messages = client.simple_query(query) => Ok(messages?),
            error = ended(connection) => Err(error),
        }
    }

    /// Completes when the connection is lost.
    pub(super) async fn lost(&mut self) -> SessionError {
        ended(&mut self.connection).await
    }

    /// Says goodbye, so that the server need not find out that the session has ended.
    pub(super) async fn close(self) {
        let Self { client, mut connection, .. } = self;
        drop(client);
        ended(&mut connection).await;
    }
}

/// The rows of an answer that have this many columns.
fn rows<const N: usize>(messages: &[SimpleQueryMessage]) -> impl Iterator<Item = Result<[Option<String>; N], SessionError>> {
    messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) if row.len() == N => Some(columns(row)),
        _ => None,
    })
}

fn columns<const N: usize>(row: &SimpleQueryRow) -> Result<[Option<String>; N], SessionError> {
    let mut columns = [const { None }; N];
    for (index, column) in columns.iter_mut().enumerate() {
        // `get` panics on text that is not UTF-8, and the server chooses the text.
        let text = row.try_get(index).map_err(|_| SessionError::Protocol("the answer to the query is not in UTF-8".to_owned()))?;
        *column = text.map(str::to_owned);
    }
    Ok(columns)
}

type LoggedIn = Result<(Client, Connection<Guarded, NoTlsStream>), tokio_postgres::Error>;
type Login = Pin<Box<dyn Future<Output = LoggedIn> + Send>>;

/// Continues a login whose next step computes the proof of the password. The server chooses how long that takes, within limits, so the
/// step is made outside of the threads that run everything else.
async fn prove(mut login: Login) -> LoggedIn {
    let step = tokio::task::spawn_blocking(move || {
        let outcome = login.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        (login, outcome)
    });
    match step.await {
        Ok((_, Poll::Ready(outcome))) => outcome,
        Ok((login, Poll::Pending)) => login.await,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The control plane is stopping.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Drives a connection until it ends. What the server sends unasked is dropped, because the log is not its owner's.
async fn ended(connection: &mut Connection<Guarded, NoTlsStream>) -> SessionError {
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(_)) => {}
            Some(Err(error)) => return error.into(),
            None => return SessionError::Io(io::ErrorKind::ConnectionReset.into()),
        }
    }
}

/// Connects, with TLS if the server offers it, or must.
pub(super) async fn open(target: &Target) -> Result<Box<dyn Io>, SessionError> {
    let identity = target.identity.as_ref();
    match request_tls(&target.endpoint).await? {
        (stream, true) => Ok(Box::new(handshake(&target.endpoint, identity, stream).await?)),
        // Whoever can read the connection could also have answered this.
        (_, false) if identity.is_some_and(|identity| identity.required) => {
            Err(SessionError::Tls("the server offers no TLS, and it has a certificate".to_owned()))
        }
        (stream, false) => Ok(Box::new(stream)),
    }
}

/// The certificate that the server presents, in DER; `None` if it offers no TLS.
pub(super) async fn presented_certificate(endpoint: &Endpoint) -> Result<Option<Vec<u8>>, SessionError> {
    let (stream, true) = request_tls(endpoint).await? else { return Ok(None) };
    let stream = handshake(endpoint, None, stream).await?;
    let certificate = stream.get_ref().peer_certificate().map_err(refused)?;
    certificate.map(|certificate| certificate.to_der()).transpose().map_err(refused)
}

/// Connects and asks for TLS. Returns whether the server offers it.
async fn request_tls(endpoint: &Endpoint) -> Result<(TcpStream, bool), SessionError> {
    let mut stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
    stream.set_nodelay(true)?;
    stream.write_all(&SSL_REQUEST).await?;
    match stream.read_u8().await? {
        b'N' => Ok((stream, false)),
        b'S' => Ok((stream, true)),
        _ => Err(SessionError::Protocol("the answer to the request for TLS is not one of PostgreSQL".to_owned())),
    }
}

async fn handshake(
    endpoint: &Endpoint,
    identity: Option<&ServerIdentity>,
    stream: TcpStream,
) -> Result<tokio_native_tls::TlsStream<TcpStream>, SessionError> {
    let (connector, name) = match identity {
        Some(ServerIdentity { authorities, name, required: _ }) => (connector::verifying(authorities), name),
        None => (connector::trusting(), &endpoint.host),
    };
    let connector = connector.map_err(refused)?;
    tokio_native_tls::TlsConnector::from(connector).connect(name, stream).await.map_err(refused)
}

fn refused(error: native_tls::Error) -> SessionError {
    SessionError::Tls(error.to_string())
}

impl From<io::Error> for SessionError {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Refusal>()) {
            Some(refusal) => Self::Refused(refusal.0),
            None => Self::Io(error),
        }
    }
}

impl From<tokio_postgres::Error> for SessionError {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(error) = error.as_db_error() {
            return Self::Server(error.code().code().to_owned(), error.message().to_owned());
        }
        if error.is_closed() {
            return Self::Io(io::ErrorKind::ConnectionReset.into());
        }
        let text = error.to_string();
        match error.into_source().map(|source| source.downcast::<io::Error>()) {
            Some(Ok(error)) => (*error).into(),
            Some(Err(source)) => Self::Protocol(format!("{text}: {source}")),
            None => Self::Protocol(text),
        }
    }
}
