//! One signed request and the answer it got.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::{Client, Url, redirect};

use crate::error::{CliError, root_cause};
use crate::events::Event;

/// Svix waits this long for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Twice the tolerance a receiver has by default.
const STALE_BY_SECONDS: i64 = 600;
/// As a receiver sees Clerk's own deliveries.
const USER_AGENT: &str = concat!("Svix-Webhooks/1.0 (surehook-send/", env!("CARGO_PKG_VERSION"), ")");

/// What is special about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing: the first delivery of a message.
    Original,
    /// The same message again, with a timestamp and a signature of its own, as a provider retries.
    Duplicate,
    /// The signature is of another body.
    Forged,
    /// The signature is right, and ten minutes old.
    Stale,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Original => "original",
            Kind::Duplicate => "duplicate",
            Kind::Forged => "forged",
            Kind::Stale => "stale",
        }
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The value of `Idempotent-Replayed`, which marks an answer that no handler ran for.
    pub(crate) replayed: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// Sends signed messages to one URL.
pub(crate) struct Sender {
    client: Client,
    url: Url,
    secret: String,
}

impl Sender {
    pub(crate) fn new(url: Url, secret: String) -> Result<Self, CliError> {
        // Refused here, so that no request leaves with half of the command line right.
        surehook_core::sign(&secret, "msg_probe", 0, b"").map_err(CliError::usage)?;
        let mut client = Client::builder()
            .user_agent(USER_AGENT)
            .timeout(ANSWER_WITHIN)
            // For a sender of webhooks a redirect is an answer, and a failure.
            .redirect(redirect::Policy::none())
            // Each on a connection of its own: a server that closes one after an error must not cost the next its answer.
            .pool_max_idle_per_host(0);
        if is_loopback(&url) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| CliError::failure(root_cause(&error)))?;
        Ok(Self { client, url, secret })
    }

    /// Delivers the event now. The error is one sentence about why no answer came.
    pub(crate) async fn deliver(&self, event: &Event, kind: Kind) -> (Result<Answer, String>, Duration) {
        let started = Instant::now();
        let answer = self.post(event, kind).await;
        (answer, started.elapsed())
    }

    async fn post(&self, event: &Event, kind: Kind) -> Result<Answer, String> {
        let timestamp = match kind {
            Kind::Stale => unix_seconds() - STALE_BY_SECONDS,
            _ => unix_seconds(),
        };
        let signed_body: &[u8] = match kind {
            Kind::Forged => b"{\"type\":\"another.body\"}",
            _ => &event.body,
        };
        let signature = surehook_core::sign(&self.secret, &event.message_id, timestamp, signed_body)
            .map_err(|error| error.to_string())?;
        let request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("svix-id", &event.message_id)
            .header("svix-timestamp", timestamp)
            .header("svix-signature", signature)
            .body(event.body.clone());
        let response = request.send().await.map_err(|error| no_answer(&error))?;
        let text_header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let status = response.status().as_u16();
        let (replayed, content_type) = (text_header("idempotent-replayed"), text_header("content-type"));
        let body = response.bytes().await.map_err(|error| no_answer(&error))?.to_vec();
        Ok(Answer { status, replayed, content_type, body })
    }
}

fn no_answer(error: &reqwest::Error) -> String {
    match error.is_timeout() {
        true => format!("no answer within {} s", ANSWER_WITHIN.as_secs()),
        false => format!("no answer: {}", root_cause(error)),
    }
}

fn unix_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

/// A proxy of the environment must not see, and cannot reach, what runs on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some(host) => {
            let host = host.trim_matches(['[', ']']);
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}
