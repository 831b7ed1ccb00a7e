//! The HTTP client: keep-alive, no retries, no redirects.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use crate::{ErrorKind, Outcome, Profile, Target};

/// Shorter than the 60 s for which an Application Load Balancer keeps an idle connection, so that the two ends do not race to
/// close it and a healthy service never shows a `closed`.
const IDLE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    requests: Vec<Request<Full<Bytes>>>,
    timeout: Duration,
}

impl Client {
    pub(crate) fn new(profile: &Profile, urls: Vec<Uri>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(profile.in_flight_max)
            // A retry inside the client would hide exactly the failures that are measured.
            .retry_canceled_requests(false)
            .build(connector);
        let requests = profile.targets.iter().zip(urls).map(|(target, url)| request(target, url)).collect();
        Self { pool, requests, timeout: profile.timeout }
    }

    /// Sends a target's request and reads the answer to its end.
    pub(crate) async fn send(&self, target: usize, due: Instant) -> Outcome {
        let exchange = async {
            let reply = match self.pool.request(self.requests[target].clone()).await {
                Ok(reply) => reply,
                Err(error) => return Outcome::Error(ErrorKind::of(&error, error.is_connect())),
            };
            let status = reply.status().as_u16();
            let mut body = reply.into_body();
            while let Some(frame) = body.frame().await {
                if let Err(error) = frame {
                    return Outcome::Error(ErrorKind::of(&error, false));
                }
            }
            Outcome::Status(status)
        };
        let deadline = tokio::time::Instant::from_std(due + self.timeout);
        tokio::time::timeout_at(deadline, exchange).await.unwrap_or(Outcome::Error(ErrorKind::Timeout))
    }
}

fn request(target: &Target, url: Uri) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(target.body.clone()));
    *request.method_mut() = target.method.clone();
    *request.uri_mut() = url;
    for (name, value) in &target.headers {
        request.headers_mut().append(name, value.clone());
    }
    request
}
