//! An HTTP client that adds nothing to a request and gives access to the raw response.

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Server, TIMEOUT};

/// An HTTP answer.
#[derive(Debug)]
pub(in crate::transport) struct Answer {
    pub(in crate::transport) status: u16,
    /// The unmodified head, with the case of the header names.
    pub(in crate::transport) head: String,
    pub(in crate::transport) body: String,
}

impl Answer {
    pub(in crate::transport) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(in crate::transport) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub(in crate::transport) fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Server {
    /// Sends a request without a library, which would add headers and normalize the response.
    pub(in crate::transport) async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
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
            // The server may not read a rejected body completely.
            let _ = stream.write_all(body.as_bytes()).await;
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes).await;
            String::from_utf8(bytes).expect("UTF-8")
        };
        let text = timeout(TIMEOUT, exchange).await.expect("an answer in time");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let body = if chunked { unchunk(body) } else { body.to_owned() };
        Answer { status, head: head.to_owned(), body }
    }

    /// POSTs JSON.
    pub(in crate::transport) async fn post(&self, accept: &str, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json"), ("Accept", accept)];
        self.request("POST", "/graphql", &headers, &body.to_string()).await
    }

    /// GETs a query.
    pub(in crate::transport) async fn get(&self, accept: &str, parameters: &[(&str, &str)]) -> Answer {
        self.request("GET", &path(parameters), &[("Accept", accept)], "").await
    }
}

/// The path of a GET with parameters.
pub(in crate::transport) fn path(parameters: &[(&str, &str)]) -> String {
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
