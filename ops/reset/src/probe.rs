//! One GET on a new connection, as a stranger would send it. Promises: bounded in time and in bytes. Refuses: https and
//! redirects – the lab's balancer speaks http, and a redirect would prove nothing about the application.

use std::time::Duration;

use contract::names::header;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Request, Response, StatusCode, Uri, body::Bytes, body::Incoming, header::HeaderMap};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::report::chain;

/// A reply longer than this is not one of the lab's.
const BODY_LIMIT_BYTES: usize = 256 * 1024;

/// What a probe learnt.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// Task that answered, by its own word.
    pub(crate) task: Option<String>,
    /// Version of the parameter that the task applies.
    pub(crate) config_version: Option<i64>,
    /// The application's error code, when the body is one of its errors.
    pub(crate) error_code: Option<String>,
}

/// A probe without an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error("{0} is not an http URL")]
    NotHttp(String),
    #[error("no whole answer within {0} ms")]
    TimedOut(u128),
    #[error("{0}")]
    Failed(String),
}

/// Sends probes. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    client: Client<HttpConnector, Empty<Bytes>>,
}

impl Probe {
    pub(crate) fn new() -> Self {
        // No idle connection is kept: each probe is routed anew by the balancer.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        Self { client }
    }

    /// GETs the URL and reads the whole body; both together within `limit`.
    pub(crate) async fn get(&self, url: &str, limit: Duration) -> Result<Reply, ProbeError> {
        let uri: Uri = match url.parse::<Uri>() {
            Ok(uri) if uri.scheme_str() == Some("http") && uri.host().is_some() => uri,
            _ => return Err(ProbeError::NotHttp(url.to_owned())),
        };
        let request = Request::get(uri)
            .header(hyper::header::CONNECTION, "close")
            .header(hyper::header::USER_AGENT, "reset")
            .body(Empty::new())
            .map_err(|error| ProbeError::Failed(error.to_string()))?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| ProbeError::Failed(chain(&error)))?;
            read(response).await
        };
        tokio::time::timeout(limit, exchange).await.map_err(|_| ProbeError::TimedOut(limit.as_millis()))?
    }
}

async fn read(response: Response<Incoming>) -> Result<Reply, ProbeError> {
    let (head, body) = response.into_parts();
    // The body is read to its end: a reply that is cut short must not count as good.
    let body = Limited::new(body, BODY_LIMIT_BYTES)
        .collect()
        .await
        .map_err(|error| ProbeError::Failed(format!("the body broke off: {error}")))?
        .to_bytes();
    let error_code = (!head.status.is_success())
        .then(|| serde_json::from_slice::<serde_json::Value>(&body).ok())
        .flatten()
        .and_then(|value| value.pointer("/error/code")?.as_str().map(str::to_owned));
    Ok(Reply {
        status: head.status,
        task: text(&head.headers, header::TASK).map(str::to_owned),
        config_version: text(&head.headers, header::CONFIG_VERSION).and_then(|version| version.parse().ok()),
        error_code,
    })
}

fn text<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    /// Answers every connection with the bytes that `answer` makes of the request's path; gives the base URL.
    pub(crate) async fn serve(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = [0; 2048];
                let length = socket.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let path = request.split_whitespace().nth(1).unwrap_or_default();
                // A client that has gone is the client's affair.
                let _ = socket.write_all(answer(path).as_bytes()).await;
            }
        });
        url
    }

    /// A whole reply with the lab's headers.
    pub(crate) fn reply(status: u16, body: &str) -> String {
        let length = body.len();
        format!(
            "HTTP/1.1 {status} X\r\nx-lab-task: t1\r\nx-lab-config-version: 7\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        )
    }

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_reply_tells_task_version_and_error_code() {
        let url = serve(|_| reply(503, r#"{"error":{"code":"Overloaded","message":"m","requestId":"r"}}"#)).await;
        let reply = Probe::new().get(&url, LIMIT).await.expect("a whole reply");
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!((reply.task.as_deref(), reply.config_version), (Some("t1"), Some(7)));
        assert_eq!(reply.error_code.as_deref(), Some("Overloaded"));
    }

    #[tokio::test]
    async fn a_body_cut_short_is_a_failure() {
        let url = serve(|_| reply(200, "whole").replace("content-length: 5", "content-length: 50")).await;
        let error = Probe::new().get(&url, LIMIT).await.expect_err("45 bytes are missing");
        assert!(error.to_string().starts_with("the body broke off"), "{error}");
    }

    #[tokio::test]
    async fn a_silent_server_and_a_wrong_url_are_named() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let url = format!("http://{}/", listener.local_addr().expect("a bound listener has an address"));
        let probe = Probe::new();
        assert_eq!(probe.get(&url, Duration::from_millis(50)).await.err(), Some(ProbeError::TimedOut(50)));
        let error = probe.get("https://lab/", LIMIT).await.expect_err("https is refused");
        assert_eq!(error.to_string(), "https://lab/ is not an http URL");
    }
}
