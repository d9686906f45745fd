//! A proxy in front of a store, which fails as it is told to.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It answers with this status.
    Status(u16),
    /// It passes each request on after a while.
    Slow(Duration),
    /// It passes on half of an upload, and closes both connections.
    UploadInterrupted,
    /// It passes an upload on, and closes the connection instead of answering.
    AnswerLost,
    /// It closes each connection.
    Away,
}

/// A proxy. It ends when it is dropped.
pub struct Proxy {
    endpoint: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    /// The `host:port` of the store.
    store: String,
    /// The fault, and how many requests it still affects.
    fault: Mutex<Option<(Fault, u32)>>,
    failed: AtomicU32,
}

impl Proxy {
    /// Starts one for the store at an address such as `http://127.0.0.1:9000/path`.
    pub async fn start(store: &str) -> Self {
        let address = store.strip_prefix("http://").unwrap();
        let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}{path}", listener.local_addr().unwrap());
        let state = Arc::new(State { store: host.to_owned(), fault: Mutex::default(), failed: AtomicU32::default() });
        let served = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = served.clone();
                tokio::spawn(async move { state.serve(client).await });
            }
        });
        Self { endpoint, state, task }
    }

    /// The address of the store by way of this proxy.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Has the next requests fail.
    pub fn fail(&self, fault: Fault, requests: u32) {
        *self.state.fault.lock().unwrap() = Some((fault, requests));
    }

    /// Has every request fail from now on.
    pub fn fail_always(&self, fault: Fault) {
        self.fail(fault, u32::MAX);
    }

    /// Has no request fail.
    pub fn recover(&self) {
        *self.state.fault.lock().unwrap() = None;
    }

    /// How many requests have failed.
    pub fn failed(&self) -> u32 {
        self.state.failed.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    /// Serves one request: the store is asked to close the connection after it, so that nothing of the answer need be understood.
    async fn serve(&self, client: TcpStream) -> io::Result<()> {
        let mut client = BufReader::new(client);
        let Some(request) = Request::read(&mut client).await? else { return Ok(()) };
        let fault = self.next_fault(&request);
        match fault {
            Some(Fault::Away) => return Ok(()),
            Some(Fault::Status(status)) => {
                let answer = format!("HTTP/1.1 {status} Injected\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                return client.write_all(answer.as_bytes()).await;
            }
            Some(Fault::Slow(pause)) => tokio::time::sleep(pause).await,
            Some(Fault::UploadInterrupted | Fault::AnswerLost) | None => {}
        }
        let mut store = TcpStream::connect(&self.store).await?;
        store.write_all(&request.head).await?;
        if fault == Some(Fault::UploadInterrupted) {
            return store.write_all(&request.body[..request.body.len() / 2]).await;
        }
        store.write_all(&request.body).await?;
        let mut answer = Vec::new();
        store.read_to_end(&mut answer).await?;
        if fault == Some(Fault::AnswerLost) { Ok(()) } else { client.write_all(&answer).await }
    }

    fn next_fault(&self, request: &Request) -> Option<Fault> {
        let mut fault = self.fault.lock().unwrap();
        let (what, requests) = (*fault)?;
        let concerns_uploads = matches!(what, Fault::UploadInterrupted | Fault::AnswerLost);
        if concerns_uploads && !request.head.starts_with(b"PUT ") {
            return None;
        }
        *fault = (requests > 1).then_some((what, requests - 1));
        self.failed.fetch_add(1, Ordering::SeqCst);
        Some(what)
    }
}

struct Request {
    /// The request line and the headers.
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    /// Reads one, unless the connection was closed.
    async fn read(client: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let start = head.len();
            if client.read_until(b'\n', &mut head).await? == 0 {
                return Ok(None);
            }
            let line = String::from_utf8_lossy(&head[start..]).to_lowercase();
            if line.trim().is_empty() {
                head.splice(start..start, *b"connection: close\r\n");
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        client.read_exact(&mut body).await?;
        Ok(Some(Self { head, body }))
    }
}
