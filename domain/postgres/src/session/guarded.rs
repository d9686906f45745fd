//! The stream below a session, which refuses what costs too much or reveals the password before the client library sees it.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
};

/// Bytes that one message may have. A row of our queries has fewer than ten thousand.
const MAX_MESSAGE: usize = 64 * 1024;
/// Bytes that a message about authentication may have. Those of PostgreSQL have fewer than two hundred.
const MAX_AUTHENTICATION: usize = 1024;
/// Bytes that a server may send for the login, and for each query that does not say otherwise.
pub(super) const MAX_ANSWER: usize = 256 * 1024;
/// Asynchronous messages (parameters, notices, notifications) that a server may send during a session. The client library keeps each
/// parameter that it reads. PostgreSQL reports about fifteen after the login, and then those that change.
const MAX_UNASKED: usize = 1000;
/// Bytes of all these messages.
const MAX_UNASKED_BYTES: usize = 64 * 1024;
/// Iterations of the proof of the password, which the server chooses. PostgreSQL's default is 4,096; the owner can raise it from 16 on
/// (`scram_iterations`). The client library (postgres-protocol) and PostgreSQL's JDBC driver accept no more than this either.
const MAX_ITERATIONS: u32 = 100_000;

pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// What the session and its stream share.
#[derive(Clone, Debug)]
pub(crate) struct Guard(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// The bytes that the server may still send.
    allowance: AtomicUsize,
    challenged: Notify,
}

impl Default for Guard {
    fn default() -> Self {
        Self(Arc::new(Shared { allowance: AtomicUsize::new(MAX_ANSWER), challenged: Notify::new() }))
    }
}

impl Guard {
    /// Permits the answer to one more query, of this many bytes.
    pub(super) fn renew(&self, max_bytes: usize) {
        self.0.allowance.store(max_bytes, Ordering::Relaxed);
    }

    /// Completes when the server has sent what the proof of the password is computed from. The stream withholds it until its next
    /// read, which is the caller's to make.
    pub(crate) async fn challenged(&self) {
        self.0.challenged.notified().await;
    }

    fn spend(&self, bytes: usize) -> Result<(), Refusal> {
        let left = self.0.allowance.load(Ordering::Relaxed).checked_sub(bytes).ok_or(Refusal("it sends too much"))?;
        self.0.allowance.store(left, Ordering::Relaxed);
        Ok(())
    }
}

/// Why a server is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refusal(pub(super) &'static str);

/// A stream that inspects the messages of the server before the client library does, and fails on those that are refused.
pub(crate) struct Guarded {
    stream: Box<dyn Io>,
    messages: Messages,
    guard: Guard,
    /// What was read and is withheld, with the challenge in it.
    withheld: Vec<u8>,
    challenged: bool,
}

impl Guarded {
    pub(crate) fn new(stream: Box<dyn Io>, guard: Guard) -> Self {
        Self { stream, messages: Messages::default(), guard, withheld: Vec::new(), challenged: false }
    }

    /// The stream below, for a protocol that checks its messages itself, once the login is complete.
    pub(crate) fn into_inner(self) -> Box<dyn Io> {
        self.stream
    }
}

/// The position in the stream of messages. A message is a type (one byte), a length that includes itself (four), and a
/// body.
#[derive(Debug, Default)]
struct Messages {
    /// The type and the length, as far as they have been read; and the body, if the message is about authentication.
    head: Vec<u8>,
    /// Bytes of the body that have not been read.
    body: usize,
    /// Asynchronous messages so far, and their bytes.
    unasked: (usize, usize),
}

impl Messages {
    const HEAD: usize = 5;

    /// Inspects the next bytes. Returns whether a SCRAM challenge ended in them.
    fn inspect(&mut self, mut bytes: &[u8]) -> Result<bool, Refusal> {
        let mut challenged = false;
        while !bytes.is_empty() {
            if self.head.len() < Self::HEAD {
                let (next, rest) = bytes.split_at(bytes.len().min(Self::HEAD - self.head.len()));
                self.head.extend_from_slice(next);
                bytes = rest;
                if let [kind, length @ ..] = self.head.as_slice()
                    && let Ok(length) = <[u8; 4]>::try_from(length)
                {
                    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                    self.body = self.permitted_body(*kind, length)?;
                }
            } else {
                let (next, rest) = bytes.split_at(bytes.len().min(self.body));
                if self.head[0] == b'R' {
                    self.head.extend_from_slice(next);
                }
                self.body -= next.len();
                bytes = rest;
            }
            if self.head.len() >= Self::HEAD && self.body == 0 {
                if self.head[0] == b'R' {
                    challenged |= authentication(&self.head[Self::HEAD..])?;
                }
                self.head.clear();
            }
        }
        Ok(challenged)
    }

    /// The length of the body of a message with this type and this length, if the server may send it.
    fn permitted_body(&mut self, kind: u8, length: usize) -> Result<usize, Refusal> {
        let limit = if kind == b'R' { MAX_AUTHENTICATION } else { MAX_MESSAGE };
        let body = length.checked_sub(4).filter(|body| *body <= limit).ok_or(Refusal("it sends a message that is too long"))?;
        // `ParameterStatus`, `NoticeResponse` and `NotificationResponse`.
        if matches!(kind, b'S' | b'N' | b'A') {
            let (messages, bytes) = &mut self.unasked;
            (*messages, *bytes) = (*messages + 1, *bytes + Self::HEAD + body);
            if *messages > MAX_UNASKED || *bytes > MAX_UNASKED_BYTES {
                return Err(Refusal("it sends too much that nobody asked for"));
            }
        }
        Ok(body)
    }
}

/// Inspects a message about authentication. Returns whether it is the SCRAM challenge.
fn authentication(body: &[u8]) -> Result<bool, Refusal> {
    let (code, data) = body.split_first_chunk().ok_or(Refusal("it sends a message that is too short"))?;
    match u32::from_be_bytes(*code) {
        // `AuthenticationOk`, and the mechanisms and the end of SASL.
        0 | 10 | 12 => Ok(false),
        11 => {
            // As RFC 5802 says: `r=...,s=...,i=...`.
            let iterations = std::str::from_utf8(data).ok().and_then(|data| data.split(',').find_map(|attribute| attribute.strip_prefix("i=")));
            match iterations.map(str::parse) {
                Some(Ok(0..=MAX_ITERATIONS)) => Ok(true),
                _ => Err(Refusal(
                    "it asks for a proof of the password that takes more than 100,000 iterations; lower scram_iterations, and set the \
                     password again",
                )),
            }
        }
        _ => Err(Refusal(
            "it asks for the password itself or for its MD5 digest, or for another login method, but gets only a proof of the password; \
             pg_hba.conf must have scram-sha-256 for this role, and its password must be set while password_encryption is scram-sha-256 \
             (SCRAM)",
        )),
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.withheld.is_empty() {
            let next = this.withheld.len().min(buffer.remaining());
            buffer.put_slice(&this.withheld[..next]);
            this.withheld.drain(..next);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        let read = &buffer.filled()[before..];
        let challenged = this.guard.spend(read.len()).and_then(|()| this.messages.inspect(read));
        match challenged {
            Ok(false) => Poll::Ready(Ok(())),
            Ok(true) if this.challenged => Poll::Ready(Err(refused(Refusal("it asks for a second proof of the password")))),
            Ok(true) => {
                this.challenged = true;
                this.withheld.extend_from_slice(read);
                buffer.set_filled(before);
                this.guard.0.challenged.notify_one();
                Poll::Pending
            }
            Err(refusal) => Poll::Ready(Err(refused(refusal))),
        }
    }
}

fn refused(refusal: Refusal) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, refusal)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind], length.as_slice(), body].concat()
    }

    /// The outcome of inspecting a stream, which must not depend on how it is split.
    fn inspected(stream: &[u8]) -> Result<bool, Refusal> {
        let outcomes: Vec<_> = [1, 2, 3, 7, 1000]
            .into_iter()
            .map(|size| {
                let mut messages = Messages::default();
                stream.chunks(size).try_fold(false, |challenged, chunk| Ok(challenged | messages.inspect(chunk)?))
            })
            .collect();
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
        outcomes[0]
    }

    #[test]
    fn only_proofs_of_the_password_are_given() {
        let ready = [message(b'S', b"a\0b\0"), message(b'Z', b"I")].concat();
        let asked = |code: u8, rest: &[u8]| inspected(&[message(b'R', &[&[0, 0, 0, code], rest].concat()), ready.clone()].concat());
        assert_eq!(asked(0, b""), Ok(false));
        assert_eq!(asked(10, b"SCRAM-SHA-256\0\0"), Ok(false));
        assert_eq!(asked(11, b"r=nonce,s=c2FsdA==,i=4096"), Ok(true));
        assert_eq!(asked(12, b"v=signature"), Ok(false));
        assert!(asked(3, b"").unwrap_err().0.contains("SCRAM"), "clear text");
        assert!(asked(5, b"salt").unwrap_err().0.contains("SCRAM"), "MD5");
        assert!(asked(7, b"").is_err(), "GSSAPI");
        // Later in the session too.
        assert!(inspected(&[ready, message(b'R', &[0, 0, 0, 3])].concat()).is_err());
        assert!(inspected(&message(b'R', &[0, 0])).is_err(), "cut off");
    }

    #[test]
    fn a_proof_has_a_limit_of_iterations() {
        let asked = |challenge: &str| inspected(&message(b'R', &[&[0, 0, 0, 11], challenge.as_bytes()].concat()));
        assert_eq!(asked("r=n,s=c2FsdA==,i=100000"), Ok(true));
        for count in ["100001", "2147483647", "4294967296", "-1", "", "x"] {
            assert!(asked(&format!("r=n,s=c2FsdA==,i={count}")).is_err(), "{count}");
        }
        assert!(asked("r=n,s=c2FsdA==").is_err(), "no count");
    }

    #[test]
    fn what_is_sent_unasked_has_a_limit_for_the_session() {
        let outcome = |kind: u8, size: usize, count: usize| {
            let mut messages = Messages::default();
            (0..count).try_for_each(|_| messages.inspect(&message(kind, &vec![b'a'; size])).map(drop))
        };
        for kind in [b'S', b'N', b'A'] {
            assert_eq!(outcome(kind, 10, MAX_UNASKED), Ok(()));
            assert!(outcome(kind, 10, MAX_UNASKED + 1).is_err());
            assert!(outcome(kind, MAX_UNASKED_BYTES / 10, 10).is_err(), "with the heads");
        }
        assert_eq!(outcome(b'D', 10, MAX_UNASKED + 1), Ok(()), "an answer has its own limit");
    }

    #[test]
    fn messages_have_a_limit_that_is_known_from_their_head() {
        assert_eq!(inspected(&message(b'D', &vec![0; MAX_MESSAGE])), Ok(false));
        assert!(inspected(&message(b'D', &vec![0; MAX_MESSAGE + 1])[..5]).is_err());
        assert!(inspected(&[b'E', 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(inspected(&[b'E', 0, 0, 0, 3]).is_err(), "shorter than its own length");
        assert_eq!(inspected(&[message(b'I', b""), message(b'Z', b"I")].concat()), Ok(false), "empty bodies");
        assert!(inspected(&message(b'R', &[0; MAX_AUTHENTICATION + 1])[..5]).is_err());
    }

    #[test]
    fn an_answer_has_a_limit() {
        let guard = Guard::default();
        assert_eq!(guard.spend(MAX_ANSWER), Ok(()));
        assert!(guard.spend(1).is_err());
        guard.renew(2);
        assert_eq!(guard.spend(2), Ok(()));
        assert!(guard.spend(1).is_err());
    }
}
