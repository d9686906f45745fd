//! A session with a hosted server, which is its owner's and is not trusted: it may send anything, and as much as it likes.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};
use tokio_native_tls::native_tls;
use tokio_postgres::{Client, Connection, NoTls, SimpleQueryMessage, config::SslMode, tls::NoTlsStream};

use super::Target;

/// `SSLRequest` of the protocol: its length and its code.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// Bytes that one message may have. The answers to our queries have fewer than a hundred.
const MAX_MESSAGE: usize = 64 * 1024;
/// Bytes that a server may send for the login, and for each query.
const MAX_ANSWER: usize = 256 * 1024;

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
    allowance: Allowance,
}

impl Session {
    /// Logs in. The password is only sent as a proof (SCRAM): a server that asks for it in clear text, or for its MD5 digest, is
    /// refused. TLS is used if the server offers it.
    pub(super) async fn log_in(target: &Target) -> Result<Self, SessionError> {
        let allowance = Allowance::default();
        let stream = Guarded::new(open(target).await?, allowance.clone());
        let mut config = tokio_postgres::Config::new();
        config
            .user(&target.username)
            .password(target.password.expose())
            .dbname(&target.database)
            .application_name("toygres-health-check")
            // The minimum, so that the sort of a check uses a temporary file.
            .options("-c work_mem=64kB")
            // TLS is below the stream.
            .ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect_raw(stream, NoTls).await?;
        Ok(Self { client, connection, allowance })
    }

    /// The first row of a query, as text.
    pub(super) async fn row<const N: usize>(&mut self, query: &str) -> Result<[Option<String>; N], SessionError> {
        let Self { client, connection, allowance } = self;
        allowance.renew();
        let messages = tokio::select! {
            biased;
            messages = client.simple_query(query) => messages?,
            error = ended(connection) => return Err(error),
        };
        let row = messages.iter().find_map(|message| match message {
            // `get` panics at a text that is not UTF-8, which the server decides.
            SimpleQueryMessage::Row(row) if row.len() == N => {
                Some(std::array::from_fn(|column| row.try_get(column).ok().flatten().map(str::to_owned)))
            }
            _ => None,
        });
        row.ok_or_else(|| SessionError::Protocol("the answer to the query has other columns".to_owned()))
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

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// Connects, with TLS if the server offers it.
async fn open(target: &Target) -> Result<Box<dyn Io>, SessionError> {
    let mut stream = TcpStream::connect((target.endpoint.host.as_str(), target.endpoint.port)).await?;
    stream.set_nodelay(true)?;
    stream.write_all(&SSL_REQUEST).await?;
    match stream.read_u8().await? {
        b'N' => Ok(Box::new(stream)),
        b'S' => {
            let tls = |error: native_tls::Error| SessionError::Tls(error.to_string());
            // Instances have certificates of their own; the proof of the password works in both directions (SCRAM).
            let connector =
                native_tls::TlsConnector::builder().danger_accept_invalid_certs(true).danger_accept_invalid_hostnames(true).build().map_err(tls)?;
            let stream = tokio_native_tls::TlsConnector::from(connector).connect(&target.endpoint.host, stream).await.map_err(tls)?;
            Ok(Box::new(stream))
        }
        _ => Err(SessionError::Protocol("the answer to the request for TLS is not one of PostgreSQL".to_owned())),
    }
}

/// The bytes that the server may still send. Clones share them.
#[derive(Clone, Debug)]
struct Allowance(Arc<AtomicUsize>);

impl Default for Allowance {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(MAX_ANSWER)))
    }
}

impl Allowance {
    fn renew(&self) {
        self.0.store(MAX_ANSWER, Ordering::Relaxed);
    }

    fn spend(&self, bytes: usize) -> Result<(), Refusal> {
        let left = self.0.load(Ordering::Relaxed).checked_sub(bytes).ok_or(Refusal("it sends too much"))?;
        self.0.store(left, Ordering::Relaxed);
        Ok(())
    }
}

/// Why a server is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
struct Refusal(&'static str);

/// A stream that looks at the messages of the server before anything else does, and fails at what is refused.
struct Guarded {
    stream: Box<dyn Io>,
    messages: Messages,
    allowance: Allowance,
}

impl Guarded {
    fn new(stream: Box<dyn Io>, allowance: Allowance) -> Self {
        Self { stream, messages: Messages::default(), allowance }
    }
}

/// Where in the stream of messages its next byte is. A message is a type (one byte), a length that includes itself (four), and a
/// body.
#[derive(Debug, Default)]
struct Messages {
    /// The type and the length, as far as they have been read, and the first bytes of the body.
    head: Vec<u8>,
    /// Bytes of the body that have not been read.
    body: usize,
}

impl Messages {
    const HEAD: usize = 5;
    /// The head and the code of a message that asks for authentication.
    const HEAD_AND_CODE: usize = 9;
    /// `AuthenticationOk`, and the three steps of SASL.
    const PERMITTED: [[u8; 4]; 4] = [[0, 0, 0, 0], [0, 0, 0, 10], [0, 0, 0, 11], [0, 0, 0, 12]];

    /// Looks at the next bytes.
    fn inspect(&mut self, mut bytes: &[u8]) -> Result<(), Refusal> {
        while !bytes.is_empty() {
            if self.head.len() < Self::HEAD {
                let (next, rest) = bytes.split_at(bytes.len().min(Self::HEAD - self.head.len()));
                self.head.extend_from_slice(next);
                bytes = rest;
                if let [_, length @ ..] = self.head.as_slice()
                    && let Ok(length) = <[u8; 4]>::try_from(length)
                {
                    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                    self.body = length.checked_sub(4).filter(|body| *body <= MAX_MESSAGE).ok_or(Refusal("it sends a message that is too long"))?;
                }
            } else {
                let (next, rest) = bytes.split_at(bytes.len().min(self.body));
                if self.head[0] == b'R' && self.head.len() < Self::HEAD_AND_CODE {
                    self.head.extend_from_slice(&next[..next.len().min(Self::HEAD_AND_CODE - self.head.len())]);
                    if self.head.len() == Self::HEAD_AND_CODE && !Self::PERMITTED.iter().any(|code| self.head.ends_with(code)) {
                        return Err(Refusal("it asks for the password itself or for its MD5 digest, not for a proof of it (SCRAM)"));
                    }
                }
                self.body -= next.len();
                bytes = rest;
            }
            if self.head.len() >= Self::HEAD && self.body == 0 {
                self.head.clear();
            }
        }
        Ok(())
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        let read = &buffer.filled()[before..];
        let permitted = this.allowance.spend(read.len()).and_then(|()| this.messages.inspect(read));
        Poll::Ready(permitted.map_err(|refusal| io::Error::new(io::ErrorKind::PermissionDenied, refusal)))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind], length.as_slice(), body].concat()
    }

    /// What becomes of a stream, whatever its pieces are.
    fn inspected(stream: &[u8]) -> Result<(), Refusal> {
        let outcomes: Vec<_> = [1, 2, 3, 7, 1000]
            .into_iter()
            .map(|size| {
                let mut messages = Messages::default();
                stream.chunks(size).try_for_each(|chunk| messages.inspect(chunk))
            })
            .collect();
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
        outcomes[0]
    }

    #[test]
    fn only_proofs_of_the_password_are_given() {
        let ready = [message(b'S', b"a\0b\0"), message(b'Z', b"I")].concat();
        let asked = |code: u8, rest: &[u8]| inspected(&[message(b'R', &[&[0, 0, 0, code], rest].concat()), ready.clone()].concat());
        assert_eq!(asked(0, b""), Ok(()));
        for step in [10, 11, 12] {
            assert_eq!(asked(step, b"SCRAM-SHA-256\0\0"), Ok(()));
        }
        assert!(asked(3, b"").unwrap_err().0.contains("SCRAM"), "clear text");
        assert!(asked(5, b"salt").unwrap_err().0.contains("SCRAM"), "MD5");
        assert!(asked(7, b"").is_err(), "GSSAPI");
        // Later in the session too.
        assert!(inspected(&[ready, message(b'R', &[0, 0, 0, 3])].concat()).is_err());
    }

    #[test]
    fn messages_have_a_limit_that_is_known_from_their_head() {
        assert_eq!(inspected(&message(b'D', &vec![0; MAX_MESSAGE])), Ok(()));
        assert!(inspected(&message(b'D', &vec![0; MAX_MESSAGE + 1])[..5]).is_err());
        assert!(inspected(&[b'E', 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(inspected(&[b'E', 0, 0, 0, 3]).is_err(), "shorter than its own length");
        assert_eq!(inspected(&[message(b'I', b""), message(b'Z', b"I")].concat()), Ok(()), "empty bodies");
    }

    #[test]
    fn an_answer_has_a_limit() {
        let allowance = Allowance::default();
        assert_eq!(allowance.spend(MAX_ANSWER), Ok(()));
        assert!(allowance.spend(1).is_err());
        allowance.renew();
        assert_eq!(allowance.spend(1), Ok(()));
    }
}
