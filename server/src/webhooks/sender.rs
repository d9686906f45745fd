//! Signs a message and sends it once.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect,
};
use toygres_domain::{Error, Result, secret::Secret, webhook::SigningSecret};

use super::{AddressPolicy, address::Refused, message::Message};

/// How long an attempt may take, from the look-up of the name to the head of the answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How long the body of an answer may take. What it says changes nothing.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes of a body that are read, so that its connection can be used again.
const READ_BYTES: usize = 64 * 1024;
/// Bytes of a body that are kept for a person.
const KEPT_BYTES: usize = 1000;

/// Sends messages, over connections that it keeps.
#[derive(Clone, Debug)]
pub struct Sender {
    client: Client,
    policy: AddressPolicy,
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Why the message was not delivered; `None` if it was.
    pub error: Option<String>,
    /// The beginning of the answer's body.
    pub body: String,
    /// When the receiver asked to be tried again.
    pub retry_after: Option<Duration>,
    /// How long it took.
    pub duration: Duration,
}

impl Sender {
    /// A sender to the addresses that are allowed. It follows no redirect, which could lead elsewhere, and uses no proxy, which would resolve names by
    /// itself.
    ///
    /// # Errors
    /// [`Error::Internal`] when TLS cannot be set up.
    pub fn new(policy: AddressPolicy) -> Result<Self> {
        let client = Client::builder()
            .dns_resolver(policy.clone())
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(2)
            .user_agent(concat!("toygres/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Error::internal)?;
        Ok(Self { client, policy })
    }

    /// Where it may send to.
    #[must_use]
    pub fn policy(&self) -> &AddressPolicy {
        &self.policy
    }

    /// Sends a message once.
    pub async fn send(&self, url: &Secret, secrets: &[SigningSecret], message: &Message) -> Answer {
        let begun = Instant::now();
        let outcome = tokio::time::timeout(TIMEOUT, self.request(url, secrets, message)).await;
        let answer =
            |status: Option<u16>, error: Option<String>| Answer { status, error, body: String::new(), retry_after: None, duration: begun.elapsed() };
        let response = match outcome {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return answer(None, Some(error)),
            Err(_) => return answer(None, Some(format!("there was no answer within {} s", TIMEOUT.as_secs()))),
        };
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(parse_retry_after);
        let mut answer = answer(Some(status.as_u16()), failure(status));
        answer.body = beginning(response).await;
        Answer { retry_after, ..answer }
    }

    async fn request(&self, url: &Secret, secrets: &[SigningSecret], message: &Message) -> Result<Response, String> {
        // The address in a URL is not resolved, so it is checked here: the server may have been started with other settings since.
        let url = self.policy.parse(url.expose()).map_err(|why| format!("the URL {why}"))?;
        // The time of this attempt, not of the event: receivers refuse messages whose time is minutes ago.
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()).cast_signed();
        let signatures: Vec<_> = secrets.iter().map(|secret| secret.sign(&message.id, timestamp, &message.body)).collect();
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures.join(" "))
            .body(message.body.clone());
        request.send().await.map_err(|error| explain(&error))
    }
}

/// Why an answer is no success.
fn failure(status: StatusCode) -> Option<String> {
    let name = status.canonical_reason().map(|reason| format!(" {reason}")).unwrap_or_default();
    match status {
        _ if status.is_success() => None,
        _ if status.is_redirection() => Some(format!("the receiver answered {}{name}, and redirects are not followed", status.as_u16())),
        _ => Some(format!("the receiver answered {}{name}", status.as_u16())),
    }
}

/// Why there is no answer. The text of reqwest would repeat the URL.
fn explain(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            return refused.to_string();
        }
    }
    let what = if error.is_connect() { "the receiver could not be reached" } else { "the connection to the receiver failed" };
    match std::error::Error::source(error) {
        Some(_) => format!("{what}: {cause}"),
        None => what.to_owned(),
    }
}

/// The beginning of a body as text. The rest is read up to a bound, for the sake of the connection.
async fn beginning(mut response: Response) -> String {
    let mut kept = Vec::new();
    let read = async {
        let mut read = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            read += chunk.len();
            let room = KEPT_BYTES.saturating_sub(kept.len()).min(chunk.len());
            kept.extend_from_slice(&chunk[..room]);
            if read > READ_BYTES {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(BODY_TIMEOUT, read).await;
    // PostgreSQL and terminals take no control characters.
    String::from_utf8_lossy(&kept).chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// The seconds or the date of a `Retry-After`.
fn parse_retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = chrono::DateTime::parse_from_rfc2822(text.trim()).ok()?;
    (date.to_utc() - chrono::Utc::now()).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(parse_retry_after("120"), Some(Duration::from_secs(120)));
        let later = (chrono::Utc::now() + chrono::TimeDelta::minutes(5)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let seconds = parse_retry_after(&later).expect(&later).as_secs();
        assert!((290..=300).contains(&seconds), "{seconds}");
        assert_eq!(parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), None, "it is over");
        assert_eq!(parse_retry_after("soon"), None);
    }

    #[test]
    fn only_2xx_is_a_success() {
        assert_eq!(failure(StatusCode::NO_CONTENT), None);
        assert!(failure(StatusCode::FOUND).unwrap().contains("redirects are not followed"));
        assert_eq!(failure(StatusCode::BAD_GATEWAY).unwrap(), "the receiver answered 502 Bad Gateway");
    }
}
