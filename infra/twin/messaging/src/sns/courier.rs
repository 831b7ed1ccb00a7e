//! Delivery over HTTP: each message on a task of its own, tried again as AWS's default policy has it, within bounds.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};
use twin_platform::AwsError;

use super::error::{invalid, refused};

/// Memory that messages to one subscriber may take while they wait, in bytes; further ones are dropped, with a line in the log.
/// Less loses messages in a burst; more lets a dead subscriber fill a laptop.
pub const BACKLOG_BYTES: usize = 4 << 20;
/// What a message costs beside its body.
const OVERHEAD_BYTES: usize = 2048;
/// Most connections to one subscriber at a time.
const LANES: usize = 8;
/// Tries after the first, and the pause before each ("Creating an HTTP/S delivery policy", Developer Guide).
const RETRIES: u32 = 3;
pub(super) const PAUSE: Duration = Duration::from_secs(20);
/// A subscriber answers within this time or the try has failed ("Amazon SNS FAQs").
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// The policy above as `EffectiveDeliveryPolicy` shows it.
pub(super) const POLICY: &str = r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}"#;

type HttpClient = Client<HttpConnector, Full<Bytes>>;
type HttpsClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Makes outboxes.
pub(super) struct Courier {
    http: HttpClient,
    /// Made for the first subscriber that wants it: it reads the machine's root certificates.
    https: OnceLock<HttpsClient>,
    pause: Duration,
}

#[derive(Clone)]
enum Transport {
    Http(HttpClient),
    Https(HttpsClient),
}

/// What is on its way to one subscriber. Dropping it ends the tries.
pub(super) struct Outbox {
    route: Route,
    backlog: Arc<Semaphore>,
    over: CancellationToken,
    _end: DropGuard,
}

#[derive(Clone)]
struct Route {
    transport: Transport,
    uri: Uri,
    pause: Duration,
    lanes: Arc<Semaphore>,
}

/// One message.
pub(super) struct Parcel {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) id: String,
}

impl Courier {
    pub(super) fn new(pause: Duration) -> Self {
        Self { http: builder().build_http(), https: OnceLock::new(), pause }
    }

    /// An outbox for a URL that [`target`] let through.
    ///
    /// # Errors
    /// For HTTPS, when this machine has no root certificates.
    pub(super) fn outbox(&self, uri: Uri) -> Result<Outbox, AwsError> {
        let transport = match uri.scheme_str() {
            Some("https") => Transport::Https(self.https()?),
            _ => Transport::Http(self.http.clone()),
        };
        let over = CancellationToken::new();
        let end = over.clone().drop_guard();
        let route = Route { transport, uri, pause: self.pause, lanes: Arc::new(Semaphore::new(LANES)) };
        Ok(Outbox { route, backlog: Arc::new(Semaphore::new(BACKLOG_BYTES)), over, _end: end })
    }

    fn https(&self) -> Result<HttpsClient, AwsError> {
        if let Some(client) = self.https.get() {
            return Ok(client.clone());
        }
        let roots = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| invalid(format!("Endpoint Reason: no HTTPS on this machine: {error}")))?;
        let client = builder().build(roots.https_only().enable_http1().build());
        Ok(self.https.get_or_init(|| client).clone())
    }
}

fn builder() -> hyper_util::client::legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new());
    builder
}

impl Outbox {
    /// `http` or `https`.
    pub(super) fn protocol(&self) -> &'static str {
        match self.route.transport {
            Transport::Http(_) => "http",
            Transport::Https(_) => "https",
        }
    }

    /// Sends a message in the background; returns at once.
    pub(super) fn post(&self, parcel: Parcel) {
        let cost = u32::try_from(parcel.body.len() + OVERHEAD_BYTES).unwrap_or(u32::MAX);
        let Ok(place) = self.backlog.clone().try_acquire_many_owned(cost) else {
            tracing::warn!(endpoint = %self.route.uri, id = parcel.id, "a message was dropped: the subscriber's backlog is full");
            return;
        };
        let (route, over) = (self.route.clone(), self.over.clone());
        tokio::spawn(async move {
            let _place = place;
            over.run_until_cancelled(route.deliver(&parcel)).await;
        });
    }
}

/// How a try ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Delivered,
    /// The subscriber refuses the message; trying again does not help.
    Refused(StatusCode),
    Failed(String),
}

impl Route {
    async fn deliver(&self, parcel: &Parcel) {
        for retry in 0..=RETRIES {
            match self.attempt(parcel).await {
                Outcome::Delivered => return,
                Outcome::Refused(status) => {
                    tracing::warn!(endpoint = %self.uri, id = parcel.id, %status, "the subscriber refused a message");
                    return;
                }
                Outcome::Failed(reason) if retry == RETRIES => {
                    tracing::warn!(endpoint = %self.uri, id = parcel.id, reason, "a message was dropped after its last try");
                }
                Outcome::Failed(reason) => {
                    tracing::debug!(endpoint = %self.uri, id = parcel.id, reason, retry, "a delivery failed");
                    tokio::time::sleep(self.pause).await;
                }
            }
        }
    }

    async fn attempt(&self, parcel: &Parcel) -> Outcome {
        // Waiting for a lane is not the subscriber's time.
        let Ok(_lane) = self.lanes.acquire().await else { return Outcome::Failed("closed".into()) };
        let mut request = Request::new(Full::new(parcel.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = parcel.headers.clone();
        let answer = match &self.transport {
            Transport::Http(client) => client.request(request),
            Transport::Https(client) => client.request(request),
        };
        match tokio::time::timeout(ANSWER_LIMIT, answer).await {
            Ok(Ok(response)) => judge(response.status()),
            Ok(Err(error)) => {
                Outcome::Failed(std::error::Error::source(&error).map_or(error.to_string(), ToString::to_string))
            }
            Err(_elapsed) => Outcome::Failed(format!("no answer within {} s", ANSWER_LIMIT.as_secs())),
        }
    }
}

/// 2xx is success; 5xx and 429 are tried again; anything else is the subscriber's last word.
fn judge(status: StatusCode) -> Outcome {
    match status.as_u16() {
        200..=299 => Outcome::Delivered,
        429 | 500..=599 => Outcome::Failed(status.to_string()),
        _ => Outcome::Refused(status),
    }
}

/// The URL of an HTTP or HTTPS subscriber, which must be on loopback: the twin never talks to the outside.
pub(super) fn target(protocol: &str, endpoint: &str) -> Result<Uri, AwsError> {
    let bad = |reason: String| invalid(format!("Endpoint Reason: {reason}"));
    let uri: Uri = endpoint.parse().map_err(|_| bad(format!("'{endpoint}' is not a URL")))?;
    if uri.scheme_str() != Some(protocol) {
        return Err(invalid("Endpoint must match the specified protocol"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(refused("Subscribe with a user name in the endpoint's URL"));
    }
    let host = uri.host().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    if !address.map_or(host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback()) {
        return Err(bad(format!("the twin delivers on loopback only (127.0.0.1, [::1], localhost), not to '{host}'")));
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_a_target() {
        for good in ["http://127.0.0.1:8080/hook?a=b", "http://127.9.8.7", "http://localhost:1/", "http://[::1]:80/"] {
            assert!(target("http", good).is_ok(), "{good}");
        }
        for bad in [
            "http://example.com/",
            "http://10.0.0.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://localhost.example.com/",
            "http://127.0.0.1@example.com/",
            "http://user:word@127.0.0.1/",
            "https://127.0.0.1/",
            "ftp://127.0.0.1/",
            "127.0.0.1:80",
            "http://0.0.0.0/",
            "",
        ] {
            assert!(target("http", bad).is_err(), "{bad}");
        }
        assert!(target("https", "https://127.0.0.1/").is_ok());
    }

    #[test]
    fn a_server_error_is_tried_again_and_a_refusal_is_not() {
        assert_eq!(judge(StatusCode::NO_CONTENT), Outcome::Delivered);
        assert_eq!(judge(StatusCode::FORBIDDEN), Outcome::Refused(StatusCode::FORBIDDEN));
        for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_GATEWAY] {
            assert!(matches!(judge(status), Outcome::Failed(_)), "{status}");
        }
    }
}
