//! Messages to and from the server.

use bytes::{Buf, Bytes, BytesMut};
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::{
    backend::{DataRowBody, ErrorResponseBody, Message},
    frontend,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::session::SessionError;

/// Bytes that a message may have. PostgreSQL sends at most 128 KiB of WAL in one, and 32 KiB of a base backup.
const MAX_MESSAGE: usize = 1 << 20;
/// Bytes that all rows of an answer may have. The largest is a timeline's history.
const MAX_ANSWER: usize = 1 << 20;
/// The capacity that the buffer of an idle stream keeps.
const IDLE_CAPACITY: usize = 8 << 10;

/// The columns of a row, `None` for NULL.
pub(super) type Row = Vec<Option<Bytes>>;

/// What the server sends.
pub(super) enum Frame {
    /// The server accepts the stream in both directions. The library does not know this message.
    CopyBoth,
    Message(Message),
}

pub(super) struct Wire<S> {
    stream: S,
    input: BytesMut,
    output: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, input: BytesMut::new(), output: BytesMut::new() }
    }

    /// The stream, if everything read from it was used.
    pub(super) fn into_stream(self) -> Result<S, SessionError> {
        if self.input.is_empty() { Ok(self.stream) } else { Err(SessionError::Protocol("it sends what nobody asked for".to_owned())) }
    }

    /// The next frame. Cancelling it loses nothing. Notices and parameters are skipped.
    pub(super) async fn frame(&mut self) -> Result<Frame, SessionError> {
        loop {
            match self.buffered()? {
                Some(Frame::Message(Message::NoticeResponse(_) | Message::ParameterStatus(_) | Message::NotificationResponse(_))) => {}
                Some(frame) => return Ok(frame),
                None => {
                    if self.input.is_empty() && self.input.capacity() > IDLE_CAPACITY {
                        self.input = BytesMut::with_capacity(IDLE_CAPACITY);
                    }
                    if self.stream.read_buf(&mut self.input).await? == 0 {
                        return Err(SessionError::Io(std::io::ErrorKind::ConnectionReset.into()));
                    }
                }
            }
        }
    }

    /// A frame that has been read completely.
    fn buffered(&mut self) -> Result<Option<Frame>, SessionError> {
        let Some(head) = self.input.first_chunk::<5>() else { return Ok(None) };
        let [tag, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if !(4..=MAX_MESSAGE).contains(&length) {
            return Err(SessionError::Refused("it sends a message that is too long, or too short"));
        }
        if self.input.len() < 1 + length {
            self.input.reserve(1 + length - self.input.len());
            return Ok(None);
        }
        if tag == b'W' {
            self.input.advance(1 + length);
            return Ok(Some(Frame::CopyBoth));
        }
        Ok(Message::parse(&mut self.input)?.map(Frame::Message))
    }

    /// Sends what `write` appends.
    pub(super) async fn send(&mut self, write: impl FnOnce(&mut BytesMut) -> std::io::Result<()>) -> Result<(), SessionError> {
        write(&mut self.output)?;
        self.flush().await
    }

    /// Sends what has not been sent. A message whose sending was cancelled is continued.
    async fn flush(&mut self) -> Result<(), SessionError> {
        while self.output.has_remaining() {
            self.stream.write_buf(&mut self.output).await?;
        }
        self.stream.flush().await?;
        Ok(())
    }

    /// Sends a command.
    pub(super) async fn query(&mut self, command: &str) -> Result<(), SessionError> {
        self.send(|output| frontend::query(command, output)).await
    }

    pub(super) async fn terminate(&mut self) -> Result<(), SessionError> {
        self.send(|output| {
            frontend::terminate(output);
            Ok(())
        })
        .await
    }

    /// The rows of an answer, until the server is ready for the next command.
    pub(super) async fn rows_until_ready(&mut self) -> Result<Vec<Row>, SessionError> {
        self.rows(false).await
    }

    /// The same for the rows that end a stream. A server that has ended it may still answer what it was asked before.
    pub(super) async fn rows_after_stream(&mut self) -> Result<Vec<Row>, SessionError> {
        self.rows(true).await
    }

    async fn rows(&mut self, after_stream: bool) -> Result<Vec<Row>, SessionError> {
        let (mut rows, mut bytes, mut error) = (Vec::new(), 0, None);
        loop {
            match self.frame().await? {
                Frame::Message(Message::DataRow(body)) => {
                    bytes += body.buffer().len() + size_of::<Row>();
                    if bytes > MAX_ANSWER {
                        return Err(SessionError::Refused("it sends too much"));
                    }
                    rows.push(row(&body)?);
                }
                Frame::Message(Message::RowDescription(_) | Message::CommandComplete(_) | Message::EmptyQueryResponse) => {}
                Frame::Message(Message::CopyData(_)) if after_stream => {}
                Frame::Message(Message::ErrorResponse(body)) => error = Some(server_error(&body)),
                Frame::Message(Message::ReadyForQuery(_)) => return error.map_or(Ok(rows), Err),
                _ => return Err(SessionError::Protocol("the answer is not one of PostgreSQL".to_owned())),
            }
        }
    }
}

/// The columns of a row.
pub(super) fn row(body: &DataRowBody) -> Result<Row, SessionError> {
    let bytes = body.buffer_bytes();
    Ok(body.ranges().map(|range| Ok(range.map(|range| bytes.slice(range)))).collect()?)
}

/// What an error of the server says, with its SQLSTATE.
pub(super) fn server_error(body: &ErrorResponseBody) -> SessionError {
    let (mut sqlstate, mut message) = (String::new(), String::new());
    let mut fields = body.fields();
    while let Ok(Some(field)) = fields.next() {
        let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => sqlstate = value(),
            b'M' => message = value(),
            _ => {}
        }
    }
    SessionError::Server(sqlstate, message)
}
