//! A fake S3: as much of it as the store uses.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::{TcpListener, TcpStream},
};

/// The access key that it accepts. It does not compute the signature.
pub const ACCESS_KEY: &str = "AKIDEXAMPLE";

#[derive(Clone, Default)]
pub struct FakeS3 {
    objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    /// Requests that are answered with 503.
    failures: Arc<Mutex<u32>>,
}

struct Request {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl FakeS3 {
    /// Starts one. Returns its address too.
    pub async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self::default();
        let served = fake.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(served.clone().serve(socket));
            }
        });
        (fake, address)
    }

    /// Answers the next requests with 503.
    pub fn fail(&self, requests: u32) {
        *self.failures.lock().unwrap() = requests;
    }

    async fn serve(self, socket: TcpStream) -> std::io::Result<()> {
        let mut socket = BufStream::new(socket);
        while let Some(request) = read(&mut socket).await? {
            let (status, headers, body) = self.answer(&request);
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
            socket.write_all(head.as_bytes()).await?;
            socket.write_all(&body).await?;
            socket.flush().await?;
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> (&'static str, String, Vec<u8>) {
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return ("503 Slow Down", String::new(), b"<Error><Code>SlowDown</Code></Error>".to_vec());
        }
        let authorized =
            request.headers.get("authorization").is_some_and(|header| header.starts_with(&format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/")));
        if !authorized {
            return ("403 Forbidden", String::new(), b"<Error><Code>SignatureDoesNotMatch</Code></Error>".to_vec());
        }
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let key = path.strip_prefix("/bucket/").unwrap_or_default().to_owned();
        let mut objects = self.objects.lock().unwrap();
        let found = "etag: \"1\"\r\nlast-modified: Sun, 29 Nov 2026 05:44:31 GMT\r\n".to_owned();
        match request.method.as_str() {
            "PUT" if objects.contains_key(&key) && request.headers.get("if-none-match").is_some_and(|header| header == "*") => {
                ("412 Precondition Failed", String::new(), b"<Error><Code>PreconditionFailed</Code></Error>".to_vec())
            }
            "PUT" => {
                objects.insert(key, request.body.clone());
                ("200 OK", found, Vec::new())
            }
            "GET" if query.contains("list-type=2") => {
                let prefix = query.split('&').find_map(|field| field.strip_prefix("prefix=")).unwrap_or_default().replace("%2F", "/");
                let mut list = "<ListBucketResult>".to_owned();
                for (key, content) in objects.iter().filter(|(key, _)| key.starts_with(&prefix)) {
                    let _ = write!(
                        list,
                        "<Contents><Key>{key}</Key><Size>{}</Size><ETag>1</ETag><LastModified>2026-11-29T05:44:31.000Z</LastModified></Contents>",
                        content.len()
                    );
                }
                ("200 OK", String::new(), (list + "</ListBucketResult>").into_bytes())
            }
            "GET" => match objects.get(&key) {
                Some(content) => ("200 OK", found, content.clone()),
                None => ("404 Not Found", String::new(), b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
            },
            "DELETE" => {
                objects.remove(&key);
                ("204 No Content", String::new(), Vec::new())
            }
            _ => ("405 Method Not Allowed", String::new(), Vec::new()),
        }
    }
}

async fn read(socket: &mut BufStream<TcpStream>) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if socket.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        socket.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await?;
    Ok(Some(Request { method, target, headers, body }))
}
