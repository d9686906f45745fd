//! A fake server that speaks as much of the protocol as a hostile one would.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use toygres_postgres::Target;

use crate::server::app;

/// What the server sends.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// After the startup packet.
    pub login: Vec<u8>,
    /// To each later message of the client, if it is not empty.
    pub answer: Vec<u8>,
}

/// A fake server, which refuses TLS.
pub struct FakePostgres {
    pub target: Target,
    logins: Arc<AtomicUsize>,
}

impl FakePostgres {
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = app(listener.local_addr().unwrap().port());
        let logins = Arc::new(AtomicUsize::new(0));
        let counted = logins.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                // An error means that the client has refused, and closed the connection.
                tokio::spawn(serve(socket, script.clone()));
            }
        });
        Self { target, logins }
    }

    /// The connections so far.
    pub fn logins(&self) -> usize {
        self.logins.load(Ordering::SeqCst)
    }
}

async fn serve(mut socket: TcpStream, script: Script) -> std::io::Result<()> {
    accept_startup(&mut socket).await?;
    socket.write_all(&script.login).await?;
    loop {
        socket.read_u8().await?;
        let length = usize::try_from(socket.read_u32().await?).unwrap();
        socket.read_exact(&mut vec![0; length - 4]).await?;
        socket.write_all(&script.answer).await?;
    }
}

/// Refuses TLS and reads the startup packet.
pub async fn accept_startup(socket: &mut TcpStream) -> std::io::Result<()> {
    socket.read_exact(&mut [0; 8]).await?;
    socket.write_all(b"N").await?;
    let length = usize::try_from(socket.read_u32().await?).unwrap();
    socket.read_exact(&mut vec![0; length - 4]).await?;
    Ok(())
}

/// A message of the protocol.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[kind], length.as_slice(), body].concat()
}

/// A message about authentication.
pub fn authentication(code: u8, data: &[u8]) -> Vec<u8> {
    message(b'R', &[&[0, 0, 0, code], data].concat())
}

/// A login without a password.
pub fn welcome() -> Vec<u8> {
    [authentication(0, b""), ready()].concat()
}

/// `ReadyForQuery`.
pub fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

/// The answer to a query: one row.
pub fn row(columns: &[&[u8]]) -> Vec<u8> {
    let count = u16::try_from(columns.len()).unwrap().to_be_bytes().to_vec();
    // A name, and the numbers of a text column.
    let field = [b"c\0".as_slice(), &[0; 18]].concat();
    let value = |column: &&[u8]| [u32::try_from(column.len()).unwrap().to_be_bytes().as_slice(), column].concat();
    let description = [count.clone(), field.repeat(columns.len())].concat();
    let values = [count, columns.iter().flat_map(value).collect()].concat();
    [message(b'T', &description), message(b'D', &values), message(b'C', b"SELECT 1\0"), ready()].concat()
}
